"""What one pass over the log gathers; bounded by the number of cases and messages, not by their text."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from schemas.documents import Case
from schemas.interactions import InteractionReceived
from schemas.outbound import DeliveryEvent, OutboundMessage
from schemas.ports import EntryChange, Position

CHUNK = 1000
CATCH_UPS = 10
"""How often something that the running hub changes under our eyes is looked at again before it counts as a fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One item that breaks a promise. `promise` is the letter of DESIGN's list, or `ledger`."""

    promise: str
    what: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message to be sent, as the log has it: where, and a fingerprint of what it says."""

    position: Position
    fingerprint: int


@dataclass(slots=True)
class Gathered:
    cases: dict[UUID, Case] = field(default_factory=dict)
    parts: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    counts: dict[UUID, int] = field(default_factory=dict)
    quarantined: set[UUID] = field(default_factory=set)
    letters: set[UUID] = field(default_factory=set)
    messages: dict[UUID, list[InteractionReceived]] = field(default_factory=lambda: defaultdict(list))
    """Messages that no case has yet. A source that gave one twice gave two versions (the times differ), one of which counts."""
    joined: set[UUID] = field(default_factory=set)
    changes: dict[UUID, EntryChange] = field(default_factory=dict)
    queued: dict[UUID, Queued] = field(default_factory=dict)
    sent: Counter[UUID] = field(default_factory=Counter)
    ended: dict[UUID, DeliveryEvent] = field(default_factory=dict)
    seen: set[UUID] = field(default_factory=set)
    repeated: set[UUID] = field(default_factory=set)
    """Inputs of the decider that the log holds more than once."""


def fingerprint(message: OutboundMessage) -> int:
    return hash(message.model_dump_json())


def beyond(position: Position, limit: Position) -> bool:
    """Positions of one log compare by length, then by letters."""
    return (len(position), position) > (len(limit), limit)
