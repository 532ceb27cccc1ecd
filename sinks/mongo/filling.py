"""Columns that a version declares and an older one did not know: filled for what the older one wrote, while both may run.

Each write of a document replaces all its columns. So what an older version writes lacks those that only a newer one knows, and by that it is
found. The process that starts with other columns than the last one notes it; from then on all documents are looked through now and
then, by one process at a time, until nothing was found to fill and no older process can be left.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Iterable

from schemas.collections import COLLECTIONS
from schemas.columns import Collection
from schemas.errors import Never, Outage
from sinks.mongo.documents import COLUMNS, IS_THERE, LAYOUTS, columns_of, decode
from sinks.mongo.port import DocumentDatabase, Fields, Filter

log = logging.getLogger("hubbub.store")

LOOK_SECONDS = 60.0
AGAIN_MICROS = 600 * 1_000_000
SETTLED_MICROS = 3600 * 1_000_000
"""So long after the change at the earliest it is over: an older process may write until it is replaced."""
AT_ONCE = 500


class Filling:
    """`now`: in microseconds. Everything may raise Outage."""

    def __init__(
        self,
        database: DocumentDatabase,
        now: Callable[[], int],
        collections: Iterable[Collection] = COLLECTIONS,
    ) -> None:
        self._database = database
        self._now = now
        self._collections = tuple(each for each in collections if each.columns)
        self._layout = layout(self._collections)

    async def begin(self) -> None:
        """Notes with which columns this process works."""
        mine = {"layout": self._layout, "since": self._now(), "looked_at": 0, "is_settled": False}
        layouts = self._database.collection(LAYOUTS)
        if not await layouts.find({"_id": COLUMNS}):
            await layouts.insert_new([{"_id": COLUMNS, **mine, "is_settled": await self._is_empty()}])
        await layouts.update_each([({"_id": COLUMNS, "layout": {"$ne": self._layout}}, {"$set": mine})])

    async def _is_empty(self) -> bool:
        for each in self._collections:
            if await self._database.collection(each.name).find({}, ("_id",), limit=1):
                return False
        return True

    async def run(self) -> None:
        """Until it is cancelled. What fails is tried again."""
        while True:
            try:
                if filled := await self.look():
                    log.info("%d documents of an older version have the columns of this one", filled)
            except Outage:
                pass  # whoever works is told of it
            except Exception:
                log.exception("columns could not be filled; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """Looks through all documents where that is due and no other process does it; how many were filled."""
        layouts, now = self._database.collection(LAYOUTS), self._now()
        (state,) = await layouts.find({"_id": COLUMNS})
        if state["is_settled"] or state["layout"] != self._layout or now < state["looked_at"] + AGAIN_MICROS:
            return 0
        this = {"_id": COLUMNS, "layout": self._layout, "since": state["since"]}
        taken = await layouts.update_each(
            [({**this, "looked_at": state["looked_at"]}, {"$set": {"looked_at": now}})]
        )
        if not taken:
            return 0
        filled = await self.fill()
        if not filled and now >= state["since"] + SETTLED_MICROS:
            await layouts.update_each([({**this, "looked_at": now}, {"$set": {"is_settled": True}})])
        return filled

    async def fill(self) -> int:
        """All that lack any column, at the revision at which they were found: one that is written meanwhile is whole, or found again."""
        return sum([await self._fill(each) for each in self._collections])

    async def _fill(self, collection: Collection) -> int:
        documents = self._database.collection(collection.name)
        filled, after = 0, ""
        while rows := await documents.find(
            {"_id": {"$gt": after}, **lacks(collection)}, ("revision", "body"), (("_id", 1),), AT_ONCE
        ):
            after = rows[-1]["_id"]
            filled += await documents.update_each([*_changes(collection, rows)])
        return filled


def _changes(collection: Collection, rows: Iterable[Fields]) -> Iterable[tuple[Filter, Fields]]:
    for row in rows:
        try:
            columns = columns_of(collection, decode(collection, row))
        except Never:
            continue  # a check tells of it
        yield {"_id": row["_id"], "revision": row["revision"]}, {"$set": {"columns": columns}}


def lacks(collection: Collection) -> Filter:
    """Documents without one of the columns."""
    return {**IS_THERE, "$or": [{f"columns.{name}": {"$exists": False}} for name in collection.columns]}


def layout(collections: Iterable[Collection]) -> str:
    """Tells sets of columns apart."""
    told = json.dumps({each.name: sorted(each.columns) for each in collections}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
