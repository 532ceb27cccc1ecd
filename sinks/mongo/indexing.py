"""The indexes as the server has them, compared with those that sinks/mongo/layout.py declares, and made. None is ever removed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sinks.mongo.driver import MongoDatabase
from sinks.mongo.layout import indexes
from sinks.mongo.port import Order


class Change(StrEnum):
    CREATE = "create"
    UNKNOWN = "unknown"  # nothing declares it; told, and left


@dataclass(frozen=True, slots=True)
class PlannedIndex:
    """One index that differs."""

    collection: str
    fields: Order
    change: Change

    @property
    def what(self) -> str:
        return ", ".join(f"{name}{' descending' if direction < 0 else ''}" for name, direction in self.fields)


async def plan(database: MongoDatabase) -> list[PlannedIndex]:
    """What has to be made, in the order of the declaration, and what nothing declares."""
    planned: list[PlannedIndex] = []
    for name, declared in indexes().items():
        there = [tuple(each) for each in await database.indexes(name)]
        wanted = [tuple(each) for each in declared]
        planned += [PlannedIndex(name, each, Change.CREATE) for each in wanted if each not in there]
        planned += [PlannedIndex(name, each, Change.UNKNOWN) for each in there if each not in wanted]
    return planned


async def apply(
    database: MongoDatabase,
    planned: Sequence[PlannedIndex],
    told: Callable[[PlannedIndex], None] = lambda _: None,
) -> None:
    """Makes those that are missing, while hubs read and write. `told` is called before each: a large one takes minutes."""
    for each in planned:
        if each.change is Change.CREATE:
            told(each)
            await database.make_index(each.collection, each.fields)
