"""What a step holds while it is undecided: documents, claims and positions, each marked with the step by one atomic write."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from schemas.errors import Conflict
from sinks.distributed.journal import Journal
from sinks.distributed.plan import Hold, Plan, Redo
from sinks.mongo.layout import BEHIND, CLAIMS, LOCK, POSITIONS
from sinks.mongo.port import NOTHING, DocumentDatabase, Fields


@dataclass(frozen=True, slots=True)
class Blocked:
    """A document that another step holds. `by` is empty when it has just been let go."""

    collection: str
    id: str
    by: str


T = TypeVar("T")


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Does them at once and waits for all; then raises what one of them raised."""
    done = await asyncio.gather(*works, return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return [each for each in done if not isinstance(each, BaseException)]


class Together(Protocol):
    def __call__(self, works: Sequence[Coroutine[Any, Any, T]]) -> Awaitable[list[T]]: ...


class Holding:
    def __init__(self, database: DocumentDatabase, journal: Journal, at_once: Together) -> None:
        self._database = database
        self._journal = journal
        self._together = at_once

    async def hold(self, step: str, plan: Plan, may_go_behind: bool) -> list[Blocked]:
        """Takes what is free. Returns what others hold; raises Conflict where something is not as expected."""
        by_collection: dict[str, list[Hold]] = {}
        for hold in plan.holds:
            by_collection.setdefault(hold.collection, []).append(hold)
        found = await self._together(
            [
                self._hold_claims(step, plan),
                *(self._hold_all(step, plan, each, may_go_behind) for each in by_collection.values()),
            ]
        )
        return [each for blocked in found for each in blocked]

    async def _hold_all(
        self, step: str, plan: Plan, holds: Sequence[Hold], may_go_behind: bool
    ) -> list[Blocked]:
        """Those of one collection."""
        others = await self._hold_documents(step, holds[0].collection, holds)
        return await self._go_behind(step, plan, holds, others) if may_go_behind else others

    async def _go_behind(
        self, step: str, plan: Plan, holds: Sequence[Hold], blocked: Sequence[Blocked]
    ) -> list[Blocked]:
        """Takes over documents from steps that are written and wait for the log. Returns what is still in the way.

        Such a document is as its step left it: raises Conflict where that is not what this one was decided on.
        """
        wanted = {each.id: each for each in holds}
        left: list[Blocked] = []
        for each in blocked:
            hold = wanted[each.id]
            if not each.by or hold.expected is None or not await self._journal.waits(each.by):
                left.append(each)
                continue
            collection = self._database.collection(each.collection)
            behind: Fields = {"$set": {LOCK: step, BEHIND: each.by}}
            if await collection.update_each(
                [({"_id": each.id, LOCK: each.by, hold.counter: hold.expected}, behind)]
            ):
                if each.by not in plan.redo.behind:
                    plan.redo.behind.append(each.by)
                continue
            rows = await collection.find({"_id": each.id, LOCK: each.by}, (hold.counter,))
            if rows and rows[0].get(hold.counter, 0) != hold.expected:
                raise Conflict(hold.told.format(rows[0].get(hold.counter, 0)))
            left.append(each)
        return left

    async def _hold_documents(self, step: str, name: str, holds: Sequence[Hold]) -> list[Blocked]:
        collection = self._database.collection(name)
        fresh = [each for each in holds if each.expected == 0]
        there = await collection.insert_new(
            [{"_id": each.id, each.counter: 0, LOCK: step, **each.fresh} for each in fresh]
        )
        taking = [each for each in holds if each.expected != 0 or each.id in there]
        if not taking:
            return []
        found = await collection.update_each(
            [(_free(each), {"$set": {LOCK: step}}) for each in taking],
        )
        return [] if found == len(taking) else await self._in_the_way(step, name, taking)

    async def _in_the_way(self, step: str, name: str, holds: Sequence[Hold]) -> list[Blocked]:
        """Why not all were taken: others hold some; or raises Conflict for the first that is not as expected."""
        ids = [each.id for each in holds]
        counter = holds[0].counter
        found = await self._database.collection(name).find({"_id": {"$in": ids}}, (counter, LOCK))
        rows = {row["_id"]: row for row in found}
        blocked: list[Blocked] = []
        conflicts: list[str] = []
        for hold in holds:
            row = rows.get(hold.id, {})
            by, stands_at = row.get(LOCK), row.get(counter, 0)
            if by == step or (hold.expected is None and not row):
                continue
            if by is None and hold.expected not in {None, stands_at}:
                conflicts.append(hold.told.format(stands_at))
            else:  # held by another, or by one who has just let go
                blocked.append(Blocked(name, hold.id, by or ""))
        if conflicts:
            raise Conflict(conflicts[0])
        return blocked

    async def _hold_claims(self, step: str, plan: Plan) -> list[Blocked]:
        if not plan.claims:
            return []
        claims = self._database.collection(CLAIMS)
        there = await claims.insert_new(
            [
                {"_id": hashed, "owner": owner, "reference": plan.references[hashed][:200], LOCK: step}
                for hashed, owner in plan.claims.items()
            ]
        )
        if not there:
            return []
        blocked: list[Blocked] = []
        rows = {
            row["_id"]: row for row in await claims.find({"_id": {"$in": sorted(there)}}, ("owner", LOCK))
        }
        for hashed in sorted(there):
            row = rows.get(hashed)
            if row is None or row.get(LOCK) is not None:
                blocked.append(Blocked(CLAIMS, hashed, row[LOCK] if row else ""))
            elif row["owner"] != plan.claims[hashed]:
                raise Conflict(f"{plan.references[hashed][:200]} is claimed by {row['owner']}")
        return blocked

    async def let_go(self, step: str, plan: Plan) -> None:
        """Of an undecided step: everything is as it was."""
        held: dict[str, list[str]] = {}
        for hold in plan.holds:
            held.setdefault(hold.collection, []).append(hold.id)
        for name, ids in held.items():
            await self.release(name, ids, step)
        if plan.claims:
            await self.release(CLAIMS, list(plan.claims), step)

    async def release(self, name: str, ids: Sequence[str], step: str) -> None:
        """What an undecided step holds is free again, and what it only had the place of is gone.

        What it had taken over is given back to the step that waits for the log.
        """
        collection = self._database.collection(name)
        mine: Fields = {"_id": {"$in": list(ids)}, LOCK: step}
        if name == CLAIMS:
            await collection.delete_all(mine)
            return
        taken_over = await collection.find({**mine, BEHIND: {"$gt": ""}}, (BEHIND,))
        await collection.update_each(
            [
                ({"_id": row["_id"], LOCK: step}, {"$set": {LOCK: row[BEHIND]}, "$unset": {BEHIND: ""}})
                for row in taken_over
            ]
        )
        counter = "offset" if name == POSITIONS else "revision"
        await collection.delete_all({**mine, counter: 0})
        await collection.update_all(mine, {"$unset": {LOCK: ""}})

    async def write_one(self, hold: Hold, redo: Redo) -> list[Blocked]:
        """A step of one document needs no journal: one atomic write is all of it."""
        collection = self._database.collection(hold.collection)
        if redo.gone:
            done = await collection.delete_all(_free(hold))
        else:
            ((_, fields),) = redo.states[hold.collection]
            if hold.expected == 0 and not await collection.insert_new(
                [{"_id": hold.id, **hold.fresh, **fields}]
            ):
                return []
            done = await collection.update_each([(_free(hold), {"$set": fields})])
        return [] if done else await self._in_the_way("", hold.collection, [hold])


def _free(hold: Hold) -> Fields:
    """The document as the step expects it, held by nobody."""
    wanted: Fields = {"_id": hold.id, LOCK: NOTHING}
    if hold.expected is not None:
        wanted[hold.counter] = hold.expected
    return wanted
