"""Where consumers stand, what became of events that were not simply applied, and claims of what must be unique.

A position is one document a partition, so that workers that hold different partitions never meet. Places and offsets are
texts and numbers to this module: the log says what they mean.
"""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

from schemas.steps import Outcome, OutcomeKind
from sinks.mongo.entries import Writes
from sinks.mongo.layout import CLAIMS, ENTRIES, LOCK, OUTCOMES, POSITIONS
from sinks.mongo.port import NOTHING, DocumentDatabase
from sinks.mongo.values import short_hash


async def read_positions(
    database: DocumentDatabase, consumer: str | None = None
) -> dict[str, dict[str, int]]:
    """Consumer -> partition -> the offset of the next record."""
    found: dict[str, dict[str, int]] = {}
    rows = await database.collection(POSITIONS).find({} if consumer is None else {"consumer": consumer})
    for row in rows:
        if row["offset"]:
            found.setdefault(row["consumer"], {})[row["partition"]] = row["offset"]
    return found


async def load_claims(database: DocumentDatabase, references: set[str]) -> dict[str, UUID]:
    """Those that hold. A claim that a step has only begun to make is none yet."""
    if not references:
        return {}
    hashes = {short_hash(reference): reference for reference in references}
    rows = await database.collection(CLAIMS).find({"_id": {"$in": sorted(hashes)}, LOCK: NOTHING})
    return {hashes[row["_id"]]: UUID(row["owner"]) for row in rows}


def outcome_writes(
    outcomes: Iterable[Outcome], sortable: Callable[[str], str], number: Callable[[], int]
) -> Writes:
    """Upserts: the same outcome of an event at a place, written twice, is one."""
    return [
        (
            {"_id": f"{each.consumer}|{each.position}|{each.event}|{each.kind}"},
            {
                "$set": {"reason": each.reason},
                "$setOnInsert": {
                    "consumer": each.consumer,
                    "place": sortable(each.position),
                    "position": each.position,
                    "event": str(each.event),
                    "kind": str(each.kind),
                    "n": number(),
                },
            },
        )
        for each in outcomes
    ]


async def read_outcomes(database: DocumentDatabase, consumer: str, after: str, limit: int) -> list[Outcome]:
    """Outcomes beyond a sortable place, in order. Those of one place are never split, so there may be more than `limit`."""
    outcomes = database.collection(OUTCOMES)
    order = (("place", 1), ("n", 1))
    rows = await outcomes.find({"consumer": consumer, "place": {"$gt": after}}, order=order, limit=limit)
    if len(rows) == limit:
        last = rows[-1]["place"]
        rows = [row for row in rows if row["place"] != last]
        rows += await outcomes.find({"consumer": consumer, "place": last}, order=order)
    return [
        Outcome(consumer, row["position"], UUID(row["event"]), OutcomeKind(row["kind"]), row["reason"])
        for row in rows
    ]


async def handled(database: DocumentDatabase, ids: set[UUID]) -> set[UUID]:
    """Those that were applied before: they have a timeline entry, or an outcome `ignored` in any consumer."""
    if not ids:
        return set()
    texts = [str(id) for id in ids]
    entries, ignored = await asyncio.gather(
        database.collection(ENTRIES).find({"_id": {"$in": texts}}, ("_id",)),
        database.collection(OUTCOMES).find(
            {"event": {"$in": texts}, "kind": str(OutcomeKind.IGNORED)}, ("event",)
        ),
    )
    return {UUID(row["_id"]) for row in entries} | {UUID(row["event"]) for row in ignored}
