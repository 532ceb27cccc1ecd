"""What else the log tells: versions of the configuration, and what lies in quarantine."""

from collections import Counter
from uuid import UUID

from hub.catching_up.reading import chunks
from schemas.configuration import ConfigurationPublished
from schemas.documents import Document, PublishedConfiguration
from schemas.ids import derive
from schemas.letters import LetterState, QuarantineItem
from schemas.parking import QuarantineClosed, Quarantined
from schemas.ports import Engine
from schemas.steps import START, References, Step
from schemas.topics import Topic


class Configurations:
    def __init__(self, engine: Engine, counts: Counter[str]) -> None:
        self._engine = engine
        self._counts = counts

    async def run(self) -> None:
        async for records in chunks(self._engine, (Topic.CONFIGURATION,), START):
            told = [each.event.data for each in records if each.event is not None]
            versions = {
                derive("configuration", str(each.number)): each
                for each in told
                if isinstance(each, ConfigurationPublished)
            }
            known = (
                await self._engine.load(References(documents={PublishedConfiguration: set(versions)}))
            ).documents
            step = Step()
            for id, each in versions.items():
                if id not in known:
                    document = PublishedConfiguration(
                        id=id, revision=1, number=each.number, configuration=each.configuration,
                        actor=each.actor, published_at=each.published_at,
                    )  # fmt: skip
                    step.documents.append((document, 0))
            if step.documents:
                await self._engine.commit(step)
                self._counts["versions of the configuration"] += len(step.documents)


class Quarantine:
    """Dead letters are not among these: the consumers make them again when they read on."""

    def __init__(self, engine: Engine, counts: Counter[str]) -> None:
        self._engine = engine
        self._counts = counts

    async def run(self) -> None:
        async for records in chunks(self._engine, (Topic.QUARANTINE,), START):
            told = [each.event.data for each in records if each.event is not None]
            ids = {each.item for each in told if isinstance(each, Quarantined | QuarantineClosed)}
            stored = (await self._engine.load(References(documents={QuarantineItem: ids}))).documents
            items: dict[UUID, Document] = dict(stored)
            for each in told:
                if isinstance(each, Quarantined) and each.item not in items:
                    values = each.model_dump(exclude={"item"})
                    items[each.item] = QuarantineItem(id=each.item, revision=1, **values)
                elif isinstance(each, QuarantineClosed):
                    known = items.get(each.item)
                    if isinstance(known, QuarantineItem) and known.state is LetterState.OPEN:
                        items[each.item] = known.model_copy(update={"state": LetterState(each.outcome)})
            step = Step()
            for id in ids:
                item, before = items.get(id), stored.get(id)
                if item is not None and item is not before:
                    revision = before.revision if before is not None else 0
                    step.documents.append((item.model_copy(update={"revision": revision + 1}), revision))
            if step.documents:
                await self._engine.commit(step)
                self._counts["items in quarantine"] += len(step.documents)
