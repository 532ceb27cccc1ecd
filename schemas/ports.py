"""The ports: what the hub needs from an engine, a connector and a clock. Every implementation passes tests/contracts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from schemas.columns import Collection
from schemas.documents import Document, Entry, EntryKind
from schemas.events import Event
from schemas.interactions import BlobRef
from schemas.outbound import DeliveryState, OutboundMessage
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


class Engine(Protocol):
    """The log and the states beside it. All methods may raise Outage; then nothing was changed."""

    is_one_order: bool
    """The log has one order over all keys and holds the events of each step once. Else order holds within a key of one
    topic, a cause may be read after its effect in another, and a step that was interrupted may be there twice."""

    async def commit(self, step: Step) -> None:
        """Apply the step wholly and durably (fsync) or not at all. Concurrent steps share one fsync.

        Raises Conflict when a document, a claim or the consumer's position is not what the step was decided on.
        """
        ...

    async def read(self, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
        """The next records of these topics for the consumer, in log order, from its committed position.

        Log order is the order in which events were appended, as far as the engine has one (`is_one_order`).
        """
        ...

    async def load(self, references: References) -> Found:
        """All that is referred to, in one query a kind."""
        ...

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> Sequence[Record]:
        """Records after a position, whoever reads; `key` keeps those of one key."""
        ...

    async def position_at(self, moment: datetime) -> Position:
        """From where to read what was appended at or after a moment; a little may come before. The tail where nothing was.

        As exact as the clock that stamped the log: let a minute pass for clocks that differ.
        """
        ...

    async def record(self, place: Place) -> Record | None:
        """The one record; None when it is no longer on the log."""
        ...

    def covers(self, position: Position, other: Place | Position) -> bool:
        """Whether who stands at `position` has passed the event at a place, or all that lies before another position."""
        ...

    async def tail(self) -> Position:
        """The position of the last durable event."""
        ...

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        """Until an event beyond `after` is durable; False when the time is over."""
        ...

    async def positions(self) -> Mapping[str, Position]:
        """Where each consumer stands."""
        ...

    async def lag(self, consumer: str, topics: Sequence[Topic]) -> int:
        """How many events of these topics lie beyond the consumer's position."""
        ...

    async def find(self, query: Query) -> Page[Document]: ...

    async def count(self, query: Query) -> int: ...

    async def tally(self, queues: Sequence[str] | None, now: datetime) -> Sequence[QueueCount]:
        """Counts of cases by queue; None: of every queue."""
        ...

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
        """Entries of these cases, or of these handles, newest first.

        `queues` keeps those whose case is in one of them, or was merged into a case that is.
        """
        ...

    async def search(
        self, words: str, queues: Sequence[str] | None = None, limit: int = 20, after: str | None = None
    ) -> Page[Hit]:
        """Cases by number, name, handle, words of subject and text; best first. `queues` as in `timeline`."""
        ...

    async def unlike(self, texts: Sequence[SearchText]) -> Sequence[UUID]:
        """Entries that are not found by exactly these texts: missing, or with others."""
        ...

    async def forget_search(self) -> None:
        """Nothing is found by words any more, until it is written again."""
        ...

    async def outcomes(self, consumer: str, after: Place, limit: int) -> Sequence[Outcome]:
        """What became of events beyond a place, in order of their places. Those of one place are never split."""
        ...

    async def blob(self, ref: BlobRef) -> bytes:
        """The bytes; raises Unknown when they are not there and Never when they are not what their name says."""
        ...

    def blob_parts(self, ref: BlobRef) -> AsyncIterator[bytes]:
        """The bytes in parts, for who hands them on. Raises as `blob` does, before the first part: none of what was altered is given."""
        ...

    async def put_blob(self, content: bytes, media_type: str) -> BlobRef:
        """Keep bytes durably before anything refers to them (for what is too large to wait in memory)."""
        ...

    async def backup(self, folder: str) -> None:
        """A consistent copy into an empty folder, while running. Raises Refused where the servers have their own means."""
        ...

    async def expire(self) -> int:
        """Remove what is past its retention, and remains of interrupted work. Returns how many."""
        ...

    def check(self) -> AsyncIterator[str]:
        """Every fault of the log and the store that the engine can see by itself: gaps, digests, blobs. None when whole."""
        ...

    async def close(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...


class ReceiptStatus(StrEnum):
    SENT = "sent"
    RETRY = "retry"  # proven: nothing was accepted
    FAILED = "failed"  # for good, nothing was accepted
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How often an account may send: `burst` at once, then `per_second`."""

    per_second: float
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """What a channel said of the account's limits with an answer. None: it did not say."""

    remaining: int | None = None
    """Sends that are left until the window is over."""
    reset_seconds: float | None = None
    rest_seconds: float | None = None
    """The account sends nothing at all for so long (429 of the account, not of one conversation)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel said to a message. `stop_account` marks faults of the account (credentials), not of the message."""

    status: ReceiptStatus
    external_id: str = ""
    reason: str = ""
    retry_after_seconds: float | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    stop_account: bool = False
    may_change: bool = False
    """The channel tells of reactions to it, and of edits and deletions by others."""
    limit: Limit | None = None


class Deliverer(Protocol):
    """Sends for one channel. Never raises for what a peer does: everything is a receipt."""

    channel: str

    async def deliver(self, message: OutboundMessage) -> Receipt: ...


@runtime_checkable
class Paced(Protocol):
    """A deliverer that knows how often its accounts may send, before the channel has to say so."""

    def allowance(self, account: str) -> Allowance | None: ...


class Reconciler(Protocol):
    """A deliverer whose channel can be asked what became of a message. Never raises for what a peer does."""

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        """SENT, or RETRY where it is proven that nothing was accepted; None while neither is known.

        `tried_at`: nothing was sent after that.
        """
        ...


class HealthState(StrEnum):
    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Health:
    state: HealthState
    detail: str = ""
    last_success_at: datetime | None = None
    next_retry_at: datetime | None = None
    oldest_unfetched_at: datetime | None = None
    """Since when the oldest item waits that the source has and we have not fetched."""


class Connector(Protocol):
    """One account of one channel, in. `start` returns when it accepts; `stop` when nothing is in flight any more."""

    channel: str
    account: str

    async def start(self) -> None: ...

    async def stop(self, grace_seconds: float) -> None: ...

    def health(self) -> Health: ...
