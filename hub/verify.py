"""Conservation, proved by looking up: every promise of the log checked against the states, at a fixed position.

(a) the log is whole; (b) every item has all its parts and its original; (c) for each consumer every event up to its
position is exactly one of applied, duplicate, ignored, dead-lettered or parked; (d) cases and timelines equal a fresh fold;
(e) every outbound message is exactly one of waiting, sent, failed, unknown or cancelled.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as CASES_TOPICS
from processors.cases.evolve import evolve
from processors.cases.work import marker
from processors.timeline import change_of, entry_of
from schemas.cases import CaseEvent, MessageEvent
from schemas.documents import Case, Delivery, Entry
from schemas.errors import Invalid, Never, Unknown
from schemas.events import Event
from schemas.interactions import BlobRef, InteractionEvent, InteractionReceived
from schemas.outbound import DeliveryEvent, DeliverySent, DeliverySettled, DeliveryState, OutboundQueued
from schemas.parking import Quarantined
from schemas.ports import START, Engine, EntryChange, OutcomeKind, Position, Record, References
from schemas.topics import Topic
from sinks.outbound import CONSUMER as OUTBOUND

CHUNK = 1000
CATCH_UPS = 5
ALL_TOPICS = tuple(Topic)
ENDED = {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Fault:
    """One item that breaks a promise. `promise` is the letter of DESIGN's list, or `ledger`."""

    promise: str
    what: str
    subject: str = ""


@dataclass(slots=True)
class Pending:
    """What one pass over the log gathers; bounded by the number of cases and messages, not by their text."""

    cases: dict[UUID, Case] = field(default_factory=dict)
    parts: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    counts: dict[UUID, int] = field(default_factory=dict)
    quarantined: set[UUID] = field(default_factory=set)
    messages: dict[UUID, InteractionReceived] = field(default_factory=dict)
    joined: set[UUID] = field(default_factory=set)
    changes: dict[UUID, EntryChange] = field(default_factory=dict)
    queued: dict[UUID, str] = field(default_factory=dict)
    sent: Counter[UUID] = field(default_factory=Counter)
    ended: dict[UUID, DeliveryEvent] = field(default_factory=dict)


