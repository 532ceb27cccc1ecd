"""The commands that reading a mailbox needs, and no more (RFC 3501 with IDLE, UIDPLUS, MOVE, SPECIAL-USE).

No command changes what people see in the mailbox, except those that are named for it. Bodies are given to a function one by
one as they come, and no further one is read before it returns.
"""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from connectors.email.imap.copied import copied_before
from connectors.email.imap.errors import ConnectionLost, Refused
from connectors.email.imap.responses import (
    MONTHS,
    Fetched,
    Folder,
    Response,
    fetched,
    listed,
    number_of,
)
from connectors.email.imap.settings import ImapSettings
from connectors.email.imap.uids import HIGHEST, write_uids
from connectors.email.imap.wire import Silence, Wire
from schemas.crash import crash_point

MOST_FOLDERS = 20_000
LARGE_LINE = 256 * 1024
LOGOUT_SECONDS = 2.0

Take = Callable[[Response], Awaitable[None]]
TakeFetched = Callable[[Fetched], Awaitable[None]]


@dataclass(slots=True)
class Opened:
    """The folder that is open. `uid_next` is 0 where the server does not say; `flags` may be stored for good."""

    name: str
    uid_validity: int = 0
    uid_next: int = 0
    messages: int = 0
    flags: frozenset[str] = frozenset()


@dataclass(slots=True)
class ImapClient:
    """One connection, one command at a time. Any method may raise ConnectionLost, and Refused for a NO or BAD.

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
    async def connect(cls, settings: ImapSettings, tls: ssl.SSLContext | None) -> "ImapClient":
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
            self._set_capabilities(_joined(response))
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

    async def folders(self) -> list[Folder]:
        """All folders, with the server's word on what each is for where it says so (RFC 6154)."""
        found: list[Folder] = []

        async def take(response: Response) -> None:
            if (
                response.name == "LIST"
                and len(found) < MOST_FOLDERS
                and (folder := listed(response)) is not None
            ):
                found.append(folder)

        asks_use = {"LIST-EXTENDED", "SPECIAL-USE"} <= self.capabilities
        await self.run(b'LIST "" "*"' + (b" RETURN (SPECIAL-USE)" if asks_use else b""), take)
        return found

    async def open(self, folder: Folder, read_only: bool) -> Opened:
        """SELECT, or EXAMINE, which changes nothing, not even \\Recent."""
        self.opened = opened = Opened(folder.name)
        try:
            await self.run((b"EXAMINE " if read_only else b"SELECT ") + quoted(folder.encoded))
        except Refused:
            self.opened = None
            raise
        if not opened.uid_validity:
            self.opened = None
            raise Refused(
                f"folder {folder.name}: the server gives its mails no lasting numbers (UIDVALIDITY)"
            )
        return opened

    async def synchronise(self) -> None:
        """Lets the server tell what others did; without it a search may be out of date."""
        await self.run(b"NOOP")

    async def search(self, first: int, last: int = HIGHEST, since: date | None = None) -> list[int]:
        """UIDs from `first` to `last`, in rising order; `since` is a day of the server's, before which none counts."""
        if first > min(last, HIGHEST):
            return []
        # `n:*` names the last mail even where its UID is below n.
        bound = b"*" if last >= HIGHEST else b"%d" % last
        day = b"" if since is None else f" SINCE {since.day}-{MONTHS[since.month - 1]}-{since.year}".encode()
        found = await self._search(b"UID SEARCH UID %d:" % first + bound + day)
        return sorted({uid for uid in found if first <= uid <= last})

    async def search_among(self, uids: Iterable[int], criterion: bytes = b"") -> list[int]:
        """Those of these UIDs that are there, and meet the criterion."""
        wanted = set(uids)
        if not wanted:
            return []
        command = b"UID SEARCH UID " + write_uids(wanted).encode() + (b" " + criterion if criterion else b"")
        return sorted(wanted & set(await self._search(command)))

    async def _search(self, command: bytes) -> list[int]:
        found: list[int] = []

        async def take(response: Response) -> None:
            if response.name == "SEARCH":
                line = _joined(response)
                found.extend(
                    await asyncio.to_thread(_numbers, line) if len(line) > LARGE_LINE else _numbers(line)
                )

        await self.run(command, take)
        return found

    async def fetch(self, uids: Sequence[int], items: bytes, take: TakeFetched) -> None:
        """Gives what is told of each mail to `take`, as it comes. Nothing is told of a UID that is gone."""
        wanted = set(uids)

        async def take_response(response: Response) -> None:
            if response.name == "FETCH" and (one := fetched(response)) is not None and one.uid in wanted:
                await take(one)

        await self.run(b"UID FETCH " + write_uids(wanted).encode() + b" (" + items + b")", take_response)

    async def store(self, uids: Iterable[int], flag: str) -> None:
        await self.run(b"UID STORE " + write_uids(uids).encode() + b" +FLAGS.SILENT (" + flag.encode() + b")")

    async def search_by_size(self, size: int) -> list[int]:
        """Those of exactly so many bytes, in rising order."""
        return sorted(set(await self._search(b"UID SEARCH LARGER %d SMALLER %d" % (size - 1, size + 1))))

    async def move(
        self, uids: Iterable[int], source: Folder, target: Folder, doubtful: Iterable[int] = ()
    ) -> None:
        """MOVE (RFC 6851), else copy, mark as deleted and remove just these (UIDPLUS); those that are gone are passed over.

        `source` is open. `doubtful`: those for which it was tried before: what was copied then is not copied again.
        Without UIDPLUS they stay, marked as deleted: EXPUNGE alone would remove what others have marked.
        """
        if "MOVE" in self.capabilities:
            await self._to_folder(b"UID MOVE " + write_uids(uids).encode(), target)
            return
        # Those marked already were copied by a try that was cut off.
        left = await self.search_among(uids, b"UNDELETED")
        if tried := sorted(set(left) & set(doubtful)):
            copied = await copied_before(self, source, target, tried)
            await self._delete(sorted(copied))
            left = [uid for uid in left if uid not in copied]
        if left:
            await self._to_folder(b"UID COPY " + write_uids(left).encode(), target)
            crash_point("imap.after-copy")
            await self._delete(left)
        if "UIDPLUS" in self.capabilities:
            await self.run(b"UID EXPUNGE " + write_uids(uids).encode())

    async def _delete(self, uids: Sequence[int]) -> None:
        if uids:
            await self.store(uids, "\\Deleted")

    async def _to_folder(self, command: bytes, target: Folder) -> None:
        name = quoted(target.encoded)
        try:
            await self.run(command + b" " + name)
        except Refused as refusal:
            if refusal.code != "TRYCREATE":
                raise
            await self.run(b"CREATE " + name)
            await self.run(command + b" " + name)

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


def quoted(text: bytes) -> bytes:
    """As a quoted string; what is not printable ASCII has been encoded before."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _joined(response: Response) -> bytes:
    return b"".join(each for each in response.rest if isinstance(each, bytes))


def _numbers(line: bytes) -> list[int]:
    return [int(each) for each in line.split() if each.isdigit() and len(each) <= 10]
