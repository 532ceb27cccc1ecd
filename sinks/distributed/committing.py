"""How a step happens wholly or not at all, without a transaction: hold, decide, write, publish, let go.

1. *hold*: each document that the step changes is marked with the step, if it is at the revision that the step was decided
   on and nobody else holds it; claims and positions too. Who cannot hold all lets go, waits for who is in the way, tries again.
2. *decide*: the step is put whole into the journal. From here on it happens, whoever does it.
3. states, then entries, outcomes and search texts are written; events are published; what is held is let go; the position
   moves; the step is forgotten. All of this may be done again, by anybody: a document is changed only while this step holds it.

Who meets a step that was decided and is not finished after a while finishes it. Who meets one that holds and was not decided
after a while abandons it. While the log is down a request goes on *behind* a step that only waits for it: it takes over what that
step holds, and whoever publishes it publishes that one first. docs/decisions/steps-on-mongodb.md has the reasons.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from schemas.crash import crash_point
from schemas.errors import Conflict, Outage
from sinks.distributed.journal import Journal, State
from sinks.distributed.plan import Hold, Plan, Redo
from sinks.kafka.codec import Message
from sinks.mongo.layout import BEHIND, CLAIMS, LOCK, POSITIONS
from sinks.mongo.port import NOTHING, DocumentDatabase, Fields

log = logging.getLogger("hubbub.distributed")

HELP_AFTER_SECONDS = 2.0
"""A step that was decided so long ago has lost its process, most likely; finishing it twice does no harm."""
ABANDON_AFTER_SECONDS = 10.0
WAIT_SECONDS = 20.0
"""So long somebody waits for others before it is a conflict."""
PUBLISH_SECONDS = 3.0
"""So long a request waits for the log after its step is decided; then the relay publishes."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.004, 0.1
MICROSECONDS = 1_000_000

Publish = Callable[[Sequence[Message]], Awaitable[None]]


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


