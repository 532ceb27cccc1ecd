"""Slack's signature of requests. https://docs.slack.dev/authentication/verifying-requests-from-slack"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.kit.hooks import Unverified

TOLERANCE_SECONDS = 300
VERSION = "v0"
TIMESTAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Slack-Signature`."""
    return _signature(secret.encode(), str(timestamp), body)


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises Unverified unless the raw body was signed with one of the secrets (two during a rotation) within five minutes."""
    timestamp, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12 or not given:
        raise Unverified("headers X-Slack-Request-Timestamp and X-Slack-Signature are needed")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Unverified("X-Slack-Request-Timestamp is more than five minutes off")
    held = given.encode("utf-8", "replace")
    expected = [_signature(each.encode(), timestamp, body).encode() for each in secrets]
    if not any(hmac.compare_digest(each, held) for each in expected):
        raise Unverified("X-Slack-Signature fits none of the account's signing secrets")


def _signature(secret: bytes, timestamp: str, body: bytes) -> str:
    signed = f"{VERSION}:{timestamp}:".encode() + body
    return f"{VERSION}={hmac.digest(secret, signed, 'sha256').hex()}"
