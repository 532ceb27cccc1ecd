"""An engine that keeps all in memory, for tests of what stands on the port: documents, log, blobs."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from schemas.cases import CaseState
from schemas.codec import encode
from schemas.documents import Case, Document, Entry, EntryKind
from schemas.errors import Conflict, Outage, Unknown
from schemas.events import Event
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.ports import (
    START,
    Batch,
    Found,
    Hit,
    Outcome,
    Page,
    Position,
    Query,
    QueueCount,
    Record,
    References,
    Step,
    Where,
)
from schemas.topics import Topic
from tests.support.clock import MONDAY_MORNING


@dataclass
class FixedClock:
    """The port's clock, standing still."""

    at: datetime = MONDAY_MORNING

    def now(self) -> datetime:
        return self.at

    def advance(self, **units: float) -> datetime:
        self.at += timedelta(**units)
        return self.at


TESTS = {
    "=": lambda held, value: held == value,
    "in": lambda held, value: held in value,
    "<": lambda held, value: held is not None and held < value,
    "<=": lambda held, value: held is not None and held <= value,
    ">": lambda held, value: held is not None and held > value,
    ">=": lambda held, value: held is not None and held >= value,
    "null": lambda held, _: held is None,
    "set": lambda held, _: held is not None,
}


@dataclass
class MemoryEngine:
    """`outage`, when set, is raised by whatever is asked next."""

    documents: dict[type[Document], dict[UUID, Document]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    entries: dict[UUID, Entry] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    consumers: dict[str, Position] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    outage: Outage | None = None
    _appended: asyncio.Condition = field(default_factory=asyncio.Condition)

    def _check(self) -> None:
        if self.outage is not None:
            raise self.outage

    def put(self, *documents: Document) -> None:
        for each in documents:
            self.documents.setdefault(type(each), {})[each.id] = each

    async def commit(self, step: Step) -> None:
        self._check()
        for document, expected in step.documents:
            held = self.documents.get(type(document), {}).get(document.id)
            if (held.revision if held is not None else 0) != expected:
                raise Conflict(f"{type(document).__name__} {document.id} is not at revision {expected}")
        self.put(*(document for document, _ in step.documents))
        for kind, id in step.deletions:
            self.documents.get(kind, {}).pop(id, None)
        self.entries.update({each.id: each for each in step.entries})
        self.blobs.update({each.ref.sha256: each.content for each in step.blobs})
        self.events.extend(step.events)
        async with self._appended:
            self._appended.notify_all()

    async def read(self, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
        before = self.consumers.get(consumer, START)
        records = await self.scan(topics, before, limit)
        return Batch(records, before, records[-1].position if records else await self.tail())

    async def load(self, references: References) -> Found:
        self._check()
        found = Found()
        for kind, ids in references.documents.items():
            held = self.documents.get(kind, {})
            found.documents.update({id: held[id] for id in ids if id in held})
        found.entries = {id: self.entries[id] for id in references.entries if id in self.entries}
        cases = [each for each in self.documents.get(Case, {}).values() if isinstance(each, Case)]
        found.numbers = {each.number: each.id for each in cases if each.number in references.numbers}
        return found

    def _record(self, index: int) -> Record:
        event = self.events[index]
        return Record(str(index + 1), event, event.id, event.type, event.key, event.topic, encode(event.data))

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> Sequence[Record]:
        self._check()
        numbered = range(int(after or 0), len(self.events))
        wanted = [
            index
            for index in numbered
            if self.events[index].topic in topics and key in (None, self.events[index].key)
        ]
        return [self._record(index) for index in wanted[:limit]]

    async def record(self, position: Position) -> Record | None:
        return self._record(int(position) - 1) if 0 < int(position) <= len(self.events) else None

    async def tail(self) -> Position:
        self._check()
        return str(len(self.events)) if self.events else START

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        async with self._appended:
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._appended.wait_for(lambda: len(self.events) > int(after or 0))
            except TimeoutError:
                return False
        return True

    async def positions(self) -> Mapping[str, Position]:
        return dict(self.consumers)

    async def lag(self, consumer: str, topics: Sequence[Topic]) -> int:
        self._check()
        return len(await self.scan(topics, self.consumers.get(consumer, START), 10**9))

    def _matching(self, query: Query) -> list[Document]:
        held = self.documents.get(query.collection.document, {}).values()
        columns = query.collection.columns

        def passes(document: Document, where: Where) -> bool:
            return bool(TESTS[where.test](columns[where.column].value(document), where.value))  # type: ignore[no-untyped-call]

        found = [each for each in held if all(passes(each, where) for where in query.where)]
        for name in reversed(query.order):
            column = columns[name.lstrip("-")]

            def rank(document: Document, column: object = column) -> tuple[bool, object]:
                value = column.value(document)  # type: ignore[attr-defined]
                return (value is None, value if value is not None else 0)

            found.sort(key=rank, reverse=name.startswith("-"))  # type: ignore[arg-type]
        return found

    async def find(self, query: Query) -> Page[Document]:
        self._check()
        return _page(self._matching(query), query.limit, query.after)

    async def count(self, query: Query) -> int:
        self._check()
        return len(self._matching(query))

    async def tally(self, queues: Sequence[str] | None, now: datetime) -> Sequence[QueueCount]:
        self._check()
        counts: dict[str, list[Case]] = {}
        for each in self.documents.get(Case, {}).values():
            assert isinstance(each, Case)
            if (queues is None or each.queue in queues) and each.state in (CaseState.OPEN, CaseState.WAITING):
                counts.setdefault(each.queue, []).append(each)
        return [
            QueueCount(
                queue,
                open=len(cases),
                unassigned=sum(each.assignee is None for each in cases),
                oldest_waiting=min(
                    (each.waiting_since for each in cases if each.waiting_since), default=None
                ),
            )
            for queue, cases in counts.items()
        ]

    async def timeline(
        self,
        cases: Sequence[UUID] = (),
        handles: Sequence[UUID] = (),
        queues: Sequence[str] | None = None,
        channel: str | None = None,
        kinds: Sequence[EntryKind] = (),
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Entry]:
        self._check()

        def queue_of(entry: Entry) -> str:
            case = self.documents.get(Case, {}).get(entry.case)
            return case.queue if isinstance(case, Case) else ""

        found = [
            each
            for each in self.entries.values()
            if (each.case in cases or each.handle in handles)
            and (queues is None or queue_of(each) in queues)
            and channel in (None, each.channel)
            and (not kinds or each.kind in kinds)
        ]
        found.sort(key=lambda each: (each.occurred_at, each.sequence), reverse=True)
        return _page(found, limit, after)

    async def search(
        self, words: str, queues: Sequence[str] | None = None, limit: int = 20, after: str | None = None
    ) -> Page[Hit]:
        self._check()
        cases = [each for each in self.documents.get(Case, {}).values() if isinstance(each, Case)]
        hits = [
            Hit(each.id, each.number, each.id, each.subject, each.updated_at)
            for each in cases
            if words.lower() in each.subject.lower() and (queues is None or each.queue in queues)
        ]
        return _page(hits, limit, after)

    async def outcomes(self, consumer: str, after: Position, limit: int) -> Sequence[Outcome]:
        return []

    async def blob(self, ref: BlobRef) -> bytes:
        self._check()
        if ref.sha256 not in self.blobs:
            raise Unknown("the bytes are not there")
        return self.blobs[ref.sha256]

    async def put_blob(self, content: bytes, media_type: str) -> BlobRef:
        self._check()
        name = sha256(content)
        self.blobs[name] = content
        return BlobRef(sha256=name, size=len(content), media_type=media_type)

    async def backup(self, folder: str) -> None:
        self._check()

    async def check(self) -> AsyncIterator[str]:
        for fault in self.faults:
            yield fault

    async def close(self) -> None: ...


def _page(found: list, limit: int, after: str | None) -> Page:  # type: ignore[type-arg]
    start = int(after or 0)
    rest = found[start : start + limit]
    return Page(rest, str(start + limit) if start + limit < len(found) else None)
