"""What we sign and recognise when it comes back: the reply address of a case, and our own Message-IDs.

Both carry the ids themselves in base 32, which survives any change of case, and a MAC, so nobody can write into a case
whose mail he never got. Secrets rotate: the first signs, all verify.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from connectors.email.addresses import LONGEST_LOCAL

MAC_BYTES = 10
NO_CASE = UUID(int=0)
# 16 bytes are 26 letters, 10 bytes are 16. Looked for anywhere: forwarders put things before and behind (SRS, BATV).
REPLY_TOKEN = re.compile(r"(?<![a-z2-7])c-([a-z2-7]{26})\.([a-z2-7]{16})(?![a-z2-7])", re.IGNORECASE)
MESSAGE_TOKEN = re.compile(
    r"(?<![a-z2-7])([a-z2-7]{26})\.([a-z2-7]{26})\.([a-z2-7]{16})(?![a-z2-7])", re.IGNORECASE
)
LONGEST_INPUT = 998


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """An outbound message of ours that a Message-ID or envelope id names. `case` is None for notices."""

    message: UUID
    case: UUID | None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Signs with the first of `secrets`, verifies with any. Pure; comparisons take constant time."""

    secrets: Sequence[bytes]

    def __post_init__(self) -> None:
        if not self.secrets or any(len(secret) < 16 for secret in self.secrets):
            raise ValueError("reply tokens need a secret of at least 16 bytes")

    def reply_address(self, address: str, case: UUID) -> str:
        """`support+c-<case>.<mac>@domain`; the plain address where the local part would be too long (RFC 5321: 64)."""
        local, _, domain = address.rpartition("@")
        tagged = f"{local}+c-{_letters(case.bytes)}.{_letters(self._mac('reply', case.bytes))}"
        return address if len(tagged.encode()) > LONGEST_LOCAL else f"{tagged}@{domain}"

    def case_of_address(self, address: str) -> UUID | None:
        """The case of a reply address of ours, whatever became of it on the way; None for all other addresses."""
        for encoded, mac in REPLY_TOKEN.findall(address[:LONGEST_INPUT]):
            content = _bytes(encoded)
            if content is not None and self._is_ours("reply", content, mac):
                return UUID(bytes=content)
        return None

    def envelope_id(self, message: UUID, case: UUID | None) -> str:
        """The name of an outbound message: left side of its Message-ID, and its ENVID (RFC 3461)."""
        content = message.bytes + (case or NO_CASE).bytes
        mac = _letters(self._mac("message", content))
        return f"{_letters(content[:16])}.{_letters(content[16:])}.{mac}"

    def message_id(self, message: UUID, case: UUID | None, domain: str) -> str:
        """Our Message-ID, without angle brackets; always the same for the same message."""
        return f"{self.envelope_id(message, case)}@{domain}"

    def own_message(self, identifier: str) -> OwnMessage | None:
        """The message that a Message-ID or envelope id of ours names; None for all that we did not sign."""
        for message, case, mac in MESSAGE_TOKEN.findall(identifier[:LONGEST_INPUT]):
            parts = (_bytes(message), _bytes(case))
            if parts[0] is None or parts[1] is None or not self._is_ours("message", parts[0] + parts[1], mac):
                continue
            found = UUID(bytes=parts[1])
            return OwnMessage(UUID(bytes=parts[0]), None if found == NO_CASE else found)
        return None

    def _mac(self, purpose: str, content: bytes, secret: bytes | None = None) -> bytes:
        signed = f"hubbub email {purpose}\x1f".encode() + content
        return hmac.digest(secret or self.secrets[0], signed, "sha256")[:MAC_BYTES]

    def _is_ours(self, purpose: str, content: bytes, mac: str) -> bool:
        given = _bytes(mac) or b""
        matches = [hmac.compare_digest(self._mac(purpose, content, secret), given) for secret in self.secrets]
        return any(matches)


def _letters(content: bytes) -> str:
    return base64.b32encode(content).decode("ascii").rstrip("=").lower()


def _bytes(letters: str) -> bytes | None:
    try:
        return base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        return None


def case_reference(case: UUID) -> str:
    """How the log names a case that a token names."""
    return f"case:{case}"


def mail_reference(message_id: str) -> str:
    """How the log names a mail: `mail:` and its Message-ID without angle brackets."""
    return f"mail:{message_id}"
