"""Timelines, made anew from the log: entries that are missing or not what the log makes of them are written again.

Never dropped first: an entry is what says that an event was applied, and without it a repetition would be applied again.
One that was cut off reads the log from its start, as cases are folded on the way, and writes from where it was.
"""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from hub.rebuilding.checkpoint import Checkpoint, Page
from processors.cases.evolve import evolve
from processors.timeline import change_of, entry_of
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.documents import Case, Entry
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.ports import Engine
from schemas.steps import START, EntryChange, Record, References, Step
from schemas.topics import Topic

EVENTS_AT_ONCE = 500
TOPICS = (Topic.INTERACTIONS, Topic.CASES)
CHANGING = frozenset({"delivery", "delivery_reason"})


class TimelineRebuild:
    """Memory is bounded by the number of cases, and by the messages that no case has yet."""

    def __init__(self, engine: Engine, checkpoint: Checkpoint) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._cases: dict[UUID, Case] = {}
        self._messages: dict[UUID, list[InteractionReceived]] = {}
        self._joined: set[UUID] = set()
        self._early: dict[UUID, tuple[Event, Case]] = {}
        """Case events by the message that they tell of, which was not read yet: as may be on a log without one order."""

    async def run(self) -> AsyncIterator[Page]:
        done, after = self._checkpoint.after, START
        while records := await self._engine.scan(TOPICS, after, EVENTS_AT_ONCE):
            after = records[-1].position
            versions, changes = self._made(records)
            if done != START and self._engine.covers(done, after):
                continue  # the one that was cut off has written it
            step = Step(entries=await self._wrong(versions), changes=changes)
            written = len(step.entries)
            await self._checkpoint.commit(step, after)
            yield Page(len(records), written)

    def _made(self, records: Sequence[Record]) -> tuple[dict[UUID, list[Entry]], list[EntryChange]]:
        """Entries as the log makes them (of a message that came twice one for each), and what became of answers."""
        versions: dict[UUID, list[Entry]] = {}
        changes: list[EntryChange] = []
        for record in records:
            event = record.event
            if event is None or event.late:
                continue
            if isinstance(event.data, InteractionReceived):
                self._message(event.id, event.data, versions)
            elif isinstance(event.data, CaseEvent):
                after = self._fold(event, event.data)
                if after is None:
                    continue
                self._entry(event, after, versions)
                change = change_of(event, after)
                if change is not None:
                    changes.append(change)
        return versions, changes

    def _fold(self, event: Event, data: CaseEvent) -> Case | None:
        """The case after the event; None for one that stands on the log a second time, or that does not follow."""
        known = self._cases.get(data.case)
        if event.sequence != (known.revision + 1 if known else 1):
            return None
        try:
            after = self._cases[data.case] = evolve(known, data, event.time, event.chain)
        except ValueError:  # verify tells of it
            return None
        return after

    def _message(self, id: UUID, data: InteractionReceived, versions: dict[UUID, list[Entry]]) -> None:
        if id in self._joined:
            return
        self._messages.setdefault(id, []).append(data)
        early = self._early.pop(id, None)
        if early is not None:
            self._entry(*early, versions)

    def _entry(self, event: Event, case: Case, versions: dict[UUID, list[Entry]]) -> None:
        if not isinstance(event.data, MessageEvent):
            versions[event.id] = [entry_of(event, case, None)]
            return
        id = event.data.interaction
        messages = self._messages.pop(id, [])
        if not messages:
            self._early[id] = (event, case)
            return
        self._joined.add(id)
        versions[id] = [entry_of(event, case, each) for each in messages]

    async def _wrong(self, versions: dict[UUID, list[Entry]]) -> list[Entry]:
        """Those that are missing, or that are stored as no version would be."""
        if not versions:
            return []
        stored = (await self._engine.load(References(entries=set(versions)))).entries
        return [
            made[0]
            for id, made in versions.items()
            if id not in stored or _plain(stored[id]) not in [_plain(each) for each in made]
        ]


def _plain(entry: Entry) -> dict[str, object]:
    """What it says, apart from how a message of ours got on since."""
    return entry.model_dump(mode="json", exclude=set(CHANGING))
