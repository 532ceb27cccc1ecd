"""Copies a company into an empty engine: log (`log.py`), documents, timelines, outcomes, search texts, positions.

Each part goes in pages, and the checkpoint says which page is done. A page that was cut off is done again: what is there is
left as it is, and events that are on the new log already are found by what lies beyond the last place that is written down.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from hub.moving.blobs import Blobs
from hub.moving.checkpoint import Checkpoint
from hub.moving.log import ALL_TOPICS, EVENTS_AT_ONCE, CopyingLog
from processors.search import search_texts
from processors.timeline import change_of
from schemas.accounts import SESSIONS
from schemas.case_messages import MessageEvent
from schemas.cases import CaseEvent
from schemas.collections import CASES, COLLECTIONS
from schemas.columns import Collection
from schemas.crash import crash_point
from schemas.documents import Case, Document, Entry, Parked
from schemas.events import Event
from schemas.letters import DeadLetter
from schemas.members import MEMBERS
from schemas.ports import Engine
from schemas.steps import START, Position, Query, References
from schemas.topics import Topic
from sinks.distributed.importing import Importer

DOCUMENTS_AT_ONCE = 500
CASES_AT_ONCE = 50
ENTRIES_AT_ONCE = 500
DONE = "done"

Told = Callable[[str, int], None]
Consumers = Mapping[str, Sequence[Topic]]


class Copying:
    """`told` is called with a part and how many of it were done since."""

    def __init__(
        self,
        source: Engine,
        target: Importer,
        checkpoint: Checkpoint,
        consumers: Consumers,
        keep_sessions: bool,
        told: Told,
    ) -> None:
        self._source = source
        self._target = target
        self._checkpoint = checkpoint
        self._consumers = consumers
        self._told = told
        left_out = {MEMBERS.name} | (set() if keep_sessions else {SESSIONS.name})
        self.collections = [each for each in COLLECTIONS if each.name not in left_out]
        self._blobs = Blobs(source, target)
        self._log = CopyingLog(source, target, checkpoint, self._blobs, partial(told, "events"))

    @property
    def missing_blobs(self) -> list[str]:
        """What could not be carried because the source has it no more."""
        return self._blobs.missing

    async def run(self) -> None:
        """All of it, or what is left of it."""
        parts = (
            ("events", self._log.run),
            ("documents", self._documents),
            ("timelines", self._timelines),
            ("search", self._search),
            ("outcomes", self._outcomes),
            ("positions", self._positions),
        )
        for name, part in parts:
            if self._checkpoint.get(f"{name} {DONE}") is None:
                await part()
                self._checkpoint.set(f"{name} {DONE}", DONE)

    # -- the states -----------------------------------------------------------------------------------------------------

    async def _documents(self) -> None:
        for collection in self.collections:
            async for number, documents in self._pages(collection):
                await self._blobs.carry(documents)
                moved = [(number + index, self.moved(each)) for index, each in enumerate(documents)]
                await self._target.documents(collection, moved)
                crash_point("move.after-documents")
                self._told("documents", len(documents))

    async def _pages(self, collection: Collection) -> AsyncIterator[tuple[int, Sequence[Document]]]:
        """Pages from where the checkpoint is, each with the number of its first."""
        number, _, cursor = (self._checkpoint.get(collection.name) or "1").partition(" ")
        following: str | None = cursor or None
        count = int(number)
        if count > 1 and following is None:
            return
        while True:
            query = Query(collection, limit=DOCUMENTS_AT_ONCE, after=following)
            page = await self._source.find(query)
            yield count, page.items
            count += len(page.items)
            following = page.next
            self._checkpoint.set(collection.name, f"{count} {following or ''}".strip())
            if following is None:
                return

    def moved(self, document: Document) -> Document:
        """As it is on the new engine: what names a place on the log names the new one."""
        if isinstance(document, Parked | DeadLetter):
            place = self._checkpoint.place_of(document.position)
            if place is not None:
                return document.model_copy(update={"position": place})
        return document

    async def _timelines(self) -> None:
        """Entries by cases, those of a case in the order in which they came. What they refer to came with their events."""
        number, _, cursor = (self._checkpoint.get("timelines") or "1").partition(" ")
        count, following = int(number), cursor or None
        while True:
            page = await self._source.find(Query(CASES, limit=CASES_AT_ONCE, after=following))
            entries: list[Entry] = []
            for case in page.items:
                newest_first = [entry async for entry in self.entries_of(self._source, case.id)]
                entries += reversed(newest_first)
            for first in range(0, len(entries), ENTRIES_AT_ONCE):
                part = entries[first : first + ENTRIES_AT_ONCE]
                await self._target.entries(part, count)
                count += len(part)
                self._told("entries", len(part))
            crash_point("move.after-entries")
            following = page.next
            if following is None:
                return
            self._checkpoint.set("timelines", f"{count} {following}")

    @staticmethod
    async def entries_of(engine: Engine, case: UUID) -> AsyncIterator[Entry]:
        """Newest first."""
        following: str | None = None
        while True:
            page = await engine.timeline(cases=[case], limit=ENTRIES_AT_ONCE, after=following)
            for each in page.items:
                yield each
            following = page.next
            if following is None:
                return

    async def _search(self) -> None:
        """What cases are found by, and to which change of its delivery each entry is."""
        number, _, after = (self._checkpoint.get("search") or "1").partition(" ")
        count = int(number)
        while records := await self._source.scan((Topic.CASES,), after, EVENTS_AT_ONCE):
            events = [each.event for each in records if each.event is not None]
            told = [each for each in events if isinstance(each.data, CaseEvent)]
            references = References(entries={_entry_id(each) for each in told})
            for each in told:
                assert isinstance(each.data, CaseEvent)
                references.want(Case, each.data.case)
            found = await self._source.load(references)
            pairs = [
                (each, found.entries[_entry_id(each)]) for each in told if _entry_id(each) in found.entries
            ]
            texts = search_texts(pairs)
            await self._target.search(texts, count)
            count += len(texts)
            cases = found.documents
            changes = [
                change_of(each, case)
                for each in told
                if isinstance(each.data, CaseEvent) and isinstance(case := cases.get(each.data.case), Case)
            ]
            await self._target.changes([each for each in changes if each is not None])
            after = records[-1].position
            self._checkpoint.set("search", f"{count} {after}")
            self._told("search texts", len(texts))

    async def _outcomes(self) -> None:
        """What became of events; of an event that is no longer on the log nothing is said any more."""
        count = 1
        for consumer in await self._source.positions():
            after = START
            while outcomes := await self._source.outcomes(consumer, after, EVENTS_AT_ONCE):
                after = outcomes[-1].position
                placed = []
                for each in outcomes:
                    place = self._checkpoint.place_of(each.position)
                    if place is not None:
                        placed.append(replace(each, position=place))
                await self._target.outcomes(placed, count)
                count += len(placed)
                self._told("outcomes", len(placed))

    async def _positions(self) -> None:
        """Last: who stands somewhere has everything before it."""
        crash_point("move.before-positions")
        for consumer, position in (await self._source.positions()).items():
            passed = self._passed(position)
            topics = self._consumers.get(consumer, ALL_TOPICS)
            await self._target.position(consumer, self._checkpoint.offsets_after(passed, topics))
            self._told("positions", 1)

    def _passed(self, position: Position) -> int:
        """How many of the moved events lie before a position of the old log."""
        low, high = 0, self._checkpoint.count()
        while low < high:
            middle = (low + high + 1) // 2
            if self._source.covers(position, self._checkpoint.source_at(middle)):
                low = middle
            else:
                high = middle - 1
        return low


def _entry_id(event: Event) -> UUID:
    return event.data.interaction if isinstance(event.data, MessageEvent) else event.id
