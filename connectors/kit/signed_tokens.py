"""Tokens that say when, and for what, we gave them out. They are kept nowhere: an HMAC proves that they are ours.

A token carries a nonce. It is of one use where its user makes the nonce the key of what it does, as a form makes it the
Idempotency-Key: doing it again is then the same thing, and doing another with it is refused.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

LONGEST = 120
MAC_BYTES = 16  # half of SHA-256, as RFC 2104 section 5 allows


@dataclass(frozen=True, slots=True)
class Issued:
    nonce: UUID
    at: datetime


class SignedTokens:
    """`purpose` keeps tokens of one kind from being taken for another's."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = hmac.digest(secret, f"hubbub token {purpose}".encode(), "sha256")

    def issue(self, subject: str, nonce: UUID, at: datetime) -> str:
        """A token for `subject` (a form, say): letters, digits, `.`, `-` and `_` only."""
        stated = f"{int(at.timestamp() * 1000):x}.{nonce.hex}"
        return f"{stated}.{self._mac(subject, stated)}"

    def read(self, subject: str, token: str) -> Issued | None:
        """What a token of ours for `subject` says; None for any other text. Its age is for the caller to judge."""
        stated, dot, mac = token.rpartition(".")
        if not dot or len(token) > LONGEST:
            return None
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(subject, stated).encode()):
            return None
        moment, _, nonce = stated.partition(".")
        return Issued(UUID(nonce), datetime.fromtimestamp(int(moment, 16) / 1000, UTC))

    def _mac(self, subject: str, stated: str) -> str:
        message = f"{subject}\x1f{stated}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, message, "sha256")
        return urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")
