"""Handles as the log tells them: who was seen, the links between them, attributes and consents."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from hub.catching_up.reading import CHUNK, chunks
from processors.identity import MOST_LINKS
from schemas.documents import Handle, Link
from schemas.events import Event
from schemas.identity import ConsentGiven, HandleDescribed, HandleSeen, HandlesLinked, HandlesUnlinked
from schemas.ports import Engine
from schemas.steps import START, References, Step
from schemas.topics import Topic


class Handles:
    """What the log does not tell, such as a name that came with a later message, stays as it is stored."""

    def __init__(self, engine: Engine, counts: Counter[str]) -> None:
        self._engine = engine
        self._counts = counts
        self._told: dict[UUID, Handle] = {}
        self._seen: set[UUID] = set()

    async def run(self) -> None:
        async for records in chunks(self._engine, (Topic.IDENTITY,), START):
            for each in records:
                if each.event is not None and each.id not in self._seen:
                    self._seen.add(each.id)
                    self._fold(each.event)
        ids = iter(self._told)
        while some := list(islice(ids, CHUNK)):
            await self._store(some)

    async def _store(self, ids: Iterable[UUID]) -> None:
        known = (await self._engine.load(References(documents={Handle: set(ids)}))).documents
        step = Step()
        for id in ids:
            told, stored = self._told[id], known.get(id)
            if not isinstance(stored, Handle):
                step.documents.append((told, 0))
                continue
            now = stored.model_copy(
                update={
                    "links": told.links, "attributes": told.attributes, "consents": told.consents,
                    "revision": stored.revision + 1,
                }
            )  # fmt: skip
            if _said(now) != _said(stored):
                step.documents.append((now, stored.revision))
        if step.documents:
            await self._engine.commit(step)
            self._counts["handles"] += len(step.documents)

    def _fold(self, event: Event) -> None:
        data = event.data
        if isinstance(data, HandleSeen):
            self._told[data.handle] = Handle(
                id=data.handle, revision=1, scheme=data.scheme, value=data.value, name=data.name,
                first_seen_at=event.time,
            )  # fmt: skip
        elif isinstance(data, HandlesLinked | HandlesUnlinked):
            for one, other in ((data.first, data.second), (data.second, data.first)):
                self._linked(one, other, event)
        elif isinstance(data, HandleDescribed):
            self._change(data.handle, attributes=dict(data.attributes))
        elif isinstance(data, ConsentGiven):
            known = self._told.get(data.handle)
            if known is not None:
                self._change(data.handle, consents={**known.consents, data.consent: data.text_version})

    def _linked(self, one: UUID, other: UUID, event: Event) -> None:
        handle, data = self._told.get(one), event.data
        if handle is None:
            return
        links = tuple(each for each in handle.links if each.other != other)
        apart = tuple(each for each in handle.apart if each != other)
        if isinstance(data, HandlesLinked):
            links = (*links, Link(other=other, evidence=data.evidence, actor=data.actor, since=event.time))
        else:
            apart = (*apart, other)[-MOST_LINKS:]
        self._change(one, links=links, apart=apart)

    def _change(self, id: UUID, **values: object) -> None:
        if id in self._told:
            self._told[id] = self._told[id].model_copy(update=values)


def _said(handle: Handle) -> tuple[object, ...]:
    """What the log tells of a handle; the moment of a link is that of its request where it was stored first."""
    links = {each.other: (each.evidence, each.actor) for each in handle.links}
    return links, handle.attributes, handle.consents
