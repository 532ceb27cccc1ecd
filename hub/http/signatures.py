"""Signatures within addresses of the origin of files, where nobody signs in: who has the address gets what it names, for a while."""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from hub.http.context import AppContext
from hub.secrets import derived
from schemas.errors import Unknown

MAC_BYTES = 16


class Signatures:
    """`purpose` keeps those of one kind of address from being taken for another's."""

    def __init__(self, context: AppContext, purpose: str) -> None:
        self._clock = context.clock
        self._key = derived(context.secret, purpose)

    def sign(self, *named: object, lasts: timedelta) -> tuple[str, datetime]:
        """A signature of what the address names, and until when it is good."""
        expires_at = self._clock.now() + lasts
        moment = f"{int(expires_at.timestamp()):x}"
        return f"{moment}.{self._mac(moment, named)}", expires_at

    def check(self, signature: str, *named: object) -> None:
        """Raises Unknown unless we signed this, and not too long ago."""
        moment, _, mac = signature.partition(".")
        if not hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(moment, named).encode()):
            raise Unknown("there is no such file")
        if self._clock.now().timestamp() > int(moment, 16):
            raise Unknown("this address is over; open the case again")

    def _mac(self, moment: str, named: tuple[object, ...]) -> str:
        said = "\x1f".join([*map(str, named), moment]).encode("utf-8", "replace")
        return urlsafe_b64encode(hmac.digest(self._key, said, "sha256")[:MAC_BYTES]).decode().rstrip("=")
