"""The pass over the log: (a) every event can be read, (b) every item is whole, (d) each timeline entry is what the log makes."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from hub.verify.gathered import APPLIED, CHUNK, Fault, Gathered, Queued, fingerprint
from processors.cases.decide import TOPICS as CASES_TOPICS
from processors.cases.evolve import evolve
from processors.timeline import change_of, entry_of
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.documents import Case, Entry
from schemas.errors import Never, Unknown
from schemas.events import Event
from schemas.interactions import BlobRef, InteractionEvent, InteractionReceived
from schemas.outbound import DeliveryEvent, DeliverySent, OutboundQueued
from schemas.parking import DeadLettered, Quarantined
from schemas.ports import Engine
from schemas.steps import START, Place, Position, Record, References
from schemas.topics import Topic

ALL_TOPICS = tuple(Topic)
CHANGING = frozenset({"delivery", "delivery_reason"})


class Reading:
    """Reads up to `tail` and fills `gathered`. What comes on the log meanwhile is not looked at.

    On a log without one order an event of ours may stand twice, and a case's event before the message that it tells of.
    """

    def __init__(self, engine: Engine, gathered: Gathered, counts: Counter[str]) -> None:
        self._engine = engine
        self._gathered = gathered
        self._counts = counts
        self._early: list[Event] = []
        """Case events that tell of messages which were not read yet."""

    async def faults(self, tail: Position) -> AsyncIterator[Fault]:
        after = START
        while not self._engine.covers(after, tail):
            records = await self._engine.scan(ALL_TOPICS, after, CHUNK)
            if not records:
                break
            within = [record for record in records if self._engine.covers(tail, record.place)]
            for record in within:
                self._counts["events"] += 1
                if record.event is None:
                    yield Fault("a", f"an event cannot be read: {record.problem}", record.place)
                    continue
                for fault in self._gather(record.event, record.place):
                    yield fault
            async for fault in self._blobs(within):
                yield fault
            async for fault in self._entries(self._folded(within)):
                yield fault
            after = records[-1].position
        async for fault in self._entries(self._early, is_all_read=True):
            yield fault
        for fault in self._parts():
            yield fault

    def _folded(self, records: Sequence[Record]) -> list[Event]:
        """The case events among them; of one that stands twice the first."""
        events = [each.event for each in records if each.event is not None and not each.event.late]
        return [each for each in events if isinstance(each.data, CaseEvent) and self._is_first(each, "entry")]

    def _is_first(self, event: Event, of: str) -> bool:
        """Whether this one counts. Where the log has one order, nothing may stand twice and all count."""
        if self._engine.is_one_order:
            return True
        known = self._gathered.counted[of]
        if event.id in known:
            self._counts["repeated"] += 1
            return False
        known.add(event.id)
        return True

    def _gather(self, event: Event, place: Place) -> Iterable[Fault]:
        data, gathered = event.data, self._gathered
        if event.topic in CASES_TOPICS:
            (gathered.repeated if event.id in gathered.seen else gathered.seen).add(event.id)
        if isinstance(data, InteractionEvent):
            gathered.parts[data.part.item].add(data.part.index)
            gathered.counts[data.part.item] = data.part.count
            is_new = event.id not in gathered.joined and gathered.what_became(place) == APPLIED
            if isinstance(data, InteractionReceived) and is_new:
                gathered.messages[event.id].append(data)
        elif isinstance(data, Quarantined):
            gathered.quarantined.add(data.item)
        elif isinstance(data, DeadLettered):
            gathered.letters.add(data.letter)
        elif isinstance(data, OutboundQueued):
            queued = Queued(place, fingerprint(data.message))
            gathered.queued.setdefault(data.message.message, queued)
        elif isinstance(data, DeliveryEvent) and self._is_first(event, "delivery"):
            gathered.sent[data.message] += isinstance(data, DeliverySent)
            gathered.ended[data.message] = data
        elif isinstance(data, CaseEvent) and not event.late and self._is_first(event, "case"):
            # not late: a replay says again what the case did before
            yield from self._fold(event, data)

    def _fold(self, event: Event, data: CaseEvent) -> Iterable[Fault]:
        known = self._gathered.cases.get(data.case)
        expected = known.revision + 1 if known else 1
        if event.sequence != expected:
            what = f"event {event.sequence} of the case comes where {expected} belongs"
            yield Fault("d", what, str(data.case))
        try:
            after = self._gathered.cases[data.case] = evolve(known, data, event.time, event.chain)
        except ValueError as error:
            yield Fault("d", str(error), str(data.case))
            return
        change = change_of(event, after)
        before = self._gathered.changes.get(change.entry) if change else None
        if change is not None and (before is None or change.sequence > before.sequence):
            self._gathered.changes[change.entry] = change

    def _parts(self) -> Iterable[Fault]:
        for item, count in self._gathered.counts.items():
            self._counts["items"] += 1
            if self._gathered.parts[item] != set(range(count)):
                yield Fault("b", f"has the parts {sorted(self._gathered.parts[item])} of {count}", str(item))

    async def _blobs(self, records: Sequence[Record]) -> AsyncIterator[Fault]:
        """Originals and attachments are there and are what their names say."""
        for record in records:
            if record.event is None:
                continue
            for what, subject, ref in _refs(record.event):
                problem = await self._blob_problem(ref)
                if problem:
                    yield Fault("b", f"its {what} {ref.sha256[:12]} {problem}", subject)

    async def _blob_problem(self, ref: BlobRef) -> str:
        try:
            await self._engine.blob(ref)
        except Unknown:
            return "is missing"
        except Never:
            return "is not what its name says"
        return ""

    async def _entries(self, events: Sequence[Event], is_all_read: bool = False) -> AsyncIterator[Fault]:
        """Compare the entries of these case events with what the fold makes of them."""
        expected: dict[UUID, list[Entry]] = {}
        for event in events:
            assert isinstance(event.data, CaseEvent)
            case = self._gathered.cases.get(event.data.case)
            if case is None:
                continue
            versions = self._versions(event, event.data, case)
            if not versions and not self._engine.is_one_order and not is_all_read:
                self._early.append(event)
                continue
            if not versions:
                what = f"tells of a message that is not on the log before it ({event.id})"
                yield Fault("d", what, str(case.id))
                continue
            expected[versions[0].id] = versions
        stored = (await self._engine.load(References(entries=set(expected)))).entries
        self._counts["entries"] += len(expected)
        for id, versions in expected.items():
            entry = versions[0]
            if id not in stored:
                yield Fault("d", f"the timeline entry {id} ({entry.step}) is missing", str(entry.case))
            elif not any(_same(stored[id], each) for each in versions):
                what = f"the timeline entry {id} ({entry.step}) is not what the log makes of it"
                yield Fault("d", what, str(entry.case))

    def _versions(self, event: Event, data: CaseEvent, case: Case) -> list[Entry]:
        if not isinstance(data, MessageEvent):
            return [entry_of(event, case, None)]
        messages = self._gathered.messages.pop(data.interaction, [])
        if messages or self._engine.is_one_order:
            self._gathered.joined.add(data.interaction)
        return [entry_of(event, case, message) for message in messages]


def _refs(event: Event) -> Iterable[tuple[str, str, BlobRef]]:
    """(what, whose, blob) of everything that an event refers to."""
    data = event.data
    if isinstance(data, Quarantined):
        yield "original", str(data.item), data.original
    elif isinstance(data, InteractionEvent):
        item = str(data.part.item)
        yield "original", item, data.original
        if isinstance(data, InteractionReceived):
            yield from (("attachment", item, each.blob) for each in data.attachments if each.blob)
    elif isinstance(data, OutboundQueued):
        message = data.message
        yield from (
            ("attachment", str(message.message), each.blob) for each in message.attachments if each.blob
        )


def _same(stored: Entry, expected: Entry) -> bool:
    """Whether they say the same, apart from how a message of ours got on since."""
    exclude = set(CHANGING)
    return stored.model_dump(mode="json", exclude=exclude) == expected.model_dump(
        mode="json", exclude=exclude
    )
