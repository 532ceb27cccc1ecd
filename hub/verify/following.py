"""What follows from case events, derived again: (c) what automations did, and (d) what search finds.

An automation decides under the configuration that is in force when its event is read. What it emitted names that version, and
must be exactly what this version makes of the event. Where it emitted nothing, there must be a version since the event under
which nothing follows. Not derivable, counted and not looked at: reactions of automations that ask for attributes of a customer
(these change, and only the routing records what it saw), those whose message entry is missing (which is a fault of its own),
and records beyond the retention of their topic.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hub.consumers import AUTOMATION, AUTOMATION_SOURCE, SEARCH, entry_id, reaction_event
from hub.verify.gathered import CHUNK, Fault
from processors.automation import Automations
from processors.automation import entry_id as told_entry_id
from processors.search import search_texts
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.collections import CONFIGURATIONS
from schemas.documents import Entry, PublishedConfiguration
from schemas.events import Event
from schemas.ports import Engine
from schemas.steps import START, OutcomeKind, Place, Position, Query, References
from schemas.topics import TOPICS, Topic

REACTIONS = (Topic.COMMANDS, Topic.AUTOMATION)
SETTLED = (OutcomeKind.DEAD_LETTERED, OutcomeKind.IGNORED)


@dataclass(slots=True)
class Reacted:
    """What the log holds of reactions to one event: fingerprints by id, and under which version they were decided."""

    version: int
    commands: dict[UUID, int] = field(default_factory=dict)
    records: dict[UUID, int] = field(default_factory=dict)

    def put(self, event: Event) -> None:
        kept = self.records if event.topic is Topic.AUTOMATION else self.commands
        kept[event.id] = _fingerprint(event)


def _fingerprint(event: Event) -> int:
    told = (event.id, event.type, event.key, event.chain, event.configuration, event.data.model_dump_json())
    return hash(told)


class Following:
    """Reads case events once, up to where each consumer stood when the verification began."""

    def __init__(self, engine: Engine, counts: Counter[str]) -> None:
        self._engine = engine
        self._counts = counts
        self._reacted: dict[UUID, Reacted] = {}
        self._versions: dict[int, Automations] = {}
        self._set_aside: dict[str, set[Place]] = {}
        self._latest: datetime | None = None
        self._doubtful: set[UUID] = set()
        """Entries that search has otherwise than by the last that was read of them."""
        self._seen: set[UUID] = set()

    async def faults(self, positions: Mapping[str, Position]) -> AsyncIterator[Fault]:
        await self._load()
        after: Position = START
        ends = {name: positions.get(name, START) for name in (AUTOMATION, SEARCH)}
        while records := await self._engine.scan((Topic.CASES,), after, CHUNK):
            after = records[-1].position
            covered = {
                name: [
                    each.event
                    for each in records
                    if each.event is not None
                    and self._engine.covers(end, each.place)
                    and each.place not in self._set_aside[name]
                ]
                for name, end in ends.items()
            }
            for each in records:  # what the running hub is at
                if not self._engine.covers(ends[AUTOMATION], each.place):
                    self._reacted.pop(each.id, None)
            wanted = {entry_id(each) for events in covered.values() for each in events}
            wanted |= {told for each in covered[AUTOMATION] if (told := told_entry_id(each)) is not None}
            found = await self._engine.load(References(entries=wanted))
            for fault in self._reactions(covered[AUTOMATION], found.entries):
                yield fault
            await self._look(covered[SEARCH], found.entries)
            for each in records:  # what search is at may be in it already, or in the entry only
                if each.event is not None and not self._engine.covers(ends[SEARCH], each.place):
                    self._doubtful.discard(entry_id(each.event))
        for cause in self._reacted:
            yield Fault("c", "automation: what was done follows from no event of a case", str(cause))
        for entry in self._doubtful:
            yield Fault("d", "search does not have the entry as the log makes it", str(entry))

    async def _load(self) -> None:
        after: str | None = None
        while True:
            page = await self._engine.find(Query(CONFIGURATIONS, (), ("number",), CHUNK, after))
            for each in page.items:
                if isinstance(each, PublishedConfiguration):
                    self._compile(each)
            if (after := page.next) is None:
                break
        for name in (AUTOMATION, SEARCH):
            self._set_aside[name] = await self._outcomes(name)
        position: Position = START
        while records := await self._engine.scan(REACTIONS, position, CHUNK):
            for record in records:
                event = record.event
                if (
                    event is None
                    or event.late
                    or event.source != AUTOMATION_SOURCE
                    or event.causation is None
                ):
                    continue
                self._latest = max(self._latest or event.time, event.time)
                self._reacted.setdefault(event.causation, Reacted(event.configuration or 0)).put(event)
            position = records[-1].position

    def _compile(self, published: PublishedConfiguration) -> None:
        try:
            self._versions[published.number] = Automations(published.configuration, published.number)
        except ValueError:
            self._counts["automation:versions that cannot be run any more"] += 1

    async def _outcomes(self, consumer: str) -> set[Place]:
        """Places of events that the consumer did not apply, or has not yet."""
        waiting: dict[Place, set[OutcomeKind]] = {}
        after: Place = START
        while outcomes := await self._engine.outcomes(consumer, after, CHUNK):
            for each in outcomes:
                waiting.setdefault(each.position, set()).add(each.kind)
            after = outcomes[-1].position
        return {
            place
            for place, kinds in waiting.items()
            if kinds.intersection(SETTLED)
            or (OutcomeKind.PARKED in kinds and OutcomeKind.RELEASED not in kinds)
        }

    # -- automations ------------------------------------------------------------------------------------------------

    def _reactions(self, events: Iterable[Event], entries: Mapping[UUID, Entry]) -> Iterable[Fault]:
        for event in events:
            if not event.late and not self._is_first(event):
                continue
            reacted = self._reacted.pop(event.id, None)
            if reacted is None and event.late:
                continue  # played again for another consumer, or compared where it stood first
            if reacted is not None:
                problem = self._problem(event, reacted, entries)
            elif self._may_be_silent(event, entries):
                problem = ""
            else:
                problem = "something follows from it under every configuration since, and nothing was done"
            if problem:
                yield Fault("c", f"automation: {problem} ({event.type})", str(event.id))

    def _is_first(self, event: Event) -> bool:
        """An event that stands twice on a log without one order is reacted to once: ids are derived."""
        if self._engine.is_one_order:
            return True
        if event.id in self._seen:
            return False
        self._seen.add(event.id)
        return True

    def _problem(self, event: Event, reacted: Reacted, entries: Mapping[UUID, Entry]) -> str:
        automations = self._versions.get(reacted.version)
        if automations is None:
            return f"it was reacted to under the configuration {reacted.version}, which is not known"
        expected = self._derived(event, automations, reacted.version, entries)
        if expected is None:
            return ""
        self._counts["automation:derived"] += 1
        is_old = self._is_beyond_retention(event)
        same = reacted.commands == expected.commands
        if not is_old:
            same = same and reacted.records == expected.records
        if same:
            return ""
        return f"what was done is not what the configuration {reacted.version} makes of it"

    def _derived(
        self, event: Event, automations: Automations, version: int, entries: Mapping[UUID, Entry]
    ) -> Reacted | None:
        """What the automations of a version make of an event; None where that cannot be known any more."""
        needs = automations.wants(event)
        entry = entries.get(needs.entry) if needs.entry is not None else None
        is_missing = needs.entry is not None and entry is None and isinstance(event.data, MessageEvent)
        if needs.attributes or is_missing:  # what follows from a command has a cause that is no message
            self._counts["automation:not derivable"] += 1
            return None
        reacted = Reacted(version)
        for index, reaction in enumerate(automations.react(event, entry)):
            reacted.put(reaction_event(event, reaction, index, version))
        return reacted

    def _may_be_silent(self, event: Event, entries: Mapping[UUID, Entry]) -> bool:
        since = event.configuration or 0
        versions = {number: each for number, each in self._versions.items() if number >= since}
        if not versions:
            return True
        is_old = self._is_beyond_retention(event)
        for number, automations in versions.items():
            expected = self._derived(event, automations, number, entries)
            if expected is None or (not expected.commands and (is_old or not expected.records)):
                return True
        return False

    def _is_beyond_retention(self, event: Event) -> bool:
        days = TOPICS[Topic.AUTOMATION].retention_days
        return (
            days is not None and self._latest is not None and event.time < self._latest - timedelta(days=days)
        )

    # -- search -----------------------------------------------------------------------------------------------------

    async def _look(self, events: Sequence[Event], entries: Mapping[UUID, Entry]) -> None:
        """An entry is found by what the last event of its message says: an edit puts the text before in the right."""
        pairs = [
            (event, entries[entry_id(event)])
            for event in events
            if isinstance(event.data, CaseEvent) and entry_id(event) in entries
        ]
        texts = search_texts(pairs)
        self._counts["search texts"] += len(texts)
        self._doubtful -= {each.entry for each in texts}
        self._doubtful.update(await self._engine.unlike(texts))
