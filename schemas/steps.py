"""What passes between the hub and an engine: records and positions of the log, what a decision asks for and changes, queries and pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from schemas.columns import Collection
from schemas.documents import Document, Entry
from schemas.events import Event
from schemas.interactions import BlobRef
from schemas.outbound import DeliveryState
from schemas.topics import Topic

Position = str
"""Where a reader stands on the log, opaque outside the engine. Empty: before the first event.

On a log of many partitions it says how far each was read, so two readers at the same event may stand at different positions.
"""

Place = str
"""Names one event on the log, the same whoever reads it; opaque outside the engine. `Engine.covers` compares with positions."""

START: Position = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One event as read from the log. `event` is None when the bytes fit no schema; `problem` then says why.

    `position` is where its reader stands after it, `place` names it.
    """

    position: Position
    event: Event | None
    id: UUID
    type: str
    key: str
    topic: Topic
    value: bytes
    problem: str = ""
    order: int = 0
    """Rises along the log, at least within a key of one topic."""
    place: Place = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a consumer has to do next, in order. `position` is where it stands after it."""

    records: Sequence[Record]
    before: Position
    position: Position


@dataclass(slots=True)
class References:
    """What a processor needs to know. Sets, so that asking twice costs nothing; one query a set for a whole batch."""

    handled: set[UUID] = field(default_factory=set)
    """Ids of entries or `ignored` records: was this applied before?"""
    threads: set[str] = field(default_factory=set)
    documents: dict[type[Document], set[UUID]] = field(default_factory=dict)
    entries: set[UUID] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    """Case numbers, in canonical spelling."""

    def want(self, document: type[Document], id: UUID) -> None:
        self.documents.setdefault(document, set()).add(id)

    def absorb(self, other: "References") -> None:
        self.handled |= other.handled
        self.threads |= other.threads
        self.entries |= other.entries
        self.numbers |= other.numbers
        for kind, ids in other.documents.items():
            self.documents.setdefault(kind, set()).update(ids)

    def __bool__(self) -> bool:
        return bool(
            self.handled or self.threads or self.entries or self.numbers or any(self.documents.values())
        )


@dataclass(slots=True)
class Found:
    """What is known. What was asked for and is not in here does not exist."""

    handled: set[UUID] = field(default_factory=set)
    threads: dict[str, UUID] = field(default_factory=dict)
    documents: dict[UUID, Document] = field(default_factory=dict)
    entries: dict[UUID, Entry] = field(default_factory=dict)
    numbers: dict[str, UUID] = field(default_factory=dict)
    asked: References = field(default_factory=References)
    """All that was asked for so far, by `absorb`."""

    def absorb(self, references: References, more: "Found") -> None:
        """Add what was found for these references."""
        self.handled |= more.handled
        self.threads.update(more.threads)
        self.documents.update(more.documents)
        self.entries.update(more.entries)
        self.numbers.update(more.numbers)
        self.asked.absorb(references)


class OutcomeKind(StrEnum):
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead-lettered"
    PARKED = "parked"
    RELEASED = "released"  # parked before, applied or dead-lettered since


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event in a consumer, where it was not simply applied. `position` is the event's place."""

    consumer: str
    position: Place
    event: UUID
    kind: OutcomeKind
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to keep. `ref` names them."""

    ref: BlobRef
    content: bytes


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A later state of an entry; ignored unless `sequence` is above that of the last change."""

    entry: UUID
    sequence: int
    delivery: DeliveryState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SearchText:
    """What a case or a person is found by. `rank` groups: 0 number and handle, 1 name and subject, 2 text."""

    entry: UUID
    case: UUID
    number: str
    names: str
    subject: str
    text: str
    occurred_at: datetime


@dataclass(slots=True)
class Step:
    """Everything that one decision changes. An engine applies all of it or nothing.

    `documents` are written at the revision that they carry, plus one (a Case: at the sequence that it carries, decided on
    `expected`); `claims` are inserted if absent and conflict when taken by another case.
    """

    consumer: str | None = None
    before: Position = START
    position: Position | None = None
    events: list[Event] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    claims: dict[str, UUID] = field(default_factory=dict)
    documents: list[tuple[Document, int]] = field(default_factory=list)
    """Each with the revision that it was decided on; 0: it must not exist yet."""
    remade: list[Document] = field(default_factory=list)
    """States made anew from the log: stored at the very revision that they carry, and a conflict where that is not the stored one."""
    deletions: list[tuple[type[Document], UUID]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    changes: list[EntryChange] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    search: list[SearchText] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Where:
    """A test on a declared column. `test`: =, in, <, <=, >, >=, null, set."""

    column: str
    test: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Query:
    """Documents by declared columns. `order` names columns, `-` before one turns it round; ties go by insertion."""

    collection: Collection
    where: tuple[Where, ...] = ()
    order: tuple[str, ...] = ()
    limit: int = 50
    after: str | None = None
    """The `next` of the page before."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` is an opaque cursor, None on the last page."""

    items: Sequence[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class QueueCount:
    """Cases of one queue: all that are open (and snoozed apart), those nobody has, those late, and the oldest wait."""

    queue: str
    open: int = 0
    unassigned: int = 0
    overdue: int = 0
    snoozed: int = 0
    oldest_waiting: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A case found by words, with the place that matched."""

    case: UUID
    number: str
    entry: UUID
    excerpt: str
    occurred_at: datetime
