"""The vendor calls us: signature on the raw bytes, one event a request."""

import hmac
from collections.abc import Sequence

from connectors.kit.example.parse import load, text_at
from connectors.kit.hooks import HookAnswer, HookRequest, Outcome, Unverified, default_answer
from connectors.kit.items import RawItem, Receiver

TOLERANCE_SECONDS = 300
SIGNATURE, TIMESTAMP = "x-example-signature", "x-example-timestamp"


class ExampleHook:
    """Implements connectors.kit.hooks.Hook for one account."""

    body_bytes = 256 * 1024

    def __init__(self, receiver: Receiver, secrets: Sequence[str]) -> None:
        self.receiver = receiver
        self._keys = [each.encode() for each in secrets]

    def verify(self, request: HookRequest) -> None:
        stamp = request.headers.get(TIMESTAMP, "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise Unverified(f"the header {TIMESTAMP} is missing or no time")
        if abs(request.received_at.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
            raise Unverified(f"{TIMESTAMP} is more than five minutes off")
        given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, sign(key, stamp, request.body)) for key in self._keys):
            raise Unverified(f"{SIGNATURE} fits none of the signing secrets")

    def split(self, request: HookRequest) -> Sequence[RawItem] | HookAnswer:
        payload = load(request.body)
        if payload.get("type") == "handshake":
            return HookAnswer(200, text_at(payload, "challenge")[:1000].encode())
        return [RawItem(f"event:{text_at(payload, 'id')[:200]}", request.body, request.received_at)]

    def answer(self, outcome: Outcome) -> HookAnswer:
        return default_answer(outcome)


def sign(key: bytes, stamp: str, body: bytes) -> bytes:
    """The signature header of a request."""
    return b"v1=" + hmac.digest(key, stamp.encode() + b"." + body, "sha256").hex().encode()
