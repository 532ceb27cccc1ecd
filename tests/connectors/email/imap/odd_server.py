"""An IMAP server that is as odd as a test asks for: what real servers do seldom, or never while somebody looks."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LITERAL_FETCH = b"* %d FETCH (UID %d BODY[%b {%d}\r\n%b)\r\n"

Answer = Callable[[bytes], bytes | None]
"""Gets the arguments of a command; gives what is sent before `OK`, or None to close the connection."""


@dataclass
class OddServer:
    """`answers` take the place of what it would say; the key is a command such as `UID FETCH`, upper case."""

    mails: dict[int, bytes] = field(default_factory=dict)
    capabilities: str = "IMAP4rev1 IDLE SASL-IR AUTH=PLAIN"
    greeting: bytes = b"* OK ready\r\n"
    uid_validity: int = 7
    uid_next: int | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(self.greeting)
            while line := await reader.readline():
                self.heard.append(line.rstrip())
                if not await self._answer(line.rstrip(), reader, writer):
                    break
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        tag, _, rest = line.partition(b" ")
        word, _, arguments = rest.partition(b" ")
        name = word.decode().upper()
        if name == "UID":
            word, _, arguments = arguments.partition(b" ")
            name += " " + word.decode().upper()
        answer = self.answers.get(name, getattr(self, "_" + name.lower().replace(" ", "_"), None))
        if name == "IDLE" and name not in self.answers:
            writer.write(b"+ idling\r\n")
            await writer.drain()
            self.heard.append((await reader.readline()).rstrip())
        said = answer(arguments) if answer is not None else b""
        if said is None:
            return False
        writer.write(said.replace(b"TAG ", tag + b" "))
        if b"TAG " not in said:
            writer.write(tag + b" OK done\r\n")
        return True

    def _capability(self, _: bytes) -> bytes:
        return f"* CAPABILITY {self.capabilities}\r\n".encode()

    def _list(self, _: bytes) -> bytes:
        return b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\Noselect) "/" "a \\"b\\""\r\n'

    def _examine(self, _: bytes) -> bytes:
        following = self.uid_next or max(self.mails, default=0) + 1
        return (
            f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] valid\r\n"
            f"* OK [UIDNEXT {following}] next\r\n* OK [PERMANENTFLAGS (\\Seen)] some\r\n"
        ).encode()

    _select = _examine

    def _uid_search(self, arguments: bytes) -> bytes:
        """With the odd habit of RFC 3501: `n:*` holds the last mail whatever n is."""
        wanted = re.search(rb"UID ([\d:,*]+)", arguments)
        found = sorted(_among(wanted[1] if wanted else b"1:*", self.mails))
        return b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\n"

    def _uid_fetch(self, arguments: bytes) -> bytes:
        uids, _, items = arguments.partition(b" ")
        lines = []
        for number, uid in enumerate(sorted(_among(uids, self.mails)), 1):
            raw = self.mails[uid]
            if b"BODY" not in items:
                date = b'"02-Mar-2026 09:00:00 +0100"'
                lines.append(
                    b"* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE %b)\r\n" % (number, uid, len(raw), date)
                )
                continue
            part = re.search(rb"<0\.(\d+)>", items)
            content = raw[: int(part[1])] if part else raw
            lines.append(body(number, uid, content, b"]<0>" if part else b"]"))
        return b"".join(lines)

    def _logout(self, _: bytes) -> bytes:
        return b"* BYE bye\r\n"


def body(number: int, uid: int, content: bytes, end: bytes = b"]") -> bytes:
    return LITERAL_FETCH % (number, uid, end, len(content), content)


def _among(written: bytes, mails: dict[int, bytes]) -> set[int]:
    found: set[int] = set()
    highest = max(mails, default=0)
    for each in written.split(b","):
        first, _, last = each.partition(b":")
        low = int(first)
        high = highest if last == b"*" else int(last or first)
        found.update(uid for uid in mails if min(low, high) <= uid <= max(low, high))
    return found


@asynccontextmanager
async def odd_server(**odd: object) -> AsyncIterator[OddServer]:
    server = OddServer(**odd)  # type: ignore[arg-type]
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for writer in server.writers:
            writer.close()
        await listening.wait_closed()
