"""The consumers of the log: each wraps a pure processor with the look-ups that it wants."""

from collections.abc import Callable, Sequence
from uuid import UUID

from hub.company import Company
from hub.deciding import Deciding
from hub.runner import APPLIED, Result
from processors.automation import Automations, Reaction
from processors.automation import entry_id as told_entry_id
from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as CASES_TOPICS
from processors.customers import customer_of, handle_wants
from processors.search import search_texts
from schemas.case_messages import MessageChanged, MessageEvent
from schemas.cases import CaseEvent
from schemas.documents import Delivery, Entry, Handle
from schemas.events import Event
from schemas.ids import effect_id
from schemas.outbound import OutboundQueued
from schemas.ports import Engine
from schemas.steps import Found, OutcomeKind, Record, References, Step
from schemas.topics import Topic
from sinks.outbound import CONSUMER as OUTBOUND
from sinks.outbound import queued

AUTOMATION = "automation"
AUTOMATION_SOURCE = "/hub/automation"
SEARCH = "search"


def events_of(records: Sequence[Record]) -> list[Event]:
    return [record.event for record in records if record.event is not None]


class CasesConsumer:
    """Interactions, commands and deliveries to cases, with identity and the timeline in the same step."""

    name = CASES
    topics: Sequence[Topic] = CASES_TOPICS

    def __init__(self, deciding: Deciding) -> None:
        self._deciding = deciding

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        step, results = await self._deciding.batch(events_of(records))
        return step, [APPLIED if each.kind is None else Result(each.kind, each.reason) for each in results]

    def committed(self, step: Step) -> None:
        return None


def entry_id(event: Event) -> UUID:
    """The id of a case event's timeline entry, or of the message that it changed."""
    if isinstance(event.data, MessageChanged) and event.data.entry is not None:
        return event.data.entry
    return event.data.interaction if isinstance(event.data, MessageEvent) else event.id


class AutomationConsumer:
    """Case events to commands, by the company's automations."""

    name = AUTOMATION
    topics: Sequence[Topic] = (Topic.CASES,)

    def __init__(self, engine: Engine, company: Company) -> None:
        self._engine = engine
        self._company = company

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        version = self._company.current
        events = events_of(records)
        found = await self._load(events, version.automations)
        step = Step()
        results = []
        for event in events:
            try:
                reactions = version.automations.react(
                    event, self._entry(event, found), self._attributes(event, found)
                )
            except Exception as error:  # noqa: BLE001  one event must not stop the others
                results.append(Result(OutcomeKind.DEAD_LETTERED, f"{type(error).__name__}: {error}"))
                continue
            step.events += [
                reaction_event(event, reaction, index, version.number)
                for index, reaction in enumerate(reactions)
            ]
            results.append(APPLIED)
        return step, results

    def committed(self, step: Step) -> None:
        return None

    async def _load(self, events: Sequence[Event], automations: Automations) -> Found:
        """The entries and customers that conditions look into; one query a kind for the whole batch, none where none look."""
        references = References()
        for event in events:
            needs = automations.wants(event)
            if needs.entry is not None:
                references.entries.add(needs.entry)
            if needs.attributes and isinstance(event.data, CaseEvent) and event.data.after is not None:
                references.want(Handle, event.data.after.handle)
        found = Found()
        if not references:
            return found
        found.absorb(references, await self._engine.load(references))
        linked = handle_wants(found, references.documents.get(Handle, set()))
        if linked:
            found.absorb(linked, await self._engine.load(linked))
        return found

    def _entry(self, event: Event, found: Found) -> Entry | None:
        id = told_entry_id(event)
        return found.entries.get(id) if id is not None else None

    def _attributes(self, event: Event, found: Found) -> dict[str, str]:
        after = event.data.after if isinstance(event.data, CaseEvent) else None
        if after is None or after.handle not in found.documents:
            return {}
        return dict(customer_of(after.handle, found).attributes)


def reaction_event(cause: Event, reaction: Reaction, index: int, configuration: int) -> Event:
    """The event of an automation's reaction; `index` counts those to the same cause."""
    return Event(
        id=effect_id(cause.id, AUTOMATION, index),
        key=cause.key,
        time=cause.time,
        data=reaction.payload,
        source=AUTOMATION_SOURCE,
        correlation=cause.correlation,
        causation=cause.id,
        chain=reaction.chain,
        configuration=configuration,
    )


class SearchConsumer:
    """Case events to the search index."""

    name = SEARCH
    topics: Sequence[Topic] = (Topic.CASES,)

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        told = [(event, entry_id(event)) for event in events_of(records)]
        entries = (await self._engine.load(References(entries={id for _, id in told}))).entries
        pairs = [(event, entries[id]) for event, id in told if id in entries]
        return Step(search=search_texts(pairs)), [APPLIED] * len(records)

    def committed(self, step: Step) -> None:
        return None


class OutboundConsumer:
    """What is to be sent enters the sending queue; `wake` tells the dispatcher."""

    name = OUTBOUND
    topics: Sequence[Topic] = (Topic.OUTBOUND,)

    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._wake = wake

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        wanted = {_message(record) for record in records}
        known = (await self._engine.load(References(documents={Delivery: wanted}))).documents
        step = Step()
        results = []
        taken: set[UUID] = set()
        for record in records:
            id = _message(record)
            if id in known or id in taken:
                results.append(Result(OutcomeKind.DUPLICATE, "queued before"))
                continue
            taken.add(id)
            step.documents.append((queued(record), 0))
            results.append(APPLIED)
        return step, results

    def committed(self, step: Step) -> None:
        if step.documents:
            self._wake()


def _message(record: Record) -> UUID:
    assert record.event is not None and isinstance(record.event.data, OutboundQueued)
    return record.event.data.message.message
