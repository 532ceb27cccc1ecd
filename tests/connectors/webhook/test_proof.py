"""Who signs how: presets, schemes described in the settings, and what is refused."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit.hooks import HookRequest, Unverified
from connectors.webhook.proof import verify
from connectors.webhook.settings import Signature

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = '{"text": "Grüße"}'.encode()
SECRET, OTHER = "the-secret-of-the-source", "another-secret-meanwhile"


def mac(signed: bytes, algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), signed, algorithm)


def check(headers: dict[str, str], body: bytes = BODY, **signature: Any) -> None:
    settings = Signature.model_validate({"secrets": [OTHER, SECRET], **signature})
    verify(settings, HookRequest("POST", headers, body, NOW))


STRIPE = mac(f"{STAMP}.".encode() + BODY).hex()
GOOD: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "github": ({"x-hub-signature-256": f"sha256={mac(BODY).hex()}"}, {"scheme": "github"}),
    "meta": ({"x-hub-signature-256": f"sha256={mac(BODY).hex()}"}, {"scheme": "meta"}),
    "shopify": ({"x-shopify-hmac-sha256": b64encode(mac(BODY)).decode()}, {"scheme": "shopify"}),
    "stripe": ({"stripe-signature": f"t={STAMP},v1=00,v1={STRIPE},v0=x"}, {"scheme": "stripe"}),
    "bearer": ({"authorization": f"Bearer {SECRET}"}, {"scheme": "bearer"}),
    "basic": (
        {"authorization": "Basic " + b64encode(b"hub:the password").decode()},
        {"scheme": "basic", "secrets": ["hub:the password"]},
    ),
    "an hmac of its own": (
        {
            "x-sig": "v1=" + b64encode(mac(f"{STAMP}|abc|".encode() + BODY, "sha512")).decode(),
            "x-time": STAMP,
            "x-id": "abc",
        },
        {
            "scheme": "hmac",
            "header": "X-Sig",
            "algorithm": "sha512",
            "encoding": "base64",
            "prefix": "v1=",
            "signed": "{timestamp}|{id}|{body}",
            "timestamp_header": "X-Time",
            "id_header": "X-Id",
        },
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_signed_with_one_of_the_secrets_is_proven(name: str) -> None:
    headers, signature = GOOD[name]
    check(headers, **signature)


@pytest.mark.parametrize("name", [each for each in GOOD if each not in ("bearer", "basic")])
def test_one_changed_byte_of_the_body_is_refused(name: str) -> None:
    headers, signature = GOOD[name]
    with pytest.raises(Unverified) as refused:
        check(headers, BODY.replace(b"text", b"Text"), **signature)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize(
    "value", ["", "ü", "sha256=zz", "t=,v1=", "Bearer ", "Basic =", "v1=" + "A" * 5000, "t=" + "9" * 99]
)
def test_hostile_headers_are_refused_and_trip_nothing(name: str, value: str) -> None:
    headers, signature = GOOD[name]
    with pytest.raises(Unverified):
        check(dict.fromkeys(headers, value), **signature)


@pytest.mark.parametrize("name", ["stripe", "an hmac of its own"])
def test_what_was_signed_long_ago_is_refused(name: str) -> None:
    headers, signature = GOOD[name]
    old = {key: value.replace(STAMP, "1700000000") for key, value in headers.items()}
    with pytest.raises(Unverified, match="off"):
        check(old, **signature)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scheme": "hmac", "secrets": [SECRET]},
        {"scheme": "hmac", "secrets": [SECRET], "header": "x", "signed": "{timestamp}.{body}"},
        {"scheme": "hmac", "secrets": [SECRET], "header": "x y"},
        {"scheme": "standard-webhooks", "secrets": ["not base64 text"]},
        {"scheme": "github", "secrets": ["short"]},
        {"scheme": "github", "secrets": []},
    ],
)
def test_a_scheme_that_could_prove_nothing_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"secret|header|signed|pattern|at least"):
        Signature.model_validate(wrong)
