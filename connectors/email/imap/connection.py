"""One connection to an IMAP server: greeting, encryption, commands and their answers, listening (IDLE), goodbye (RFC 3501)."""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from connectors.email.imap.errors import ConnectionLost, Refused
from connectors.email.imap.responses import Response, number_of
from connectors.email.imap.settings import ImapSettings
from connectors.email.imap.wire import Silence, Wire

LOGOUT_SECONDS = 2.0

Take = Callable[[Response], Awaitable[None]]


@dataclass(slots=True)
class Opened:
    """The folder that is open. `uid_next` is 0 where the server does not say; `flags` may be stored for good."""

    name: str
    uid_validity: int = 0
    uid_next: int = 0
    messages: int = 0
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class Connection:
    """One command at a time. Any method may raise ConnectionLost, and Refused for a NO or BAD.

    After ConnectionLost, or when a method was cancelled, only `log_out` and `close` may be called.
    """

    settings: ImapSettings
    wire: Wire
    capabilities: frozenset[str] = frozenset()
    opened: Opened | None = None
    alerts: list[str] = field(default_factory=list)
    """What the server wants people to read ([ALERT], RFC 3501, 7.1)."""
    is_logged_in: bool = False
    _is_idling: bool = False
    _tags: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    async def connect(cls, settings: ImapSettings, tls: ssl.SSLContext | None) -> Self:
        """Connected and encrypted as the settings ask, not logged in."""
        client = cls(settings, await Wire.open(settings, tls))
        try:
            await client._greet(tls)
        except BaseException:
            await client.close()
            raise
        return client

    async def _greet(self, tls: ssl.SSLContext | None) -> None:
        greeting = await self.wire.response()
        self.note(greeting)
        if greeting.name not in ("OK", "PREAUTH"):
            raise ConnectionLost(
                f"the server does not greet as IMAP servers do: {greeting.text or greeting.name}"
            )
        if self.settings.security == "starttls":
            if (
                greeting.name == "PREAUTH"
            ):  # STARTTLS is not possible any more, and an attacker may have written it
                raise ConnectionLost("the server logs us in before there is encryption; set security to tls")
            await self._start_tls(tls)
        self.is_logged_in = greeting.name == "PREAUTH"
        if not self.capabilities:
            await self.ask_capabilities()

    async def _start_tls(self, tls: ssl.SSLContext | None) -> None:
        assert tls is not None
        if not self.capabilities:
            await self.ask_capabilities()
        if "STARTTLS" not in self.capabilities:
            raise ConnectionLost("the server offers no STARTTLS; set security to tls and the port to 993")
        await self.run(b"STARTTLS")
        await self.wire.start_tls(tls, self.settings.host)
        self.capabilities = frozenset()  # those told in clear prove nothing

    async def ask_capabilities(self) -> None:
        self.capabilities = frozenset()
        await self.run(b"CAPABILITY")

    async def run(self, command: bytes, take: Take | None = None, secret: bool = False) -> Response:
        """Sends a command and gives its untagged responses to `take`, until the answer, which is returned."""
        await self.begin(command)
        return await self.finish(command.partition(b" ")[0] if secret else command, take)

    async def begin(self, command: bytes) -> None:
        self.wire.tag = b"h%d" % next(self._tags)
        await self.wire.send(self.wire.tag + b" " + command)

    async def finish(self, command: bytes, take: Take | None = None) -> Response:
        while True:
            response = await self.wire.response()
            self.note(response)
            if response.tag == self.wire.tag:
                break
            if response.tag == b"+":
                raise ConnectionLost("the server waits for more where nothing more is to be said")
            if take is not None:
                await take(response)
        if response.name == "OK":
            return response
        said = response.text or "nothing in words"
        raise Refused(
            f"{command[:80].decode('ascii', 'replace')}: the server said {response.name}: {said}",
            response.code,
        )

    def note(self, response: Response) -> None:
        """What counts whatever was asked."""
        if response.name == "BYE":
            raise ConnectionLost(f"the server said goodbye: {response.text}")
        if response.code == "ALERT" and response.text not in self.alerts:
            self.alerts = [*self.alerts[-9:], response.text]
        if response.name == "CAPABILITY":
            self._set_capabilities(joined(response))
        elif response.code == "CAPABILITY":
            self._set_capabilities(response.argument)
        elif self.opened is not None:
            self._note_of_folder(response, self.opened)

    def _note_of_folder(self, response: Response, opened: Opened) -> None:
        match response:
            case Response(name="EXISTS"):
                opened.messages = response.number
            case Response(code="UIDVALIDITY"):
                opened.uid_validity = number_of(response.argument) or 0
            case Response(code="UIDNEXT"):
                opened.uid_next = number_of(response.argument) or 0
            case Response(code="PERMANENTFLAGS"):
                words = response.argument.strip(b"()").lower().decode("ascii", "replace").split()
                opened.flags = frozenset(words)
            case Response(code="CLOSED"):
                pass

    def _set_capabilities(self, words: bytes) -> None:
        self.capabilities = frozenset(words.decode("ascii", "replace").upper().split())

    async def idle(self, seconds: float) -> bool:
        """Whether the server told of new mail; False when the time is over. Raises ConnectionLost where nobody answers then."""
        await self.begin(b"IDLE")
        self._is_idling = True
        is_new = await self._until_new(asyncio.get_running_loop().time() + seconds)
        await self._end_idle()
        before = self.opened.messages if self.opened else 0
        await self.finish(b"IDLE")
        return is_new or (self.opened is not None and self.opened.messages > before)

    async def _end_idle(self) -> None:
        self._is_idling = False
        await self.wire.send(b"DONE")

    async def _until_new(self, deadline: float) -> bool:
        clock = asyncio.get_running_loop().time
        is_new = is_listening = False
        while not (is_new and is_listening):
            try:
                # Until it listens, an answer is due.
                left = max(0.0, deadline - clock()) if is_listening else None
                response = await self.wire.response(left)
            except Silence:
                return is_new
            self.note(response)
            if response.tag == self.wire.tag:
                self._is_idling = False
                raise Refused(f"IDLE: the server said {response.name}: {response.text}", response.code)
            is_listening = is_listening or response.tag == b"+"
            is_new = is_new or response.name in ("EXISTS", "RECENT")
        return True

    async def log_out(self) -> None:
        """Says goodbye, if the server still listens."""
        with contextlib.suppress(ConnectionLost, Refused, TimeoutError):
            async with asyncio.timeout(LOGOUT_SECONDS):
                if self._is_idling:  # listening was cut short
                    await self._end_idle()
                await self.run(b"LOGOUT")
        await self.close()

    async def close(self) -> None:
        await self.wire.close()


def joined(response: Response) -> bytes:
    return b"".join(each for each in response.rest if isinstance(each, bytes))
