"""One batch of decisions in memory: reads what was found, collects one Step. What one input does is kept whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TypeVar
from uuid import UUID

from processors.cases.evolve import evolve
from processors.identity import HandleId, key_of
from processors.routing import Router
from processors.timeline import change_of, entry_of
from schemas.blocking import Block
from schemas.capabilities import Capabilities, Count
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.configuration import Configuration, Queue, Template
from schemas.documents import Case, Document, Entry, Handle
from schemas.errors import NotYet
from schemas.events import Event, Payload
from schemas.identity import IdentityEvent
from schemas.ids import effect_id
from schemas.interactions import InteractionReceived
from schemas.outbound import OutboundMessage, OutboundQueued
from schemas.steps import EntryChange, Found, Step

CONSUMER = "cases"
MOST_MERGES = 100
"""Cases merged into one, directly or one by one: so many steps lead from a merged case to where it is read now, at most."""
NAMES_CASE = "case:"
MOST_PENDING = 20
"""Answers of one case that leave later."""
D = TypeVar("D", bound=Document)


class Nothing(Exception):
    """The request asks for what is so already, or no longer makes sense. Recorded as ignored, with the reason."""


@dataclass(frozen=True)
class Facts:
    """All that a decision may know beside the case and the input. The ones used are recorded with the decision."""

    now: datetime
    version: int
    configuration: Configuration
    router: Router
    handle_id: HandleId
    answer_accounts: Mapping[str, str]
    """Brand -> the mail account that answers for it."""
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    """`channel:account` -> what it can do. Cases of those that take no answers are answered by mail."""
    counts: Mapping[str, Count] = field(default_factory=dict)
    """Channel -> how long it holds a text to be, where it counts by rules of its own."""
    refuse: bool = False
    """Whether a request that cannot be done is refused to who asks (the API) or recorded as ignored (the log)."""

    @cached_property
    def queues(self) -> dict[str, Queue]:
        return {queue.name: queue for queue in self.configuration.queues}

    @cached_property
    def templates(self) -> dict[str, Template]:
        return {template.name: template for template in self.configuration.templates}

    def answer_account(self, brand: str) -> str | None:
        return self.answer_accounts.get(brand) or next(iter(self.answer_accounts.values()), None)


@dataclass(slots=True)
class Effects:
    """What one input does."""

    events: list[Event] = field(default_factory=list)
    documents: dict[UUID, Document] = field(default_factory=dict)
    claims: dict[str, UUID] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    changes: list[EntryChange] = field(default_factory=list)


class Work:
    """The decider's view of the world during a batch. `begin` an input, emit, then `keep` or `discard` its effects."""

    def __init__(self, found: Found, facts: Facts) -> None:
        self.facts = facts
        self._found = found
        self._documents: dict[UUID, Document] = {}
        self._claims: dict[str, UUID] = {}
        self._handled: set[UUID] = set()
        self.knows_blocks = any(type(each) is Block for each in found.documents.values())
        """Whether anybody who writes may be blocked. Mostly nobody is, and then nobody need be looked for."""
        self._effects = Effects()
        self.step = Step(consumer=CONSUMER)
        self.cause: Event

    # -- one input --------------------------------------------------------------------------------------------------

    def begin(self, cause: Event) -> None:
        self.cause = cause
        self._effects = Effects()

    def keep(self) -> None:
        effects = self._effects
        step = self.step
        step.events += effects.events
        step.entries += effects.entries
        step.changes += effects.changes
        self._documents.update(effects.documents)
        self._claims.update(effects.claims)
        step.claims.update(effects.claims)
        self._handled.add(marker(self.cause))

    def discard(self) -> None:
        self._effects = Effects()

    def finish(self) -> Step:
        """The step of the batch; each document with the revision that it was decided on."""
        self.step.documents = [(document, self._revision(id)) for id, document in self._documents.items()]
        return self.step

    def _revision(self, id: UUID) -> int:
        found = self._found.documents.get(id)
        return found.revision if found else 0

    # -- what is known ----------------------------------------------------------------------------------------------

    def is_handled(self, event: Event) -> bool:
        id = marker(event)
        return id in self._handled or id in self._found.handled or event.id in self._found.handled

    def get(self, kind: type[D], id: UUID) -> D | None:
        for known in (self._effects.documents, self._documents, self._found.documents):
            document = known.get(id)
            if document is not None:
                return document if isinstance(document, kind) else None
        return None

    def was_asked(self, kind: type[Document], id: UUID) -> bool:
        """Whether a document that is not known does not exist."""
        return id in self._found.asked.documents.get(kind, ())

    def case(self, id: UUID) -> Case | None:
        """The case, or the one that it was merged into."""
        case = self.get(Case, id)
        while case is not None and case.merged_into is not None:
            target = self.get(Case, case.merged_into)
            if target is None:
                raise NotYet(f"case {case.number} was merged into {case.merged_into}, which is not loaded")
            case = target
        return case

    def thread(self, reference: str) -> UUID | None:
        """The case that a reference belongs to: `case:<uuid>` names it itself, others were claimed."""
        if reference.startswith(NAMES_CASE):
            return named_case(reference)
        for known in (self._effects.claims, self._claims, self._found.threads):
            if reference in known:
                return known[reference]
        return None

    def number(self, number: str) -> UUID | None:
        return self._found.numbers.get(number)

    def attributes(self, handle: UUID) -> dict[str, str]:
        """What is known of the customer: attributes of the handle over those of the handles linked to it."""
        document = self.get(Handle, handle)
        if document is None:
            return {}
        if not document.links:
            return document.attributes
        merged: dict[str, str] = {}
        for link in document.links:
            linked = self.get(Handle, link.other)
            merged.update(linked.attributes if linked else {})
        merged.update(document.attributes)
        return merged

    # -- what is done -----------------------------------------------------------------------------------------------

    def put(self, document: Document) -> None:
        self._effects.documents[document.id] = document

    def claim(self, reference: str, case: UUID) -> None:
        """Make the reference lead to the case, unless it leads somewhere already (a Message-ID used a second time)."""
        if reference and not reference.startswith(NAMES_CASE) and self.thread(reference) is None:
            self._effects.claims[reference] = case

    def next_id(self) -> UUID:
        """The id of the event that is emitted next."""
        return effect_id(self.cause.id, CONSUMER, len(self._effects.events))

    def emit(
        self, case: Case | None, payload: CaseEvent, interaction: InteractionReceived | None = None
    ) -> Case:
        """A case event: the case evolves by it, the timeline gets its entry. Returns the case after it."""
        now = self.facts.now
        after = evolve(case, payload, now, self.cause.chain)
        event = self._event(
            payload.model_copy(update={"after": after.summary()}), str(after.id), after.revision
        )
        self._effects.documents[after.id] = after
        self._effects.entries.append(
            entry_of(event, after, interaction if isinstance(payload, MessageEvent) else None)
        )
        change = change_of(event, after)
        if change is not None:
            self._effects.changes.append(change)
        return after

    def tell(self, payload: Payload, key: str) -> None:
        """An event that is not of a case."""
        self._event(payload, key, None)

    def tell_identity(self, payload: IdentityEvent) -> None:
        self._event(payload, str(key_of(payload)), None)

    def send(self, message: OutboundMessage) -> None:
        self._event(OutboundQueued(message=message), message.conversation, None)

    def _event(self, payload: Payload, key: str, sequence: int | None) -> Event:
        event = Event(
            id=self.next_id(),
            key=key,
            time=self.facts.now,
            data=payload,
            source="/hub/cases",
            correlation=self.cause.correlation,
            causation=self.cause.id,
            sequence=sequence,
            chain=self.cause.chain,
            configuration=self.facts.version,
        )
        self._effects.events.append(event)
        return event


@lru_cache(maxsize=2048)
def named_case(reference: str) -> UUID:
    """The case that a reference like `case:<uuid>` names. Asked half a dozen times a message, 1.5 µs each."""
    return UUID(reference.removeprefix(NAMES_CASE))


def marker(event: Event) -> UUID:
    """The id whose entry (or `ignored` record) says that the event was applied.

    A message's entry bears the interaction's id; any other input is known by the first event that it made.
    """
    if isinstance(event.data, InteractionReceived):
        return event.id
    return effect_id(event.id, CONSUMER, 0)
