"""Fetches the mails of one pass over a folder and brings them to the log: sizes first, bodies as a stream, many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from connectors.email.envelope import Envelope
from connectors.email.imap.actions import chunks
from connectors.email.imap.client import ImapClient
from connectors.email.imap.cursor import Progress
from connectors.email.imap.errors import ConnectionLost, ImapError, Refused
from connectors.email.imap.responses import Fetched, Folder, Literal
from connectors.email.imap.settings import ImapSettings
from connectors.email.pipeline import Pipeline
from connectors.email.receiver import MailReceiver
from connectors.kit.intake import Accepted
from connectors.kit.items import Taken
from schemas.ports import Clock

BATCH = 250
SIZES = b"UID RFC822.SIZE INTERNALDATE"
BODY = b"UID BODY.PEEK[]"
BEGINNING_BYTES = 1024 * 1024
ALONE_FROM = 2
"""A mail on which the connection was lost so often is fetched by itself, after all others."""
MOST_TRIES = 6


@dataclass(slots=True)
class Taking:
    """One pass. `checkpoint` is called often, between two mails, and may raise Stopped; `batch_done` after each batch."""

    client: ImapClient
    settings: ImapSettings
    folder: Folder
    receiver: MailReceiver
    clock: Clock
    progress: Progress
    checkpoint: Callable[[], Awaitable[None]]
    batch_done: Callable[[], Awaitable[None]]
    on_taken: Callable[[Taken | None], None]
    _told: dict[int, Fetched] = field(default_factory=dict)
    _alone: list[int] = field(default_factory=list)

    async def run(self, uids: Sequence[int]) -> None:
        """Durable, each of them, or noted as failed. Raises ImapError, after all that had come is durable; Outage at once."""
        interruption: ImapError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                pipeline = Pipeline(self.receiver, group, self._taken)
                try:
                    await self._take(pipeline, uids)
                except ImapError as error:
                    interruption = error
                await pipeline.drain()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        if interruption is not None:
            raise interruption

    async def _take(self, pipeline: Pipeline[int], uids: Sequence[int]) -> None:
        for some in chunks(uids, BATCH):
            await self._batch(pipeline, some)
            if self.settings.post_action != "none":
                await pipeline.drain()
                await self.batch_done()
        alone, self._alone = self._alone, []
        for uid in alone:
            await self._one(pipeline, uid)

    async def _batch(self, pipeline: Pipeline[int], uids: Sequence[int]) -> None:
        kept = set(self._alone)
        self._told = {uid: one for uid, one in self._told.items() if uid in kept}

        async def told(one: Fetched) -> None:
            self._told[one.uid] = one

        await self.client.fetch(uids, SIZES, told)
        wanted: list[int] = []
        for uid in uids:
            one = self._told.get(uid)
            if one is not None and not self.progress.cursor.is_ours(uid, one.arrived_at):
                self.progress.done(uid, settle=False)
            elif self._is_better_alone(uid, one):
                self._alone.append(uid)
            else:
                wanted.append(uid)
        missing = await self._bodies(pipeline, wanted)
        self._alone += await self._still_there(missing)

    def _is_better_alone(self, uid: int, one: Fetched | None) -> bool:
        size = one.size if one is not None and one.size is not None else 0
        return size > self.settings.max_message_bytes or self.progress.failed.get(uid, 0) >= ALONE_FROM

    async def _bodies(self, pipeline: Pipeline[int], uids: Sequence[int]) -> Sequence[int]:
        """Fetches and returns those that did not come. A mail on which the connection is lost is noted as failed."""
        left = dict.fromkeys(uids)

        async def take(one: Fetched) -> None:
            if one.body is None or one.uid not in left:
                return
            del left[one.uid]
            await self._put(pipeline, one.uid, one.body)
            await self.checkpoint()

        if not uids:
            return []
        try:
            await self.client.fetch(uids, BODY, take)
        except Refused:
            pass  # some servers refuse all for the sake of one; those that are left are tried by themselves
        except ConnectionLost as lost:
            if left:
                await self._failed(pipeline, next(iter(left)), str(lost))
            raise
        return list(left)

    async def _still_there(self, uids: Sequence[int]) -> Sequence[int]:
        """Those that somebody else removed meanwhile are done; the others are tried again."""
        if not uids:
            return []
        await self.client.synchronise()
        there = await self.client.search_among(uids)
        for uid in set(uids) - set(there):
            self.progress.done(uid, settle=False)
        return there

    async def _one(self, pipeline: Pipeline[int], uid: int) -> None:
        size = self._told[uid].size if uid in self._told else None
        if size is not None and size > self.settings.max_message_bytes:
            await self._beginning(pipeline, uid, size)
            return
        missing = await self._bodies(pipeline, [uid])
        for each in await self._still_there(missing):
            await self._failed(pipeline, each, "the server does not hand it out")

    async def _beginning(self, pipeline: Pipeline[int], uid: int, size: int) -> None:
        """Of a mail that is too large, enough to see what it is."""
        got: list[Literal] = []

        async def take(one: Fetched) -> None:
            if one.body is not None:
                got.append(Literal(one.body.content, size))

        most = min(BEGINNING_BYTES, self.settings.max_message_bytes)
        await self.client.fetch([uid], b"UID BODY.PEEK[]<0.%d>" % most, take)
        if got:
            await self._put(pipeline, uid, got[0])
        else:
            for each in await self._still_there([uid]):
                await self._failed(pipeline, each, "the server does not hand it out")

    async def _failed(self, pipeline: Pipeline[int], uid: int, reason: str) -> None:
        """Tried with each pass; in the end it is quarantined by its name alone, as it still lies in the mailbox."""
        tries = self.progress.failed_once_more(uid)
        if tries < MOST_TRIES:
            return
        envelope = self._envelope(uid)
        raw = f"{envelope.source} could not be fetched; it lies in the mailbox.\r\n".encode()
        reason = f"not fetched in {tries} tries: {reason}"
        await pipeline.put(uid, len(raw), self._refused(raw, envelope, "fetch", reason))

    async def _put(self, pipeline: Pipeline[int], uid: int, body: Literal) -> None:
        await pipeline.put(uid, len(body.content), self._understood(uid, body, self._envelope(uid)))

    async def _understood(self, uid: int, body: Literal, envelope: Envelope) -> Accepted | None:
        if body.is_cut:
            most = self.settings.max_message_bytes
            reason = f"larger than {most} bytes ({body.size}); the beginning is kept, the whole lies in the mailbox"
            return await self._refused(body.content, envelope, "limits", reason)
        accepted = await self.receiver.understand(body.content, envelope, self.clock.now())
        if self.progress.cursor.is_doubtful(uid) and await self.receiver.knows(accepted):
            return None
        return accepted

    async def _refused(self, raw: bytes, envelope: Envelope, stage: str, reason: str) -> Accepted:
        return self.receiver.refused(raw, envelope, self.clock.now(), stage, reason)

    def _envelope(self, uid: int) -> Envelope:
        told = self._told.get(uid)
        validity = self.progress.cursor.uid_validity
        return Envelope(
            source=f"imap:{self.settings.name}/{self.folder.name};UIDVALIDITY={validity}/;UID={uid}",
            account=self.settings.account,
            mailbox=self.settings.name,
            arrived_at=told.arrived_at if told is not None else None,
            is_junk=self.folder.is_junk,
        )

    def _taken(self, uid: int, taken: Taken | None) -> None:
        self.progress.done(uid, settle=self.settings.post_action != "none")
        self.on_taken(taken)
