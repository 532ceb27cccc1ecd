"""A database with a log, and processes that commit, one operation at a time."""

import contextlib
import json
from collections.abc import Coroutine, Sequence

from schemas.documents import Case
from schemas.errors import Outage
from schemas.ids import derive
from schemas.steps import Step
from sinks.distributed.committing import Committer
from sinks.distributed.plan import make_plan
from sinks.kafka.codec import Message, to_message
from sinks.mongo.documents import load_documents
from sinks.mongo.layout import LOCK
from tests.contracts.samples import case, entry, name, noted
from tests.sinks.distributed.fakes import FakeDatabase, no_gate, one_by_one

SECOND = 1_000_000


class Clock:
    def __init__(self) -> None:
        self.micros = 1_000_000 * SECOND

    def now(self) -> int:
        self.micros += 1
        return self.micros

    async def pause(self, seconds: float) -> None:
        self.micros += int(seconds * SECOND)


class Log:
    """Down until told otherwise."""

    def __init__(self, is_up: bool = True) -> None:
        self.is_up = is_up
        self.messages: list[Message] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        if not self.is_up:
            raise Outage("the log is down")
        self.messages += messages


class Desk:
    """A database with a log, and processes that commit."""

    def __init__(self, database: FakeDatabase | None = None, log: Log | None = None) -> None:
        self.database = database or FakeDatabase(no_gate)
        self.log = log or Log()
        self.clock = Clock()
        self.committer = self.made()

    def made(self) -> Committer:
        return Committer(
            self.database,
            self.log.publish,
            self.clock.now,
            self.clock.pause,
            within=lambda _: contextlib.nullcontext(),
            at_once=one_by_one,
        )

    def said(self) -> list[str]:
        """What the log says of cases, in order."""
        return [json.loads(each.value)["text"] for each in self.log.messages]

    async def commit(self, step: Step, may_publish_later: bool = False) -> None:
        messages = [to_message(each, self.clock.now()) for each in step.events]
        await self.committer.commit(make_plan(step, messages, self.clock.now), may_publish_later)

    def other(self) -> "Desk":
        """Another process, on the same servers."""
        desk = Desk(self.database, self.log)
        desk.clock = self.clock
        desk.committer = desk.made()
        return desk

    async def tags(self, label: str) -> tuple[str, ...]:
        (found,) = (await load_documents(self.database, {Case: {name("case", label)}})).values()
        assert isinstance(found, Case)
        return found.tags

    def held(self) -> list[str]:
        return [
            id
            for collection in self.database.collections.values()
            for id, document in collection.documents.items()
            if LOCK in document
        ]


def told(label: str, tag: str, revision: int = 1) -> Step:
    """A change of a case, with its event and its entry."""
    id = name("case", label)
    return Step(
        documents=[(case(label, revision=revision, tags=(tag,)), revision - 1)],
        events=[noted(id, revision, tag)],
        entries=[entry(revision, label, id=derive(tag, label))],
    )


def run(process: Coroutine[None, None, object]) -> None:
    """To its end, alone."""
    while True:
        try:
            process.send(None)
        except StopIteration:
            return
