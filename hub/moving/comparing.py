"""Whether what was moved is what it was: every event, document, entry, claim and outcome of both looked at side by side."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from hub.moving.checkpoint import Checkpoint, digest
from hub.moving.copying import CASES_AT_ONCE, DOCUMENTS_AT_ONCE, ENTRIES_AT_ONCE, Copying, Told
from hub.moving.log import ALL_TOPICS, EVENTS_AT_ONCE, claimable
from schemas.collections import CASES
from schemas.columns import Collection
from schemas.documents import Document
from schemas.ports import Engine
from schemas.steps import START, Outcome, Query, References
from sinks.distributed.importing import Importer
from sinks.kafka.offsets import Partition
from sinks.kafka.reading import Raw

MOST_TOLD = 100


@dataclass
class Comparing:
    """`faults` yields each difference, as it is found."""

    source: Engine
    target: Engine
    importer: Importer
    checkpoint: Checkpoint
    copying: Copying
    told: Told

    async def faults(self) -> AsyncIterator[str]:
        parts = (self._log(), self._claims(), self._documents(), self._entries(), self._outcomes())
        for part in parts:
            async for fault in part:
                yield fault

    async def _log(self) -> AsyncIterator[str]:
        """Each event is there once, as it was, and behind those of its partition that were before it."""
        before: dict[Partition, int] = {}
        count = 0
        async for partition, first, last, records in self.importer.everything():
            known = self.checkpoint.told(partition, first, last)
            for raw in records:
                number, expected = known.pop(raw.offset, (0, b""))
                count += 1
                place = f"{partition[0]}:{partition[1]}:{raw.offset}"
                if not number:
                    yield f"log: {place} was not on the old log"
                elif _digest(raw) != expected:
                    yield f"log: {place} is not what was on the old log"
                elif number <= before.get(partition, 0):
                    yield f"log: {place} stands behind what came after it"
                before[partition] = max(number, before.get(partition, 0))
            for offset in known:
                yield f"log: {partition[0]}:{partition[1]} has nothing at {offset}"
            self.told("events compared", len(records))
        if count != self.checkpoint.count():
            yield f"log: {self.checkpoint.count()} events were moved, and {count} are there"

    async def _claims(self) -> AsyncIterator[str]:
        after = START
        while records := await self.source.scan(ALL_TOPICS, after, EVENTS_AT_ONCE):
            after = records[-1].position
            names = claimable([each.event for each in records if each.event is not None])
            if not names:
                continue
            here = (await self.source.load(References(threads=names))).threads
            there = (await self.target.load(References(threads=names))).threads
            for name in sorted(here.keys() | there.keys()):
                if here.get(name) != there.get(name):
                    yield f"claims: {name[:100]!r} leads to {there.get(name)}, and led to {here.get(name)}"

    async def _documents(self) -> AsyncIterator[str]:
        for collection in self.copying.collections:
            async for fault in self._collection(collection):
                yield fault

    async def _collection(self, collection: Collection) -> AsyncIterator[str]:
        """Both in the order in which they were made."""
        here, there = _all(self.source, collection), _all(self.target, collection)
        count = 0
        async for document in here:
            other = await anext(there, None)
            count += 1
            if other is None or other.id != document.id:
                yield f"{collection.name}: {document.id} is not there, or not in its place"
                return
            if other != self.copying.moved(document):
                yield f"{collection.name}: {document.id} is not what it was"
        more = await anext(there, None)
        if more is not None:
            yield f"{collection.name}: {more.id} was not there before"
        self.told("documents compared", count)

    async def _entries(self) -> AsyncIterator[str]:
        """Looked up by their ids, many at once; and none is there beside them."""
        following: str | None = None
        count = 0
        while True:
            page = await self.source.find(Query(CASES, limit=CASES_AT_ONCE, after=following))
            here = [
                entry for case in page.items async for entry in self.copying.entries_of(self.source, case.id)
            ]
            for first in range(0, len(here), ENTRIES_AT_ONCE):
                part = here[first : first + ENTRIES_AT_ONCE]
                wanted = References(entries={each.id for each in part})
                there = (await self.target.load(wanted)).entries
                for entry in part:
                    if there.get(entry.id) != entry:
                        yield f"timeline: entry {entry.id} of case {entry.case} is not what it was"
            count += len(here)
            self.told("entries compared", len(here))
            following = page.next
            if following is None:
                break
        held = await self.importer.count_entries()
        if held != count:
            yield f"timeline: {count} entries were moved, and {held} are there"

    async def _outcomes(self) -> AsyncIterator[str]:
        for consumer in await self.source.positions():
            here = await _outcomes(self.source, consumer)
            moved = {
                replace(each, position=place)
                for each in here
                if (place := self.checkpoint.place_of(each.position)) is not None
            }
            there = set(await _outcomes(self.target, consumer))
            for outcome in sorted(moved ^ there, key=lambda each: each.position)[:MOST_TOLD]:
                yield f"outcomes: {outcome.kind} of {outcome.event} in {consumer} differs"


def _digest(raw: Raw) -> bytes:
    headers = dict(raw.headers)
    id, type = headers.get("ce_id", b"").decode(), headers.get("ce_type", b"").decode()
    return digest((raw.key or b"").decode(), id, type, raw.value or b"")


async def _all(engine: Engine, collection: Collection) -> AsyncIterator[Document]:
    following: str | None = None
    while True:
        page = await engine.find(Query(collection, limit=DOCUMENTS_AT_ONCE, after=following))
        for each in page.items:
            yield each
        following = page.next
        if following is None:
            return


async def _outcomes(engine: Engine, consumer: str) -> Sequence[Outcome]:
    found: list[Outcome] = []
    after = START
    while outcomes := await engine.outcomes(consumer, after, EVENTS_AT_ONCE):
        found += outcomes
        after = outcomes[-1].position
    return found
