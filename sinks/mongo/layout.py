"""The collections of the states and their indexes, in one place: those of schemas/collections.py and the engine's own."""

from collections.abc import Mapping

from schemas.collections import COLLECTIONS
from sinks.mongo.port import DocumentDatabase, Order

ENTRIES, CLAIMS, OUTCOMES, POSITIONS = "entries", "claims", "outcomes", "positions"
STEPS, STEP_PARTS, SEARCH, BLOBS = "steps", "step_parts", "search_texts", "blobs"
MOVES = "moves"
"""Has one document while a company is moved to this store, and after."""
LOCK = "step"
"""The field that names the step which is changing a document."""
BEHIND = "behind"
"""The field that names the step which had changed it before and is not published yet."""

OWN_INDEXES: Mapping[str, tuple[Order, ...]] = {
    ENTRIES: (
        (("case", 1), ("at", -1), ("sequence", -1), ("n", -1)),
        (("handle", 1), ("at", -1), ("sequence", -1), ("n", -1)),
    ),
    CLAIMS: (((LOCK, 1),),),
    OUTCOMES: ((("consumer", 1), ("place", 1), ("n", 1)), (("event", 1), ("kind", 1))),
    POSITIONS: ((("consumer", 1),),),
    STEPS: ((("at", 1),),),
    SEARCH: (
        (("number", 1), ("n", -1)),
        (("heads", 1), ("n", -1)),
        (("terms", 1), ("n", -1)),
        (("case", 1), ("n", -1)),
        (("n", -1),),
    ),
}

NEWEST_FIRST = {
    ("cases", "updated_at"),
    ("quarantine_items", "received_at"),
    ("dead_letters", "added_at"),
    ("held_messages", "received_at"),
    ("blocks", "since"),
    ("configurations", "number"),
}
"""Columns by which lists go down. So do their indexes: ties go up by insertion, and an index gives an order or all of it turned."""
TIES = "n"
"""What a page in any declared order ends with: the insertion. An index that ended otherwise would not give the order."""


def indexes() -> dict[str, list[Order]]:
    """Collection -> its indexes."""
    declared: dict[str, list[Order]] = {name: list(orders) for name, orders in OWN_INDEXES.items()}
    for collection in COLLECTIONS:
        if collection.unique:
            raise ValueError(f"{collection.name}: what must be unique over documents is a claim")
        own: list[Order] = [((LOCK, 1),)]
        own += [
            [
                *(
                    (f"columns.{each}", -1 if (collection.name, each) in NEWEST_FIRST else 1)
                    for each in columns
                ),
                (TIES, 1),
            ]
            for columns in collection.indexes
        ]
        declared[collection.name] = own
    return declared


async def make_indexes(database: DocumentDatabase) -> int:
    """Makes those that are missing; returns how many are declared."""
    made = 0
    for name, orders in indexes().items():
        for order in orders:
            await database.make_index(name, order)
            made += 1
    return made
