"""One folder of a mailbox: opened, listed, what is new taken, the cursor saved, then what the settings ask done to the mails."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.email.imap.actions import settle
from connectors.email.imap.client import ImapClient
from connectors.email.imap.connection import Opened
from connectors.email.imap.cursor import (
    FolderCursor,
    Progress,
    first_cursor,
    read_again,
    renumbered,
    search_day,
    taken_over,
)
from connectors.email.imap.errors import ImapError, Refused, Stopped
from connectors.email.imap.responses import Folder
from connectors.email.imap.settings import ImapSettings
from connectors.email.imap.taking import Taking
from connectors.email.mapping import CHANNEL
from connectors.email.receiver import MailReceiver
from connectors.kit.cursors import Cursors
from connectors.kit.items import Taken
from schemas.crash import crash_point
from schemas.documents import Cursor
from schemas.ports import Clock

log = structlog.get_logger("connectors.email")

SAVE_SECONDS = 1.0
VISIT_KEPT = timedelta(hours=1)
"""A cursor that did not move is written so often, to say that the folder was looked at."""
ALERT_FOR = timedelta(hours=1)


class FolderReader:
    """Reads one folder, over any number of connections. `trouble` says what an operator should know; empty: nothing."""

    def __init__(
        self,
        settings: ImapSettings,
        folder: Folder,
        receiver: MailReceiver,
        cursors: Cursors,
        clock: Clock,
        is_stopping: Callable[[], bool],
        token: int = 0,
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._receiver = receiver
        self._cursors = cursors
        self._clock = clock
        self._is_stopping = is_stopping
        self._token = token
        self._document: Cursor | None = None
        self._saved_at = 0.0
        self._action_trouble = ""
        self._alert = ""
        self._alert_until: datetime | None = None
        self.taken = 0
        self.left = 0
        """Of the pass that runs now."""
        self.again_since: datetime | None = None
        """The next visit fetches everything since then once more."""

    @property
    def trouble(self) -> str:
        alert = self._alert if self._alert_until and self._clock.now() < self._alert_until else ""
        return "; ".join(filter(None, (alert, self._action_trouble)))

    def begin(self) -> None:
        """A new connection: nothing that was remembered of the last one counts."""
        self._document = None
        self.left = 0

    async def visit(self, client: ImapClient) -> int:
        """Takes all that is new; returns how many mails. Raises ImapError, Outage, and Conflict where another hub reads it too."""
        began, before = self._clock.now(), self.taken
        opened = await self._open(client)
        progress = Progress.of(await self._cursor(client, opened))
        await self._settle(client, progress)
        uids = progress.list(*await self._list(client, progress.cursor))
        self.left = len(uids)
        if uids:
            await self._take(client, progress, uids)
        await self._save_if_moved(progress.now(visited_at=began))
        await self._settle(client, progress)
        return self.taken - before

    async def _open(self, client: ImapClient) -> Opened:
        opened = client.opened
        if opened is not None and opened.name == self.folder.name and self._document is not None:
            await client.synchronise()
            if client.opened is opened and opened.uid_validity == self._known().uid_validity:
                return opened
        return await client.open(self.folder, read_only=self._settings.post_action == "none")

    async def _cursor(self, client: ImapClient, opened: Opened) -> FolderCursor:
        if self._document is None:
            self._document = await self._cursors.load(
                CHANNEL, self._settings.name, self.folder.name, self._token
            )
        if not self._document.value:
            await _know_next(client, opened)
            first = first_cursor(opened, self._settings, self._clock.now())
            return await self._save(first.model_copy(update={"reader": self._token}))
        cursor = self._known()
        if self.again_since is not None and cursor.uid_validity == opened.uid_validity:
            await _know_next(client, opened)
            again = read_again(cursor, opened, self.again_since).model_copy(update={"reader": self._token})
            self.again_since = None
            return await self._save(again)
        if cursor.uid_validity == opened.uid_validity and cursor.reader == self._token:
            return cursor
        await _know_next(client, opened)
        if cursor.uid_validity == opened.uid_validity:
            return await self._save(taken_over(cursor, opened, self._token))
        cursor = cursor.model_copy(update={"reader": self._token})
        self._warn_of_renumbering(cursor, opened)
        return await self._save(renumbered(cursor, opened))

    def _known(self) -> FolderCursor:
        assert self._document is not None
        return FolderCursor.model_validate_json(self._document.value)

    def _warn_of_renumbering(self, cursor: FolderCursor, opened: Opened) -> None:
        now = self._clock.now()
        self._alert_until = now + ALERT_FOR
        self._alert = (
            f"folder {self.folder.name} got new numbers for all its mails (UIDVALIDITY {cursor.uid_validity}, now "
            f"{opened.uid_validity}) at {now:%Y-%m-%d %H:%M} UTC: it was restored or made anew. What came lately is "
            "looked through again; nothing is taken twice"
        )
        log.warning("folder was renumbered", mailbox=self._settings.name, folder=self.folder.name)

    async def _list(self, client: ImapClient, cursor: FolderCursor) -> tuple[list[int], list[int]]:
        """UIDs from a little below the cursor on, and those of earlier failures that are still there."""
        first, uids = cursor.late_from, list[int]()
        if cursor.not_before is not None and first < cursor.below:
            uids = await client.search(first, cursor.below - 1, since=search_day(cursor.not_before))
            first = cursor.below
        uids += await client.search(first)
        return uids, await client.search_among(cursor.failed)

    async def _take(self, client: ImapClient, progress: Progress, uids: Sequence[int]) -> None:
        async def checkpoint() -> None:
            if asyncio.get_running_loop().time() - self._saved_at >= SAVE_SECONDS:
                await self._save_if_moved(progress.now())
            if self._is_stopping():
                raise Stopped

        async def batch_done() -> None:
            await self._save_if_moved(progress.now())
            await self._settle(client, progress)

        taking = Taking(
            client=client,
            settings=self._settings,
            folder=self.folder,
            receiver=self._receiver,
            clock=self._clock,
            progress=progress,
            checkpoint=checkpoint,
            batch_done=batch_done,
            on_taken=self._taken,
        )
        try:
            await taking.run(uids)
        except ImapError:
            await self._save_if_moved(progress.now())  # all that had come is on the log
            raise
        finally:
            self.left = 0

    def _taken(self, taken: Taken | None) -> None:
        self.taken += taken is not None
        self.left = max(0, self.left - 1)

    async def _settle(self, client: ImapClient, progress: Progress) -> None:
        """Only for mails whose cursor is saved: what was moved away is not found again by who must fetch it again."""
        uids = progress.unsettled
        if not uids or self._settings.post_action == "none":
            return
        try:
            await settle(client, self._settings, self.folder, uids, progress.doubtful(uids))
        except Refused as refusal:
            self._action_trouble = f"post_action in folder {self.folder.name}: {refusal}"
            return
        self._action_trouble = ""
        crash_point("imap.after-action")
        progress.settled(uids)
        await self._save_if_moved(progress.now())

    async def _save_if_moved(self, cursor: FolderCursor) -> None:
        known = self._known()
        is_same = known.model_copy(update={"visited_at": cursor.visited_at}) == cursor
        if (
            is_same
            and known.visited_at
            and cursor.visited_at
            and cursor.visited_at - known.visited_at < VISIT_KEPT
        ):
            return
        await self._save(cursor)

    async def _save(self, cursor: FolderCursor) -> FolderCursor:
        assert self._document is not None
        crash_point("imap.before-cursor")
        self._document = await self._cursors.save(self._document, cursor.model_dump_json())
        self._saved_at = asyncio.get_running_loop().time()
        crash_point("imap.after-cursor")
        return cursor


async def _know_next(client: ImapClient, opened: Opened) -> None:
    """The number of the next mail, found by searching where the server did not say."""
    if not opened.uid_next:
        opened.uid_next = max(await client.search(1), default=0) + 1
