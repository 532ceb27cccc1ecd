"""Who sent a request, proven on its raw bytes. Presets are the same scheme with its fields filled in.

github https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries · stripe https://docs.stripe.com/webhooks
meta https://developers.facebook.com/docs/graph-api/webhooks · shopify https://shopify.dev/docs/apps/build/webhooks
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from datetime import datetime

from connectors.kit.hooks import HookRequest, Unverified
from connectors.kit.signatures import BadSignature, secret_bytes
from connectors.kit.signatures import verify as verify_standard
from connectors.webhook.settings import Signature

SIGNATURES_AT_MOST = 10
LONGEST_HEADER = 4000
GITHUB: dict[str, str] = {"header": "x-hub-signature-256", "prefix": "sha256="}
FILLED: Mapping[str, dict[str, str]] = {
    "github": GITHUB,
    "meta": GITHUB,
    "shopify": {"header": "x-shopify-hmac-sha256", "encoding": "base64"},
}
"""Their delivery ids (X-GitHub-Delivery, X-Shopify-Webhook-Id) are not signed: whoever holds one request could give it again
under another, or give an id away before its own request comes. So they name nothing here."""
PROVEN_WHOLE = frozenset({"bearer", "basic"})
"""Who knows the secret sent all of the request, its headers as much as its body."""


def verify(signature: Signature, request: HookRequest) -> None:
    """Raises Unverified; the message names the header that is at fault and no secret."""
    CHECKS[signature.scheme](signature, request)


def request_id(signature: Signature, headers: Mapping[str, str]) -> str:
    """What names the request as a whole, and is proven as the body is; empty where nothing is both."""
    if signature.scheme == "standard-webhooks":
        return headers.get("webhook-id", "")[:200]
    if signature.scheme not in PROVEN_WHOLE and "{id}" not in signature.signed:
        return ""
    return headers.get(signature.id_header.lower(), "")[:200] if signature.id_header else ""


def filled(signature: Signature) -> Signature:
    """A preset with its fields filled in."""
    return signature.model_copy(update=FILLED.get(signature.scheme, {}))


def _standard(signature: Signature, request: HookRequest) -> None:
    keys = [secret_bytes(each.get_secret_value()) for each in signature.secrets]
    try:
        verify_standard(keys, request.headers, request.body, request.received_at)
    except BadSignature as error:
        raise Unverified(str(error)) from None


def _stripe(signature: Signature, request: HookRequest) -> None:
    """`t=…,v1=…,v1=…` in one header."""
    given = request.headers.get("stripe-signature", "")[:LONGEST_HEADER]
    pairs = [each.strip().partition("=") for each in given.split(",")]
    timestamp = next((value for name, _, value in pairs if name == "t"), "")
    _must_be_recent(timestamp, signature.tolerance_seconds, request.received_at, "stripe-signature")
    signed = f"{timestamp}.".encode() + request.body
    values = [value for name, _, value in pairs if name == "v1"][:SIGNATURES_AT_MOST]
    if not any(_fits(signature, signed, each) for each in values):
        raise Unverified("stripe-signature fits none of the secrets")


def _hmac(signature: Signature, request: HookRequest) -> None:
    told = filled(signature)
    given = request.headers.get(told.header.lower(), "")[:LONGEST_HEADER]
    if not given.startswith(told.prefix) or not given:
        raise Unverified(f"header {told.header} is missing, or does not begin with {told.prefix!r}")
    timestamp = request.headers.get(told.timestamp_header.lower(), "") if told.timestamp_header else ""
    if told.timestamp_header:
        _must_be_recent(timestamp, told.tolerance_seconds, request.received_at, told.timestamp_header)
    id = request.headers.get(told.id_header.lower(), "") if told.id_header else ""
    signed = _signed(told.signed, timestamp, id, request.body)
    if not _fits(told, signed, given.removeprefix(told.prefix)):
        raise Unverified(f"{told.header} fits none of the secrets")


def _signed(template: str, timestamp: str, id: str, body: bytes) -> bytes:
    before, _, after = template.partition("{body}")

    def put(text: str) -> bytes:
        return text.replace("{timestamp}", timestamp).replace("{id}", id).encode("utf-8", "replace")

    return put(before) + body + put(after)


def _fits(signature: Signature, signed: bytes, given: str) -> bool:
    """Compared as the bytes that they are, in constant time, with each secret."""
    try:
        held = b64decode(given, validate=True) if signature.encoding == "base64" else bytes.fromhex(given)
    except (BadBase64, ValueError):
        return False
    fits = False
    for secret in signature.secrets:
        fits |= hmac.compare_digest(
            hmac.digest(secret.get_secret_value().encode(), signed, signature.algorithm), held
        )
    return fits


def _must_be_recent(timestamp: str, tolerance_seconds: int, now: datetime, header: str) -> None:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 13:
        raise Unverified(f"{header} has no timestamp in seconds since 1970")
    seconds = int(timestamp) / 1000 if len(timestamp) == 13 else int(timestamp)
    if abs(now.timestamp() - seconds) > tolerance_seconds:
        raise Unverified(f"the timestamp of {header} is more than {tolerance_seconds} seconds off")


def _bearer(signature: Signature, request: HookRequest) -> None:
    _authorized(signature, request, "Bearer ", lambda secret: secret)


def _basic(signature: Signature, request: HookRequest) -> None:
    _authorized(signature, request, "Basic ", lambda secret: b64encode(secret.encode()).decode())


def _authorized(signature: Signature, request: HookRequest, kind: str, told: Callable[[str], str]) -> None:
    given = request.headers.get("authorization", "")
    if given[: len(kind)].lower() != kind.lower():
        raise Unverified(f"header Authorization with {kind.strip()} is needed")
    held = given[len(kind) :].strip().encode("utf-8", "replace")
    fits = False
    for secret in signature.secrets:
        fits |= hmac.compare_digest(told(secret.get_secret_value()).encode(), held)
    if not fits:
        raise Unverified("Authorization fits none of the secrets")


CHECKS: Mapping[str, Callable[[Signature, HookRequest], None]] = {
    "standard-webhooks": _standard,
    "github": _hmac,
    "meta": _hmac,
    "shopify": _hmac,
    "hmac": _hmac,
    "stripe": _stripe,
    "bearer": _bearer,
    "basic": _basic,
}
