"""Mail from files, on the same path as mail by SMTP. Safe to repeat and to interrupt: the same mail is the same item."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.email.envelope import Envelope
from connectors.email.pipeline import Pipeline
from connectors.email.receiver import MailReceiver
from connectors.email.sources import SourceMail, mails_in
from connectors.kit.items import Fate, Taken
from schemas.ports import Clock

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

    def taken_in(mail: SourceMail, taken: Taken | None) -> None:
        if taken is not None:
            counts.add(mail.source, taken)
        if on_taken is not None:
            on_taken(mail, taken, counts)

    try:
        async with asyncio.TaskGroup() as group:
            pipeline = Pipeline(receiver, group, taken_in)
            async for mail, at in read_mails(paths, clock):
                if mail.content is None:
                    counts.add_unread(mail)
                    if on_taken is not None:
                        on_taken(mail, None, counts)
                    continue
                envelope = Envelope(source=mail.source, account=account)
                reading = receiver.understand(mail.content, envelope, at)
                await pipeline.put(SourceMail(mail.source, b""), len(mail.content), reading)
            await pipeline.drain()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return counts
