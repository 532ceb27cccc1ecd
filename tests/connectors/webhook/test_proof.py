"""Who signs how: presets, schemes described in the settings, and what is refused."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit.hooks import HookRequest, Unverified
from connectors.webhook.proof import request_id, verify
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


RFC_4231 = ("\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
"""HMAC-SHA256, test case 1. https://www.rfc-editor.org/rfc/rfc4231#section-4.2"""
PUBLISHED: dict[str, tuple[str, dict[str, str], bytes, int]] = {
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    "github": (
        "It's a Secret to Everybody",
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        b"Hello, World!",
        0,
    ),
    # https://docs.svix.com/receiving/verifying-payloads/how-manual, and the libraries of standardwebhooks.com
    "standard-webhooks": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        b'{"test": 2432232314}',
        1614265330,
    ),
    # Meta and Shopify publish how they sign and no example that can be worked out: the body alone, so that the RFC's is one.
    "meta": (RFC_4231[0], {"x-hub-signature-256": f"sha256={RFC_4231[2]}"}, RFC_4231[1], 0),
    "shopify": (
        RFC_4231[0],
        {"x-shopify-hmac-sha256": b64encode(bytes.fromhex(RFC_4231[2])).decode()},
        RFC_4231[1],
        0,
    ),
    # Nor does Stripe (its docs leave the secret out): as `openssl dgst -sha256 -hmac` makes it of "t.body".
    "stripe": (
        "whsec_of_the_endpoint",
        {
            "stripe-signature": "t=1492774577,v1=26144b1deaccaea51ae06c296b600dff168098c50f30c57395af29c64c67c15c,v0=6f"
        },
        b'{"id":"evt_1","object":"event"}',
        1492774577,
    ),
}


@pytest.mark.parametrize("scheme", PUBLISHED)
def test_a_preset_takes_what_its_vendor_publishes_and_not_a_byte_else(scheme: str) -> None:
    secret, headers, body, seconds = PUBLISHED[scheme]
    settings = Signature.model_validate({"scheme": scheme, "secrets": [secret]})
    at = datetime.fromtimestamp(seconds, UTC)
    verify(settings, HookRequest("POST", headers, body, at))
    with pytest.raises(Unverified):
        verify(settings, HookRequest("POST", headers, body + b" ", at))


@pytest.mark.parametrize(
    ("signature", "header", "named"),
    [
        ({"scheme": "github"}, "x-github-delivery", ""),
        ({"scheme": "shopify"}, "x-shopify-webhook-id", ""),
        ({"scheme": "bearer", "id_header": "X-Id"}, "x-id", "abc"),
        (GOOD["an hmac of its own"][1], "x-id", "abc"),
    ],
)
def test_only_what_is_proven_with_the_body_names_a_request(
    signature: dict[str, Any], header: str, named: str
) -> None:
    settings = Signature.model_validate({"secrets": [SECRET], **signature})
    assert request_id(settings, {header: "abc"}) == named


@pytest.mark.parametrize(
    "wrong",
    [
        {"scheme": "hmac", "secrets": [SECRET]},
        {"scheme": "hmac", "secrets": [SECRET], "header": "x", "signed": "{timestamp}.{body}"},
        {"scheme": "hmac", "secrets": [SECRET], "header": "x y"},
        {"scheme": "hmac", "secrets": [SECRET], "header": "x", "id_header": "x-id"},
        {"scheme": "github", "secrets": [SECRET], "id_header": "x-github-delivery"},
        {"scheme": "standard-webhooks", "secrets": ["not base64 text"]},
        {"scheme": "github", "secrets": ["short"]},
        {"scheme": "github", "secrets": []},
    ],
)
def test_a_scheme_that_could_prove_nothing_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"secret|header|signed|pattern|at least|mapping"):
        Signature.model_validate(wrong)
