"""The commands that reading a mailbox needs, and no more (RFC 3501 with IDLE, UIDPLUS, MOVE, SPECIAL-USE).

No command changes what people see in the mailbox, except those that are named for it. Bodies are given to a function one by
one as they come, and no further one is read before it returns.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date

from connectors.email.imap.connection import Connection, Opened, joined
from connectors.email.imap.copied import copied_before
from connectors.email.imap.errors import Refused
from connectors.email.imap.responses import MONTHS, Fetched, Folder, Response, fetched, listed
from connectors.email.imap.uids import HIGHEST, write_uids
from schemas.crash import crash_point

MOST_FOLDERS = 20_000
LARGE_LINE = 256 * 1024

TakeFetched = Callable[[Fetched], Awaitable[None]]


class ImapClient(Connection):
    """A connection with the commands. Any of them may raise ConnectionLost, and Refused for a NO or BAD."""

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
                line = joined(response)
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


def quoted(text: bytes) -> bytes:
    """As a quoted string; what is not printable ASCII has been encoded before."""
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _numbers(line: bytes) -> list[int]:
    return [int(each) for each in line.split() if each.isdigit() and len(each) <= 10]