class Committer:
    """`now` gives microseconds of the wall clock, `number` numbers that rise."""

    def __init__(
        self,
        database: DocumentDatabase,
        publish: Publish,
        now: Callable[[], int],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        token: Callable[[], str] = lambda: secrets.token_hex(8),
        within: Callable[[float], AbstractAsyncContextManager[object]] = asyncio.timeout,
        at_once: Together = together,
        reach: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`reach` raises Outage while the log does not answer."""
        self._database = database
        self._publish = publish
        self._now = now
        self._pause = pause
        self._token = token
        self._within = within
        self._together = at_once
        self._reach = reach
        self._mine: set[str] = set()
        """Steps that this process is at."""
        self.journal = Journal(database)

    async def commit(self, plan: Plan, may_publish_later: bool) -> None:
        """Returns when the step has happened. Raises Conflict when a document is not what it was decided on."""
        if plan.is_published_only:
            await self._publish(plan.redo.messages)
            crash_point("distributed.after-direct-publishing")
            return
        waited = 0.0
        pause = FIRST_PAUSE_SECONDS
        while True:
            step = f"{self._now():016d}-{self._token()}"
            self._mine.add(step)
            try:
                blocked = await self._try(step, plan, may_publish_later)
            finally:
                self._mine.discard(step)
            if not blocked:
                return
            if waited > WAIT_SECONDS:
                raise Conflict(f"{blocked[0].collection}: {blocked[0].id} is being changed by others")
            await self._pause(pause)
            waited += pause
            pause = min(LONGEST_PAUSE_SECONDS, pause * 1.6)
            for each in blocked:
                await self.clear(each, may_publish_later)

    async def _try(self, step: str, plan: Plan, may_publish_later: bool) -> list[Blocked]:
        """Hold, decide and finish; or hold nothing, and tell what is in the way. Raises Conflict, holding nothing."""
        if plan.single is not None:
            return await self._write_one(plan.single, plan.redo)
        plan.redo.behind.clear()
        try:
            blocked = await self._hold(step, plan, may_go_behind=may_publish_later)
        except Conflict:
            await self._let_go(step, plan)
            raise
        if blocked:
            await self._let_go(step, plan)
            return blocked
        crash_point("distributed.after-holds")
        if self._age(step) > ABANDON_AFTER_SECONDS or not await self.journal.decide(
            step, plan.redo, self._now()
        ):
            await self._let_go(step, plan)
            raise Conflict("the step took so long that others went on without it")
        crash_point("distributed.after-decision")
        await self._write(step, plan.redo)
        if plan.redo.behind:  # the log was down a moment ago: the relay publishes them all in turn
            await self.journal.wait(step)
            return []
        if not may_publish_later:
            await self._publish_in_turn(plan.redo, is_left=False)
        elif not await self._publish_soon(step, plan.redo, is_left=False):
            return []
        await self._end(step, plan.redo)
        return []

    async def _publish_soon(self, step: str, redo: Redo, is_left: bool) -> bool:
        """False when the log does not answer in time: the relay then publishes, and others may go on behind this step."""
        try:
            async with self._within(PUBLISH_SECONDS):
                await self._publish_in_turn(redo, is_left)
        except (Outage, TimeoutError) as outage:
            log.warning("a step is durable and is published later: %s", str(outage) or "the log is slow")
            await self.journal.wait(step)
            return False
        return True

    async def _publish_in_turn(self, redo: Redo, is_left: bool) -> None:
        """What was left may be published by many: they look whether the log answers, or each would have a copy on its way."""
        if is_left and self._reach is not None:
            await self._reach()
        for step in redo.behind:
            await self.finish(step)
        await self._publish(redo.messages)

    # -- holding ----------------------------------------------------------------------------------------------------

    async def _hold(self, step: str, plan: Plan, may_go_behind: bool) -> list[Blocked]:
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
            if not each.by or hold.expected is None or not await self.journal.waits(each.by):
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

    async def _let_go(self, step: str, plan: Plan) -> None:
        """Of an undecided step: everything is as it was."""
        held: dict[str, list[str]] = {}
        for hold in plan.holds:
            held.setdefault(hold.collection, []).append(hold.id)
        for name, ids in held.items():
            await self._release(name, ids, step)
        if plan.claims:
            await self._release(CLAIMS, list(plan.claims), step)

    async def _release(self, name: str, ids: Sequence[str], step: str) -> None:
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

    async def _write_one(self, hold: Hold, redo: Redo) -> list[Blocked]:
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

    # -- finishing --------------------------------------------------------------------------------------------------

    async def _write(self, step: str, redo: Redo) -> None:
        await self._together(
            [
                self._database.collection(name).update_each(
                    [({"_id": id, LOCK: step}, {"$set": fields}) for id, fields in states]
                )
                for name, states in redo.states.items()
            ]
        )
        crash_point("distributed.after-states")
        await self._together(
            [self._write_in_turn(name, redo) for name in {each[0]: None for each in redo.writes}]
        )
        crash_point("distributed.after-entries")

    async def _write_in_turn(self, collection: str, redo: Redo) -> None:
        """An entry before what changes it."""
        for name, writes, upsert in redo.writes:
            if name == collection:
                await self._database.collection(name).update_each(writes, upsert)

    async def _end(self, step: str, redo: Redo) -> None:
        """All is written and published: let go, then move the position, then forget."""
        crash_point("distributed.after-publishing")
        await self._together(
            [
                self._database.collection(name).delete_all({"_id": {"$in": ids}, LOCK: step})
                for name, ids in redo.gone.items()
            ]
        )
        free: Fields = {"$unset": {LOCK: "", BEHIND: ""}}
        held = {name: [id for id, _ in states] for name, states in redo.states.items()}
        if redo.claims:
            held[CLAIMS] = redo.claims
        await self._together(
            [
                self._database.collection(name).update_all({"_id": {"$in": ids}, LOCK: step}, free)
                for name, ids in held.items()
            ]
        )
        crash_point("distributed.after-releasing")
        if redo.positions:
            await self._database.collection(POSITIONS).update_each(
                [
                    ({"_id": id, LOCK: step}, {"$set": {"offset": offset}, **free})
                    for id, offset in redo.positions
                ]
            )
        crash_point("distributed.after-position")
        await self.journal.forget([step])
        crash_point("distributed.after-forgetting")

    async def finish(self, step: str, may_publish_later: bool = False) -> None:
        """Does all of a decided step, whatever of it was done before; or all but publishing, while the log is down."""
        redo = await self.journal.read(step)
        if redo is None:
            return
        await self._write(step, redo)
        if not may_publish_later:
            await self._publish_in_turn(redo, is_left=True)
        elif not await self._publish_soon(step, redo, is_left=True):
            return
        await self._end(step, redo)

    # -- others -----------------------------------------------------------------------------------------------------

    async def clear(self, blocked: Blocked, may_publish_later: bool = False) -> None:
        """Gets a step out of the way that has been there for long; a young one is left alone.

        Raises Outage where the log fails, unless it is enough that the step waits for nothing but the log.
        """
        if not blocked.by or blocked.by in self._mine:
            return
        age = self._age(blocked.by)
        state = await self.journal.state(blocked.by)
        if state is State.DECIDED and age > HELP_AFTER_SECONDS:
            await self.finish(blocked.by, may_publish_later)
        elif state is State.ABANDONED:
            await self._release(blocked.collection, [blocked.id], blocked.by)
        elif (
            state is State.UNDECIDED
            and age > ABANDON_AFTER_SECONDS
            and await self.journal.abandon(blocked.by, self._now())
        ):
            # It may have been over already: then nothing of it is held, and the mark means nothing.
            await self._release(blocked.collection, [blocked.id], blocked.by)

    def _age(self, step: str) -> float:
        """Seconds since a step began, by its name."""
        began = step.partition("-")[0]
        return (self._now() - int(began)) / MICROSECONDS if began.isdigit() else ABANDON_AFTER_SECONDS * 2

    async def relay(self) -> int:
        """Finishes steps that were left. Returns how many."""
        left = await self.journal.older(self._now() - int(HELP_AFTER_SECONDS * MICROSECONDS), State.DECIDED)
        left = [step for step in left if step not in self._mine]
        for step in left:
            await self.finish(step)
        return len(left)

    async def tidy(self, collections: Iterable[str], older_seconds: float) -> int:
        """Frees what dead steps hold, and removes marks and parts that are so old that nobody can mean them. Returns how many."""
        count = 0
        for name in collections:
            held: list[Any] = await self._database.collection(name).find(
                {LOCK: {"$gt": ""}}, (LOCK,), limit=1000
            )
            for row in held:
                if self._age(row[LOCK]) > ABANDON_AFTER_SECONDS:
                    await self.clear(Blocked(name, row["_id"], row[LOCK]))
                    count += 1
        before = self._now() - int(older_seconds * MICROSECONDS)
        marks = await self.journal.older(before, State.ABANDONED, 1000)
        await self.journal.forget(marks)
        return count + len(marks) + await self.journal.remove_parts(before)


def _free(hold: Hold) -> Fields:
    """The document as the step expects it, held by nobody."""
    wanted: Fields = {"_id": hold.id, LOCK: NOTHING}
    if hold.expected is not None:
        wanted[hold.counter] = hold.expected
    return wanted
