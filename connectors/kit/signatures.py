"""Standard Webhooks signatures of requests to us. https://www.standardwebhooks.com, specification 1.0."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"
SIGNATURES_AT_MOST = 10
ID_AT_MOST = 200


class BadSignature(Exception):
    """Not signed by who knows the secret, or too long ago. The message says what to change; no secret stands in it."""


def secret_bytes(secret: str) -> bytes:
    """The key behind `whsec_…`. Raises ValueError, naming the form that is expected."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is `whsec_` and base64 text") from error
    if len(key) < 16:
        raise ValueError("a signing secret has at least 16 bytes, as base64 after `whsec_`")
    return key


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header of a message."""
    return "v1," + b64encode(hmac.digest(key, _signed(message_id, str(timestamp), body), "sha256")).decode()


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message id of a request signed with one of the keys (several during a rotation). Raises BadSignature."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > ID_AT_MOST or not timestamp.isascii() or not timestamp.isdigit():
        raise BadSignature("headers webhook-id and webhook-timestamp (seconds since 1970) are needed")
    if len(timestamp) > 12 or abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("webhook-timestamp is more than five minutes off; set the sender's clock")
    signed = _signed(message_id, timestamp, body)
    expected = [b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    for signature in headers.get("webhook-signature", "").split(" ")[:SIGNATURES_AT_MOST]:
        version, _, value = signature.partition(",")
        if version == "v1" and any(
            hmac.compare_digest(value.encode("utf-8", "replace"), each) for each in expected
        ):
            return message_id
    raise BadSignature("webhook-signature fits none of the form's signing secrets")


def _signed(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
