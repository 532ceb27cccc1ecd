"""What the states need of a document database: few operations, each atomic on one document. A fake is a few lines a method.

No transactions, no aggregation but counts, no update by pipeline: what one of MongoDB, FerretDB and nx-27017 lacks is not here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

Fields = dict[str, Any]
Filter = Mapping[str, Any]
Order = Sequence[tuple[str, int]]
NOTHING: Fields = {"$eq": None}
"""The test for a field that is null or not there. nx-27017 finds nothing by a bare null within $and or $or."""


class DocumentCollection(Protocol):
    """One collection. Everything may raise Outage; a write that was interrupted may have happened."""

    async def find(
        self, filter: Filter, fields: Sequence[str] = (), order: Order = (), limit: int = 0
    ) -> list[Fields]:
        """Documents, with these fields only (none: all). `limit` 0: all of them."""
        ...

    async def insert_new(self, documents: Sequence[Fields]) -> set[str]:
        """Inserts those whose `_id` is not there yet; returns the ids that are."""
        ...

    async def update_each(self, changes: Sequence[tuple[Filter, Fields]], upsert: bool = False) -> int:
        """Each change to the one document that its filter names by `_id`; returns how many were found.

        With `upsert`, what is not there is made; where a document of that id is there and the rest of the filter does not
        fit, nothing happens.
        """
        ...

    async def update_all(self, filter: Filter, change: Fields) -> int: ...

    async def delete_all(self, filter: Filter) -> int: ...

    async def count(self, filter: Filter) -> int: ...

    async def count_each(self, filter: Filter, field: str) -> dict[Any, int]:
        """How many of these documents have each value of a field."""
        ...


class Files(Protocol):
    """Bytes of any size under a name of hexadecimal digits, written once. Everything may raise Outage."""

    async def put_file(self, name: str, content: bytes) -> None:
        """Keeps a file; one that is there whole is kept."""
        ...

    async def get_file(self, name: str) -> bytes | None: ...

    async def remove_file(self, name: str) -> None:
        """Does nothing where there is none."""
        ...


class Bucket(Files, Protocol):
    """Files apart from the database."""

    async def sweep(self, known: Callable[[list[str]], Awaitable[set[str]]]) -> int:
        """Removes files that `known` does not name, once they are old. Looks at some with each call; returns how many went."""
        ...


class DocumentDatabase(Files, Protocol):
    def collection(self, name: str) -> DocumentCollection: ...

    async def make_index(self, collection: str, fields: Order) -> None:
        """Does nothing when it is there."""
        ...

    async def ping(self) -> None:
        """Raises Outage when the server does not answer."""
        ...

    async def close(self) -> None: ...
