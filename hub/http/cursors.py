"""Places in lists and on the log, as clients hold them: opaque, versioned, and ours or refused.

The engine's own cursors are never handed out bare, so that no engine has to stand what clients make up.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from schemas.errors import Invalid

VERSION = "1"
MAC_BYTES = 9
LONGEST = 1000


class Cursors:
    """`purpose` keeps the cursor of one list from being used in another."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"hubbub cursors", "sha256")

    def seal(self, purpose: str, place: str) -> str:
        content = place.encode()
        return f"{VERSION}.{_text(self._mac(purpose, content) + content)}"

    def open(self, purpose: str, cursor: str) -> str:
        """The place. Raises Invalid for what is not a cursor of ours for this purpose."""
        version, _, text = cursor.partition(".")
        try:
            if version != VERSION or len(cursor) > LONGEST:
                raise ValueError(version)
            held = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            mac, content = held[:MAC_BYTES], held[MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(purpose, content)):
                raise ValueError(text)
            return content.decode()
        except ValueError:
            raise Invalid(
                "the cursor is not one that this hub gave out for this list",
                {"after": "start again without it"},
            ) from None

    def _mac(self, purpose: str, content: bytes) -> bytes:
        return hmac.digest(self._key, purpose.encode() + b"\x1f" + content, "sha256")[:MAC_BYTES]


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
