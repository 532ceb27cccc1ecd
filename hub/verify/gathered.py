"""What one pass over the log gathers; bounded by the number of cases and messages, not by their text."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from schemas.documents import Case
from schemas.interactions import InteractionReceived
from schemas.outbound import DeliveryEvent, OutboundMessage
from schemas.steps import EntryChange, OutcomeKind, Place

CHUNK = 1000
CATCH_UPS = 10
"""How often something that the running hub changes under our eyes is looked at again before it counts as a fault."""
APPLIED = "applied"
CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Fault:
    """One item that breaks a promise. `promise` is the letter of DESIGN's list, or `ledger`."""

    promise: str
    what: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message to be sent, as the log has it: where, and a fingerprint of what it says."""

    place: Place
    fingerprint: int


@dataclass(slots=True)
class Gathered:
    cases: dict[UUID, Case] = field(default_factory=dict)
    parts: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    counts: dict[UUID, int] = field(default_factory=dict)
    quarantined: set[UUID] = field(default_factory=set)
    letters: set[UUID] = field(default_factory=set)
    messages: dict[UUID, list[InteractionReceived]] = field(default_factory=lambda: defaultdict(list))
    """Messages that no case has yet: the versions that were not set aside. Whoever gave one twice gave two (the times differ)."""
    joined: set[UUID] = field(default_factory=set)
    changes: dict[UUID, EntryChange] = field(default_factory=dict)
    queued: dict[UUID, Queued] = field(default_factory=dict)
    sent: Counter[UUID] = field(default_factory=Counter)
    ended: dict[UUID, DeliveryEvent] = field(default_factory=dict)
    outcomes: dict[Place, list[OutcomeKind]] = field(default_factory=lambda: defaultdict(list))
    """What the cases decider did not simply apply."""
    seen: set[UUID] = field(default_factory=set)
    counted: dict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    """Ids of what may stand twice on a log without one order, and counts once: by what it counts for."""
    repeated: set[UUID] = field(default_factory=set)
    """Inputs of the decider that the log holds more than once."""

    def what_became(self, place: Place) -> str:
        """The one thing that became of an event, from all that is recorded of it; nothing recorded means applied."""
        kinds = self.outcomes.get(place, ())
        ends = [kind for kind in kinds if kind not in (OutcomeKind.PARKED, OutcomeKind.RELEASED)]
        if len(set(ends)) > 1:
            return CONTRADICTION
        if ends:
            return str(ends[0])
        if OutcomeKind.PARKED in kinds and OutcomeKind.RELEASED not in kinds:
            return str(OutcomeKind.PARKED)
        return APPLIED


def fingerprint(message: OutboundMessage) -> int:
    return hash(message.model_dump_json())
