"""(d) Handles are what the log says of them: who they are, the links between them, attributes and consents.

Not derivable, and not looked at: a name that came with a later message than the first, the moment noted in a link (that of the
request, where the event has that of the decision), and when somebody had automatic answers lately, which is forgotten after a day.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub.verify.gathered import CATCH_UPS, CHUNK, Fault
from schemas.collections import HANDLES
from schemas.documents import Handle
from schemas.events import Actor, Event
from schemas.identity import (
    ConsentGiven,
    Evidence,
    HandleDescribed,
    HandleSeen,
    HandlesLinked,
    HandlesUnlinked,
)
from schemas.ports import Engine
from schemas.steps import START, Position, Query, References
from schemas.topics import Topic


@dataclass(slots=True)
class Told:
    """What the log tells of a handle."""

    scheme: str = ""
    value: str = ""
    name: str = ""
    first_seen_at: datetime | None = None
    links: dict[UUID, tuple[Evidence, Actor]] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)

    def fits(self, stored: Handle) -> bool:
        said = (self.scheme, self.value, self.first_seen_at, self.attributes, self.consents)
        kept = (stored.scheme, stored.value, stored.first_seen_at, stored.attributes, stored.consents)
        links = {each.other: (each.evidence, each.actor) for each in stored.links}
        return said == kept and links == self.links and (not self.name or self.name == stored.name)


class Handles:
    """Folds identity events, and compares. What the running hub changes meanwhile is looked at again."""

    def __init__(self, engine: Engine, counts: Counter[str]) -> None:
        self._engine = engine
        self._counts = counts
        self._told: dict[UUID, Told] = {}
        self._seen: set[UUID] = set()
        self._after: Position = START

    async def faults(self) -> AsyncIterator[Fault]:
        await self._read_on()
        doubtful: set[UUID] = set()
        after: str | None = None
        stored: set[UUID] = set()
        while True:
            page = await self._engine.find(Query(HANDLES, limit=CHUNK, after=after))
            for each in page.items:
                assert isinstance(each, Handle)
                self._counts["handles"] += 1
                stored.add(each.id)
                told = self._told.get(each.id)
                if told is None or not told.fits(each):
                    doubtful.add(each.id)
            if (after := page.next) is None:
                break
        doubtful |= self._told.keys() - stored
        for _ in range(CATCH_UPS):
            if not doubtful:
                return
            before = self._after
            await self._read_on()
            doubtful = await self._still(doubtful)
            if self._after == before:
                break
        for id in sorted(doubtful):
            what = "is not what the log tells of it" if id in self._told else "is on no log"
            yield Fault("d", f"the handle {what}", str(id))

    async def _still(self, doubtful: Iterable[UUID]) -> set[UUID]:
        ids = set(doubtful)
        found = (await self._engine.load(References(documents={Handle: ids}))).documents
        still = set()
        for id in ids:
            stored, told = found.get(id), self._told.get(id)
            if not isinstance(stored, Handle) or told is None or not told.fits(stored):
                still.add(id)
        return still

    async def _read_on(self) -> None:
        while records := await self._engine.scan((Topic.IDENTITY,), self._after, CHUNK):
            for record in records:
                if record.event is not None and not record.event.late and self._is_first(record.id):
                    self._fold(record.event)
            self._after = records[-1].position

    def _is_first(self, id: UUID) -> bool:
        if self._engine.is_one_order:
            return True
        if id in self._seen:
            return False
        self._seen.add(id)
        return True

    def _fold(self, event: Event) -> None:
        data = event.data
        if isinstance(data, HandleSeen):
            told = self._of(data.handle)
            told.scheme, told.value, told.name, told.first_seen_at = (
                data.scheme,
                data.value,
                data.name,
                event.time,
            )
        elif isinstance(data, HandlesLinked):
            self._of(data.first).links[data.second] = (data.evidence, data.actor)
            self._of(data.second).links[data.first] = (data.evidence, data.actor)
        elif isinstance(data, HandlesUnlinked):
            self._of(data.first).links.pop(data.second, None)
            self._of(data.second).links.pop(data.first, None)
        elif isinstance(data, HandleDescribed):
            self._of(data.handle).attributes = dict(data.attributes)
        elif isinstance(data, ConsentGiven):
            self._of(data.handle).consents[data.consent] = data.text_version

    def _of(self, id: UUID) -> Told:
        return self._told.setdefault(id, Told())
