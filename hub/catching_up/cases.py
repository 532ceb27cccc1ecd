"""Cases, their timelines and the references that lead to them, folded on from the events that the store does not know."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from uuid import UUID

from hub.catching_up.reading import chunks, since
from processors.cases.evolve import evolve
from processors.timeline import change_of, entry_of
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.documents import Case
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.message_changes import MessageChanges, Way, changes_id
from schemas.ports import Engine
from schemas.steps import START, Place, Record, References, Step
from schemas.topics import Topic

SINCE = {"cases": (Topic.INTERACTIONS,), "automation": (Topic.CASES,)}
MOST_REMEMBERED = 20_000
NAMES_CASE = "case:"


class Cases:
    """The latest interactions are remembered until the case event comes that takes them; of earlier ones only their place is."""

    def __init__(self, engine: Engine, counts: Counter[str], most_remembered: int = MOST_REMEMBERED) -> None:
        self._engine = engine
        self._counts = counts
        self._most_remembered = most_remembered
        self._remembered: OrderedDict[UUID, InteractionReceived] = OrderedDict()
        self._places: dict[UUID, Place] = {}
        self.caused: set[UUID] = set()
        """Inputs of which an event was folded on."""

    async def run(self) -> None:
        after = since(await self._engine.positions(), SINCE)
        async for records in chunks(self._engine, (Topic.INTERACTIONS, Topic.CASES), after):
            self._remember(records)
            events = [each.event for each in records if each.event is not None]
            await self._fold([each for each in events if isinstance(each.data, CaseEvent)])

    def _remember(self, records: Iterable[Record]) -> None:
        for record in records:
            if record.id in self._places:
                continue  # it came twice, and the first was applied
            if record.event is not None and isinstance(record.event.data, InteractionReceived):
                self._remembered[record.id] = record.event.data
                self._places[record.id] = record.place
        while len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)

    async def _fold(self, events: Sequence[Event]) -> None:
        ids = {each.data.case for each in events if isinstance(each.data, CaseEvent)}
        stored = (await self._engine.load(References(documents={Case: ids}))).documents
        cases = {id: each for id, each in stored.items() if isinstance(each, Case)}
        new = list(self._beyond(events, cases))
        if not new:
            return
        messages = await self._messages(new)
        step = Step()
        for event in new:
            data = event.data
            assert isinstance(data, CaseEvent)
            case = cases[data.case] = evolve(cases.get(data.case), data, event.time, event.chain)
            message = messages.get(data.interaction) if isinstance(data, MessageEvent) else None
            step.entries.append(entry_of(event, case, message))
            change = change_of(event, case)
            if change is not None:
                step.changes.append(change)
        changed = {each.data.case for each in new if isinstance(each.data, CaseEvent)}
        step.documents = [(cases[id], stored[id].revision if id in stored else 0) for id in changed]
        await self._lead_to(new, messages, step)
        await self._engine.commit(step)
        self.caused.update(each.causation for each in new if each.causation is not None)
        self._counts["cases"] += len(changed)
        self._counts["events of cases"] += len(new)

    def _beyond(self, events: Sequence[Event], cases: dict[UUID, Case]) -> Iterable[Event]:
        """Events that follow on what is stored, each once. One after a hole is left: `hubbub verify` tells of it."""
        reached = {id: each.revision for id, each in cases.items()}
        for event in events:
            assert isinstance(event.data, CaseEvent)
            before, sequence = reached.get(event.data.case, 0), event.sequence or 0
            if sequence == before + 1:
                reached[event.data.case] = sequence
                yield event
            elif sequence > before + 1:
                self._counts["events after a hole"] += 1

    async def _messages(self, events: Sequence[Event]) -> dict[UUID, InteractionReceived]:
        wanted = {each.data.interaction for each in events if isinstance(each.data, MessageEvent)}
        found = {id: self._remembered.pop(id) for id in wanted if id in self._remembered}
        for id in wanted - found.keys():
            record = await self._engine.record(self._places.get(id, ""))
            if record is not None and record.event and isinstance(record.event.data, InteractionReceived):
                found[id] = record.event.data
        return found | await self._long_before(wanted - found.keys())

    async def _long_before(self, missing: set[UUID]) -> dict[UUID, InteractionReceived]:
        """What came before the backup and was decided after it, such as what was parked. Reads the topic from its beginning."""
        found: dict[UUID, InteractionReceived] = {}
        if not missing:
            return found
        async for records in chunks(self._engine, (Topic.INTERACTIONS,), START):
            for each in records:
                if each.id in missing and each.event and isinstance(each.event.data, InteractionReceived):
                    found.setdefault(each.id, each.event.data)
            if len(found) == len(missing):
                break
        return found

    async def _lead_to(
        self, events: Sequence[Event], messages: dict[UUID, InteractionReceived], step: Step
    ) -> None:
        """A reference that is taken already, as by a Message-ID used twice, stays with its first case."""
        wanted: dict[str, UUID] = {}
        places: dict[UUID, MessageChanges] = {}
        for event in events:
            if not isinstance(event.data, MessageEvent):
                continue
            message = messages[event.data.interaction]
            for reference in (message.conversation, message.external_id):
                if reference and not reference.startswith(NAMES_CASE):
                    wanted.setdefault(reference, event.data.case)
            if message.may_change:
                id = changes_id(message.external_id)
                places[id] = MessageChanges(
                    id=id, external_id=message.external_id, noted_at=event.time,
                    case=event.data.case, entry=event.data.interaction,
                    way=Way(channel=message.channel, account=message.account, conversation=message.conversation),
                )  # fmt: skip
        known = await self._engine.load(
            References(threads=set(wanted), documents={MessageChanges: set(places)})
        )
        step.claims = {name: case for name, case in wanted.items() if name not in known.threads}
        step.documents += [(each, 0) for id, each in places.items() if id not in known.documents]
