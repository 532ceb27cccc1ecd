"""Mail from files, on the same path as mail by SMTP. Safe to repeat and to interrupt: the same mail is the same item."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.email.envelope import Envelope
from connectors.email.receiver import Fate, MailReceiver, Taken
from connectors.email.sources import SourceMail, mails_in
from connectors.kit.intake import Accepted
from schemas.ports import Clock

READ_AHEAD = 16
READ_AHEAD_BYTES = 32 * 1024 * 1024
KEPT_AT_ONCE = 32
"""Mails being written at once; the engine writes them with one fsync."""
LARGE_BYTES = 1024 * 1024
MOST_PROBLEMS = 100


@dataclass(slots=True)
class Counts:
    """What became of the mails so far. `problems` names the first hundred that could not be read."""

    accepted: int = 0
    ignored: int = 0
    quarantined: int = 0
    unread: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.accepted + self.ignored + self.quarantined + self.unread

    def add(self, source: str, taken: Taken) -> None:
        match taken.fate:
            case Fate.ACCEPTED:
                self.accepted += 1
            case Fate.IGNORED:
                self.ignored += 1
            case Fate.QUARANTINED:
                self.quarantined += 1
                self.note(f"{source}: quarantined: {taken.reason}")

    def add_unread(self, mail: SourceMail) -> None:
        self.unread += 1
        self.note(f"{mail.source}: {mail.problem}")

    def note(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


async def read_mails(paths: Sequence[Path], clock: Clock) -> AsyncIterator[tuple[SourceMail, datetime]]:
    """Every mail under the paths with the time that it was read at; files are read in a thread."""
    mails: Iterator[SourceMail] = mails_in(paths)
    while (mail := await asyncio.to_thread(next, mails, None)) is not None:
        yield mail, clock.now()


OnTaken = Callable[[SourceMail, Taken | None, Counts], None]


async def ingest(
    paths: Sequence[Path],
    receiver: MailReceiver,
    clock: Clock,
    account: str | None = None,
    on_taken: OnTaken | None = None,
) -> Counts:
    """Takes every mail in, in the order of the files; `account` is for those that name none of our addresses.

    `on_taken` is called after each, when it is durable (None: it could not be read). Raises Outage as soon as one mail
    cannot be kept; all that was counted before is.
    """
    counts = Counts()
    try:
        async with asyncio.TaskGroup() as group:
            pipeline = _Pipeline(receiver, group, counts, on_taken)
            async for mail, at in read_mails(paths, clock):
                if mail.content is None:
                    counts.add_unread(mail)
                    if on_taken is not None:
                        on_taken(mail, None, counts)
                    continue
                await pipeline.put(mail, mail.content, Envelope(source=mail.source, account=account), at)
            await pipeline.drain()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return counts


class _Pipeline:
    """Reads a few mails ahead at the same time, and begins to write them strictly in order."""

    def __init__(
        self, receiver: MailReceiver, group: asyncio.TaskGroup, counts: Counts, on_taken: OnTaken | None
    ) -> None:
        self._receiver = receiver
        self._group = group
        self._counts = counts
        self._on_taken = on_taken
        self._ahead: deque[tuple[SourceMail, int, asyncio.Task[Accepted]]] = deque()
        self._bytes = 0
        self._slots = asyncio.Semaphore(KEPT_AT_ONCE)

    async def put(self, mail: SourceMail, content: bytes, envelope: Envelope, at: datetime) -> None:
        task = self._group.create_task(self._receiver.understand(content, envelope, at))
        self._ahead.append((SourceMail(mail.source, b""), len(content), task))
        self._bytes += len(content)
        while len(self._ahead) >= READ_AHEAD or (self._ahead and self._bytes > READ_AHEAD_BYTES):
            await self._keep_next()

    async def drain(self) -> None:
        while self._ahead:
            await self._keep_next()

    async def _keep_next(self) -> None:
        mail, size, reading = self._ahead.popleft()
        accepted = await reading
        self._bytes -= size
        await self._slots.acquire()
        keeping = self._group.create_task(self._keep(mail, accepted))
        if size > LARGE_BYTES:
            await keeping

    async def _keep(self, mail: SourceMail, accepted: Accepted) -> None:
        try:
            taken = await self._receiver.keep(accepted)
        finally:
            self._slots.release()
        self._counts.add(mail.source, taken)
        if self._on_taken is not None:
            self._on_taken(mail, taken, self._counts)
