"""A rule or an automation tried on what really came lately, before it is published. Nothing is changed by it.

Newest days first, within bounds of days, messages, records and time; one trial at a time in a process. Conditions run in a
thread, page by page, so that a long condition does not hold up those who work.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from processors import hours
from processors.automation import Automations, entry_id, triggers_of
from processors.customers import customer_of, handle_wants
from processors.facts import case_facts, interaction_facts
from processors.routing import Router
from processors.trial import ClauseCount, Trial
from schemas.automation import AutomationFired
from schemas.cases import CaseEvent
from schemas.conditions import Condition
from schemas.configuration import Automation, Configuration, Rule
from schemas.documents import Case, Entry, EntryKind, Handle
from schemas.errors import Invalid
from schemas.events import Event
from schemas.interactions import FROM, InteractionReceived
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Found, Record, References
from schemas.topics import Topic

DAYS = 7
MOST_DAYS = 31
MOST_MESSAGES = 2_000
MOST_RECORDS = 20_000
MOST_SECONDS = 8.0
MATCHES_SHOWN = 50
PAGE = 50
"""Small, so that what is read is decoded in short turns of the loop."""
OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Match:
    """A message or an event that would have matched, as it is shown. `number` is empty where no case is known."""

    at: datetime
    number: str
    queue: str
    subject: str
    sender: str
    does: str
    """`decides` (this rule chooses the queue), `matches` (another one does), `fires`, `held back`."""


@dataclass
class Outcome:
    """`seen` since `since`: new cases for a rule, events of its kind for an automation. `cut`: a bound was reached first."""

    trial: Trial
    since: datetime
    acts: int = 0
    """Of those that matched: so often the rule chooses the queue, or the automation does anything."""
    cut: bool = False
    matches: list[Match] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.trial.seen

    @property
    def matched(self) -> int:
        return self.trial.matched

    @property
    def clauses(self) -> Sequence[ClauseCount]:
        return self.trial.clauses


@dataclass(frozen=True, slots=True)
class _Told:
    """A matching event, until its page is shown."""

    at: datetime
    entry: UUID | None
    case: UUID | None
    does: str
    subject: str = ""
    sender: str = ""


Look = Callable[[Sequence[Record], Found], list[_Told]]


class Trying:
    """Who may read all queues is for the caller to see to."""

    _turn = asyncio.Semaphore(1)

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def rule(self, rule: Rule, configuration: Configuration, days: int = DAYS) -> Outcome:
        """Over the messages that opened cases: a rule is asked once, when a case is new."""
        outcome = self._outcome(rule.when, days)
        router = Router(_with_rule(configuration, rule), 0)

        def look(records: Sequence[Record], found: Found) -> list[_Told]:
            told: list[_Told] = []
            for record in records:
                event = record.event
                if event is None or not isinstance(event.data, InteractionReceived):
                    continue
                entry = found.entries.get(event.id)
                if entry is None or entry.step != OPENED:
                    continue
                received = event.data
                within = router.within_hours(event.time, received.brand, received.queue_hint)
                facts = interaction_facts(received, _attributes(entry.handle, found), within)
                if outcome.trial.look(facts):
                    decision = router.route(facts, received.queue_hint, received.brand).decision
                    decides = decision.rule == rule.name
                    outcome.acts += decides
                    sender = next((each for each in received.participants if each.role is FROM), None)
                    name = (sender.name or sender.value) if sender else ""
                    does = "decides" if decides else "matches"
                    told.append(
                        _Told(
                            received.received_at, entry.id, entry.case, does, received.content.subject, name
                        )
                    )
            return told

        def wants(event: Event) -> References:
            is_message = isinstance(event.data, InteractionReceived)
            return References(entries={event.id} if is_message else set())

        return await self._run(outcome, Topic.INTERACTIONS, days, wants, look)

    async def automation(
        self, automation: Automation, configuration: Configuration, days: int = DAYS
    ) -> Outcome:
        """Over what happened to cases: how often it would have run, and been held back (a machine wrote, a loop)."""
        outcome = self._outcome(automation.when, days)
        alone = configuration.model_copy(update={"automations": (automation,)})
        automations = Automations(alone, 0)

        def look(records: Sequence[Record], found: Found) -> list[_Told]:
            told: list[_Told] = []
            for record in records:
                event = record.event
                if event is None or not isinstance(event.data, CaseEvent) or event.data.after is None:
                    continue
                if automation.event not in triggers_of(event):
                    continue
                after, id = event.data.after, entry_id(event)
                entry = found.entries.get(id) if id is not None else None
                calendar = automations.hours.get(automations.queue_hours.get(after.queue) or "")
                attributes = _attributes(after.handle, found)
                within = hours.is_open(calendar, event.time)
                facts = case_facts(after, automation.event.value, entry, attributes, within)
                if outcome.trial.look(facts):
                    reactions = automations.react(event, entry, attributes)
                    fires = any(isinstance(each.payload, AutomationFired) for each in reactions)
                    outcome.acts += fires
                    does = "fires" if fires else "held-back"
                    told.append(_Told(event.time, id, event.data.case, does, after.subject))
            return told

        def wants(event: Event) -> References:
            references = References()
            if not isinstance(event.data, CaseEvent) or automation.event not in triggers_of(event):
                return references
            id = entry_id(event)
            if id is not None:
                references.entries.add(id)
            if _needs_customer(automation.when) and event.data.after is not None:
                references.want(Handle, event.data.after.handle)
            return references

        return await self._run(outcome, Topic.CASES, days, wants, look)

    def _outcome(self, when: Condition | None, days: int) -> Outcome:
        if not 1 <= days <= MOST_DAYS:
            raise Invalid("that is no number of days", {"days": said("between 1 and {n}", n=MOST_DAYS)})
        return Outcome(Trial(when), self._clock.now() - timedelta(days=days))

    async def _run(
        self, outcome: Outcome, topic: Topic, days: int, wants: Callable[[Event], References], look: Look
    ) -> Outcome:
        needs_customer = _needs_customer(outcome.trial.condition)
        async with self._turn:
            until = monotonic() + MOST_SECONDS
            read = 0
            async for records, count in self._pages(topic, days):
                found = await self._found(records, wants, needs_customer)
                told = await asyncio.to_thread(look, records, found)
                room = MATCHES_SHOWN - len(outcome.matches)
                outcome.matches += await self._shown(told[:room]) if room > 0 else []
                read += count
                if outcome.seen >= MOST_MESSAGES or read >= MOST_RECORDS or monotonic() >= until:
                    outcome.cut = True
                    break
        outcome.matches.sort(key=lambda each: each.at, reverse=True)
        return outcome

    async def _pages(self, topic: Topic, days: int) -> AsyncIterator[tuple[list[Record], int]]:
        """Page after page, the newest day first, and how many were read for it; no event twice, where days meet.

        Where partitions have no order among each other the end of a day cannot be told: there the last day is read, then all.
        """
        now = self._clock.now()
        end = await self._engine.tail()
        seen: set[UUID] = set()
        backwards = range(1, days + 1) if self._engine.is_one_order else sorted({1, days})
        for day in backwards:
            position = start = await self._engine.position_at(now - timedelta(days=day))
            while not self._engine.covers(position, end):
                records = await self._engine.scan((topic,), position, PAGE)
                if not records:
                    break
                position = records[-1].position
                fresh = [each for each in records if each.id not in seen]
                seen.update(each.id for each in fresh)
                yield fresh, len(records)
            end = start if self._engine.is_one_order else end

    async def _found(
        self, records: Sequence[Record], wants: Callable[[Event], References], needs_customer: bool
    ) -> Found:
        references = References()
        for record in records:
            if record.event is not None:
                references.absorb(wants(record.event))
        found = Found()
        if not references:
            return found
        found.absorb(references, await self._engine.load(references))
        if needs_customer:
            handles = references.documents.get(Handle, set()) | {
                each.handle for each in found.entries.values() if each.kind is EntryKind.MESSAGE
            }
            for _ in range(3):
                linked = handle_wants(found, handles)
                if not linked:
                    break
                more = await self._engine.load(linked)
                if not more.documents:
                    break
                found.absorb(linked, more)
        return found

    async def _shown(self, told: Sequence[_Told]) -> list[Match]:
        if not told:
            return []
        references = References()
        for each in told:
            if each.case is not None:
                references.want(Case, each.case)
            if each.entry is not None:
                references.entries.add(each.entry)
        found = await self._engine.load(references)
        return [_match(each, found.documents.get(each.case), found) for each in told if each.case is not None]


def _match(told: _Told, case: object, found: Found) -> Match:
    entry: Entry | None = found.entries.get(told.entry) if told.entry is not None else None
    sender = told.sender
    if not sender and entry is not None:
        wrote = next((each for each in entry.participants if each.role is FROM), None)
        sender = (wrote.name or wrote.value) if wrote else ""
    number, queue = (case.number, case.queue) if isinstance(case, Case) else ("", "")
    return Match(told.at, number, queue, told.subject, sender, told.does)


def _needs_customer(condition: Condition | None) -> bool:
    return condition is not None and any(
        each.clause.field.startswith("customer.") for each in Trial(condition).clauses
    )


def _attributes(handle: UUID, found: Found) -> dict[str, str]:
    return dict(customer_of(handle, found).attributes) if handle in found.documents else {}


def _with_rule(configuration: Configuration, rule: Rule) -> Configuration:
    """With the rule as it is being edited, at its place or at the end."""
    rules = configuration.rules
    if any(each.name == rule.name for each in rules):
        rules = tuple(rule if each.name == rule.name else each for each in rules)
    else:
        rules = (*rules, rule)
    return configuration.model_copy(update={"rules": rules})