class Verification:
    """One run. `faults` yields what is found, as it is found; `counts` says afterwards how much was looked at."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending = Pending()
        self.counts: Counter[str] = Counter()

    async def faults(self, ledger: Sequence[UUID] = ()) -> AsyncIterator[Fault]:
        positions = dict(await self._engine.positions())
        tail = await self._engine.tail()
        async for what in self._engine.check():
            yield Fault("a", what)
        async for fault in self._read_log(tail):
            yield fault
        for fault in self._parts():
            yield fault
        async for fault in self._outcomes(CASES, CASES_TOPICS, positions.get(CASES, START)):
            yield fault
        async for fault in self._cases():
            yield fault
        async for fault in self._deliveries(positions.get(OUTBOUND, START)):
            yield fault
        for item in ledger:
            self.counts["ledger"] += 1
            if item not in self._pending.counts and item not in self._pending.quarantined:
                yield Fault(
                    "ledger", "was acknowledged and is neither on the log nor in quarantine", str(item)
                )

    # -- (a) the log, (b) items, and the fold of (d) ------------------------------------------------------------------

    async def _read_log(self, tail: Position) -> AsyncIterator[Fault]:
        after = START
        while after != tail:
            records = await self._engine.scan(ALL_TOPICS, after, CHUNK)
            if not records:
                break
            within = [record for record in records if not _beyond(record.position, tail)]
            for record in within:
                self.counts["events"] += 1
                if record.event is None:
                    yield Fault("a", f"an event cannot be read: {record.problem}", record.position)
                    continue
                for fault in self._gather(record.event, record):
                    yield fault
            async for fault in self._originals(within):
                yield fault
            async for fault in self._entries(within):
                yield fault
            after = records[-1].position

    def _gather(self, event: Event, record: Record) -> Iterable[Fault]:
        data, pending = event.data, self._pending
        if isinstance(data, InteractionEvent):
            pending.parts[data.part.item].add(data.part.index)
            pending.counts[data.part.item] = data.part.count
            if isinstance(data, InteractionReceived) and event.id not in pending.joined:
                pending.messages[event.id] = data
        elif isinstance(data, Quarantined):
            pending.quarantined.add(data.item)
        elif isinstance(data, OutboundQueued):
            pending.queued.setdefault(data.message.message, record.position)
        elif isinstance(data, DeliveryEvent):
            pending.sent[data.message] += isinstance(data, DeliverySent)
            pending.ended[data.message] = data
        elif isinstance(data, CaseEvent):
            yield from self._fold(event, data)

    def _fold(self, event: Event, data: CaseEvent) -> Iterable[Fault]:
        known = self._pending.cases.get(data.case)
        expected = known.revision + 1 if known else 1
        if event.sequence != expected:
            yield Fault(
                "d", f"event {event.sequence} of the case comes where {expected} belongs", str(data.case)
            )
        try:
            self._pending.cases[data.case] = evolve(known, data, event.time)
        except ValueError as error:
            yield Fault("d", str(error), str(data.case))

    def _parts(self) -> Iterable[Fault]:
        for item, count in self._pending.counts.items():
            self.counts["items"] += 1
            if self._pending.parts[item] != set(range(count)):
                yield Fault("b", f"has the parts {sorted(self._pending.parts[item])} of {count}", str(item))

    async def _originals(self, records: Sequence[Record]) -> AsyncIterator[Fault]:
        for record in records:
            data = record.event.data if record.event else None
            if isinstance(data, InteractionEvent | Quarantined):
                problem = await self._blob_problem(data.original)
                if problem:
                    item = data.item if isinstance(data, Quarantined) else data.part.item
                    yield Fault("b", f"its original {data.original.sha256[:12]} {problem}", str(item))

    async def _blob_problem(self, ref: BlobRef) -> str:
        try:
            await self._engine.blob(ref)
        except Unknown:
            return "is missing"
        except Never:
            return "is not what its name says"
        return ""

    async def _entries(self, records: Sequence[Record]) -> AsyncIterator[Fault]:
        """Compare the entries of these case events with what the fold makes of them."""
        expected: dict[UUID, Entry] = {}
        for record in records:
            event = record.event
            if event is None or not isinstance(event.data, CaseEvent):
                continue
            case = self._pending.cases.get(event.data.case)
            if case is None:
                continue
            entry = self._expected_entry(event, event.data, case)
            if entry is None:
                yield Fault(
                    "d", f"tells of a message that is not on the log before it ({event.id})", str(case.id)
                )
                continue
            expected[entry.id] = entry
            change = change_of(event)
            if change is not None:
                self._pending.changes[change.entry] = change
        stored = (await self._engine.load(References(entries=set(expected)))).entries
        self.counts["entries"] += len(expected)
        for id, entry in expected.items():
            if id not in stored:
                yield Fault("d", f"the timeline entry {id} ({entry.step}) is missing", str(entry.case))
            elif not _same(stored[id], entry):
                yield Fault(
                    "d",
                    f"the timeline entry {id} ({entry.step}) is not what the log makes of it",
                    str(entry.case),
                )

    def _expected_entry(self, event: Event, data: CaseEvent, case: Case) -> Entry | None:
        message = None
        if isinstance(data, MessageEvent):
            message = self._pending.messages.pop(data.interaction, None)
            self._pending.joined.add(data.interaction)
            if message is None:
                return None
        return entry_of(event, case, message)

    # -- (c) ----------------------------------------------------------------------------------------------------------

    async def _outcomes(
        self, consumer: str, topics: Sequence[Topic], position: Position
    ) -> AsyncIterator[Fault]:
        after = START
        while True:
            records = await self._engine.scan(topics, after, CHUNK)
            within = [
                each for each in records if each.event is not None and not _beyond(each.position, position)
            ]
            if within:
                async for fault in self._chunk_outcomes(consumer, within, after):
                    yield fault
            if not records or _beyond(records[-1].position, position):
                return
            after = records[-1].position

    async def _chunk_outcomes(
        self, consumer: str, records: Sequence[Record], after: Position
    ) -> AsyncIterator[Fault]:
        kinds: dict[Position, list[OutcomeKind]] = defaultdict(list)
        last = records[-1].position
        while not _beyond(after, last):
            outcomes = await self._engine.outcomes(consumer, after, CHUNK)
            for outcome in outcomes:
                kinds[outcome.position].append(outcome.kind)
            if len(outcomes) < CHUNK:
                break
            after = outcomes[-1].position
        markers = {marker(record.event) for record in records if record.event}
        applied = (await self._engine.load(References(entries=markers))).entries
        for record in records:
            assert record.event is not None
            what = _outcome(kinds.get(record.position, []))
            self.counts[f"{consumer}:{what}"] += 1
            if what == "applied" and marker(record.event) not in applied:
                yield Fault(
                    "c", f"{consumer}: {record.type} was neither applied nor set aside", str(record.id)
                )
            if what == "contradiction":
                yield Fault(
                    "c", f"{consumer}: has the outcomes {sorted(kinds[record.position])}", str(record.id)
                )

    # -- (d) ----------------------------------------------------------------------------------------------------------

    async def _cases(self) -> AsyncIterator[Fault]:
        ids = list(self._pending.cases)
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            stored = (await self._engine.load(References(documents={Case: set(chunk)}))).documents
            for id in chunk:
                self.counts["cases"] += 1
                case = stored.get(id)
                if not isinstance(case, Case):
                    yield Fault("d", "the case is missing", str(id))
                elif not await self._equals_fold(case):
                    yield Fault("d", f"case {case.number} is not the fold of its events", str(id))

    async def _equals_fold(self, stored: Case) -> bool:
        """Whether a stored case is what its events make, those that came during this run included."""
        folded: Case | None = self._pending.cases[stored.id]
        if folded == stored:
            return True
        if folded is None or stored.revision <= folded.revision:
            return False
        records = await self._engine.scan((Topic.CASES,), START, 100_000, key=str(stored.id))
        folded = None
        for record in records:
            if record.event is not None and isinstance(record.event.data, CaseEvent):
                folded = evolve(folded, record.event.data, record.event.time)
                if folded.revision == stored.revision:
                    break
        return folded == stored

    # -- (e) ----------------------------------------------------------------------------------------------------------

    async def _deliveries(self, position: Position) -> AsyncIterator[Fault]:
        ids = [id for id, place in self._pending.queued.items() if not _beyond(place, position)]
        self.counts["outbound:waiting"] += len(self._pending.queued) - len(ids)
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            stored = (await self._engine.load(References(documents={Delivery: set(chunk)}))).documents
            for id in chunk:
                delivery = stored.get(id)
                if not isinstance(delivery, Delivery):
                    yield Fault("e", "is queued on the log and not in the sending queue", str(id))
                    continue
                self.counts[f"outbound:{_waiting_or(delivery.state)}"] += 1
                problem = self._delivery_problem(delivery)
                if problem:
                    yield Fault("e", problem, str(id))

    def _delivery_problem(self, delivery: Delivery) -> str:
        told = self._pending.ended.get(delivery.id)
        if self._pending.sent[delivery.id] > 1:
            return f"was sent {self._pending.sent[delivery.id]} times"
        if delivery.state in ENDED and told is None:
            return f"is {delivery.state}, and the log does not say so"
        if told is not None and delivery.state not in ENDED and not isinstance(told, DeliverySettled):
            return f"is {delivery.state}, and the log says {told.type}"
        return ""


def _waiting_or(state: DeliveryState) -> str:
    return "waiting" if state in (DeliveryState.QUEUED, DeliveryState.SENDING) else str(state)


def _outcome(kinds: Sequence[OutcomeKind]) -> str:
    """The one thing that became of an event, from all that is recorded of it; nothing recorded means applied."""
    ends = [kind for kind in kinds if kind not in (OutcomeKind.PARKED, OutcomeKind.RELEASED)]
    if len(set(ends)) > 1:
        return "contradiction"
    if ends:
        return str(ends[0])
    if OutcomeKind.PARKED in kinds and OutcomeKind.RELEASED not in kinds:
        return "parked"
    return "applied"


CHANGING = ("delivery", "delivery_reason")


def _same(stored: Entry, expected: Entry) -> bool:
    """Whether they say the same, apart from how a message of ours got on since."""
    exclude = set(CHANGING)
    return stored.model_dump(mode="json", exclude=exclude) == expected.model_dump(
        mode="json", exclude=exclude
    )


def _beyond(position: Position, limit: Position) -> bool:
    """Positions of one log compare by length, then by letters."""
    return (len(position), position) > (len(limit), limit)


class Verifier:
    """Runs verifications for the API and the command line."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def verify(self, ledger: str | None = None) -> AsyncIterator[Mapping[str, object]]:
        """Each fault as it is found; the last record has `result` (whole or broken) and what was counted."""
        items = _items(ledger) if ledger else []
        run = Verification(self._engine)
        broken = 0
        async for fault in run.faults(items):
            broken += 1
            yield {"promise": fault.promise, "subject": fault.subject, "fault": fault.what}
        yield {
            "result": "broken" if broken else "whole",
            "faults": broken,
            "counts": dict(sorted(run.counts.items())),
        }


def _items(ledger: str) -> list[UUID]:
    """A sender's own record: one acknowledged item id a line; blank lines and `#` comments are skipped."""
    items = []
    for number, line in enumerate(ledger.splitlines(), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        try:
            items.append(UUID(text))
        except ValueError as error:
            raise Invalid(f"ledger, line {number}: {text[:60]!r} is not an item id") from error
    return items
