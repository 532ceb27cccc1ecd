"""The ports: what the hub needs from an engine, a connector and a clock. Every implementation passes tests/contracts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from schemas.documents import Document, Entry, EntryKind
from schemas.interactions import BlobRef
from schemas.outbound import OutboundMessage
from schemas.steps import (
    Batch,
    Found,
    Hit,
    Outcome,
    Page,
    Place,
    Position,
    Query,
    QueueCount,
    Record,
    References,
    SearchText,
    Step,
)
from schemas.topics import Topic


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

    async def remove_blob(self, ref: BlobRef) -> None:
        """For bytes to which nothing refers any more, as whoever kept them knows. Does nothing where they are gone."""
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
    conversation: str = ""
    """Key of the conversation that it went into, where the message named only who is to get it."""
    parts: tuple[str, ...] = ()
    """The channel's names of all that the message left as, where that is more than one: what an edit or a deletion needs."""


class Deliverer(Protocol):
    """Sends for one channel. Never raises for what a peer does: everything is a receipt.

    A message with a `change` edits or deletes one that was sent; it comes only where the channel's capabilities offer that.
    """

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
