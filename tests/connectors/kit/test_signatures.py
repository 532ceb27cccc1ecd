import pytest
from standardwebhooks import Webhook

from connectors.kit.signatures import BadSignature, secret_bytes, sign, verify
from tests.support.clock import MONDAY_MORNING

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
KEYS = [secret_bytes(SECRET)]
BODY = b'{"email":"ann@example.com"}'
NOW = MONDAY_MORNING


def headers(
    secret: str = SECRET, body: bytes = BODY, age_seconds: int = 0, id: str = "msg_1"
) -> dict[str, str]:
    timestamp = int(NOW.timestamp()) - age_seconds
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret_bytes(secret), id, timestamp, body),
    }


def test_a_signature_is_the_one_of_the_public_library() -> None:
    assert Webhook(SECRET).sign("msg_1", NOW, BODY.decode()) == headers()["webhook-signature"]


def test_a_signed_message_gives_its_id() -> None:
    assert verify(KEYS, headers(), BODY, NOW) == "msg_1"


def test_old_and_new_secret_are_good_during_a_rotation() -> None:
    keys = [secret_bytes(OTHER), *KEYS]
    several = {**headers(), "webhook-signature": "v1a,AAAA v1,AAAA " + headers()["webhook-signature"]}

    assert verify(keys, headers(), BODY, NOW) == verify(keys, headers(OTHER), BODY, NOW) == "msg_1"
    assert verify(KEYS, several, BODY, NOW) == "msg_1"


@pytest.mark.parametrize(
    "changed",
    [
        headers(OTHER),
        headers(age_seconds=301),
        headers(age_seconds=-301),
        headers(body=BODY + b" "),
        {**headers(), "webhook-id": "msg_2"},
        {**headers(), "webhook-timestamp": "now"},
        {**headers(), "webhook-timestamp": "9" * 5000},
        {**headers(), "webhook-timestamp": "١٧٧٢"},
        {**headers(), "webhook-signature": ""},
        {**headers(), "webhook-signature": "v1,ünïcödé"},
        {**headers(), "webhook-signature": headers()["webhook-signature"].replace("v1,", "v2,")},
        {},
    ],
)
def test_everything_else_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        verify(KEYS, changed, BODY, NOW)


def test_nothing_is_verified_without_a_secret() -> None:
    with pytest.raises(BadSignature):
        verify([], headers(), BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_!!", "whsec_AAAA", ""])
def test_a_secret_that_is_none_is_named(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_bytes(secret)
