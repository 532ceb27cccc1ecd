"""A document database and a log in memory, whose every operation on one document can be a process's last.

Coroutines are driven by hand: each waits at a gate before an operation, and who goes next is chosen by the test.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from schemas.errors import Outage
from sinks.kafka.codec import Message
from sinks.mongo.port import Fields, Filter, Order

T = TypeVar("T")


class Gate:
    """Where a coroutine lets others go first."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def gate() -> None:
    await Gate()


async def no_gate() -> None:
    return


async def one_by_one(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Stands for doing them at once, where there is no loop: all are done, then the first error is raised."""
    left, done = list(works), []
    errors: list[Exception] = []
    try:
        while left:
            try:
                done.append(await left.pop(0))
            except Exception as error:  # noqa: BLE001  raised below
                errors.append(error)
    finally:
        for each in left:  # the process ends
            each.close()
    if errors:
        raise errors[0]
    return done


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, other: value == other,
    "$ne": lambda value, other: value != other,
    "$in": lambda value, others: value in others,
    "$lt": lambda value, other: value is not None and value < other,
    "$lte": lambda value, other: value is not None and value <= other,
    "$gt": lambda value, other: value is not None and value > other,
    "$gte": lambda value, other: value is not None and value >= other,
}


def value_at(document: Mapping[str, Any], name: str) -> Any:
    found: Any = document
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def fits(document: Mapping[str, Any], filter: Filter) -> bool:
    return all(_fits(document, name, wanted) for name, wanted in filter.items())


def _fits(document: Mapping[str, Any], name: str, wanted: Any) -> bool:
    if name == "$and":
        return all(fits(document, each) for each in wanted)
    if name == "$or":
        return any(fits(document, each) for each in wanted)
    value = value_at(document, name)
    if isinstance(wanted, Mapping):
        return all(COMPARISONS[test](value, other) for test, other in wanted.items())
    return bool(value == wanted)


def change(document: Fields, update: Mapping[str, Any], is_new: bool = False) -> None:
    document.update(deepcopy(update.get("$set", {})))
    if is_new:
        document.update(deepcopy(update.get("$setOnInsert", {})))
    for name in update.get("$unset", {}):
        document.pop(name, None)


class FakeCollection:
    """Implements sinks.mongo.port.DocumentCollection. Only what is done to one document is atomic."""

    def __init__(self, pass_gate: Callable[[], Awaitable[None]]) -> None:
        self.documents: dict[str, Fields] = {}
        self._gate = pass_gate

    async def find(
        self, filter: Filter, fields: Sequence[str] = (), order: Order = (), limit: int = 0
    ) -> list[Fields]:
        await self._gate()
        found = [deepcopy(each) for each in self.documents.values() if fits(each, filter)]
        for name, direction in reversed(order):
            found.sort(key=lambda each: value_at(each, name), reverse=direction < 0)
        return found[:limit] if limit else found

    async def insert_new(self, documents: Sequence[Fields]) -> set[str]:
        there: set[str] = set()
        for each in documents:
            await self._gate()
            if each["_id"] in self.documents:
                there.add(each["_id"])
            else:
                self.documents[each["_id"]] = deepcopy(each)
        return there

    async def update_each(self, changes: Sequence[tuple[Filter, Fields]], upsert: bool = False) -> int:
        found = 0
        for filter, update in changes:
            await self._gate()
            document = self.documents.get(filter["_id"])
            if document is None and upsert:
                document = self.documents[filter["_id"]] = {"_id": filter["_id"]}
                change(document, update, is_new=True)
                found += 1
            elif document is not None and fits(document, filter):
                change(document, update)
                found += 1
        return found

    async def update_all(self, filter: Filter, update: Fields) -> int:
        found = 0
        for id in list(self.documents):
            document = self.documents.get(id)
            if document is not None and fits(document, filter):
                await self._gate()
                if fits(document, filter) and self.documents.get(id) is document:
                    change(document, update)
                    found += 1
        return found

    async def delete_all(self, filter: Filter) -> int:
        found = 0
        for id in list(self.documents):
            if id in self.documents and fits(self.documents[id], filter):
                await self._gate()
                if id in self.documents and fits(self.documents[id], filter):
                    del self.documents[id]
                    found += 1
        return found

    async def count(self, filter: Filter) -> int:
        return len(await self.find(filter))

    async def count_each(self, filter: Filter, field: str) -> dict[Any, int]:
        return dict(Counter(value_at(each, field) for each in await self.find(filter)))


class FakeDatabase:
    """Implements sinks.mongo.port.DocumentDatabase."""

    def __init__(self, pass_gate: Callable[[], Awaitable[None]] = gate) -> None:
        self._gate = pass_gate
        self.collections: dict[str, FakeCollection] = {}
        self.files: dict[str, bytes] = {}

    def collection(self, name: str) -> FakeCollection:
        return self.collections.setdefault(name, FakeCollection(self._gate))

    async def make_index(self, collection: str, fields: Order) -> None:
        return

    async def put_file(self, name: str, content: bytes) -> None:
        self.files[name] = content

    async def get_file(self, name: str) -> bytes | None:
        return self.files.get(name)

    async def remove_file(self, name: str) -> None:
        self.files.pop(name, None)

    async def ping(self) -> None:
        return

    async def close(self) -> None:
        return


class FakeLog:
    """Messages in the order in which they came. `outages` says of each publishing to come whether it fails."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.outages: list[bool] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        is_down = bool(self.outages) and self.outages.pop(0)
        for each in messages:
            if is_down:
                await gate()
                raise Outage("the log is down")
            await gate()
            self.messages.append(each)
