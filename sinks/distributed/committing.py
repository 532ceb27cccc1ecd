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
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from schemas.collections import CASES
from schemas.crash import crash_point
from schemas.errors import Conflict, Outage
from sinks.distributed.holding import Blocked, Holding, Together, together
from sinks.distributed.journal import Journal, State
from sinks.distributed.plan import Plan, Redo
from sinks.kafka.codec import Message
from sinks.mongo.layout import BEHIND, CLAIMS, ENTRIES, LOCK, POSITIONS
from sinks.mongo.port import DocumentDatabase, Fields

log = logging.getLogger("hubbub.distributed")

HELP_AFTER_SECONDS = 2.0
"""A step that was decided so long ago has lost its process, most likely; finishing it twice does no harm."""
ABANDON_AFTER_SECONDS = 10.0
WAIT_SECONDS = 20.0
"""So long a worker waits for others before it is a conflict."""
REQUEST_WAIT_SECONDS = 4.0
"""So long a request waits for them: whoever asks is told to ask again, and what is in the way is gone by then, or soon."""
PUBLISH_SECONDS = 3.0
"""So long a request waits for the log after its step is decided; then the relay publishes."""
MOST_SEEN = 1000
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.004, 0.1
MICROSECONDS = 1_000_000

Publish = Callable[[Sequence[Message]], Awaitable[None]]


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
        self._seen: dict[str, int] = {}
        """When others were first in the way."""
        self.journal = Journal(database)
        self._holding = Holding(database, self.journal, at_once)

    async def commit(self, plan: Plan, may_publish_later: bool) -> None:
        """Returns when the step has happened. Raises Conflict when a document is not what it was decided on.

        A request (`may_publish_later`) that others stand in the way of for long raises Outage, a worker's step Conflict.
        """
        if plan.is_published_only:
            await self._publish(plan.redo.messages)
            crash_point("distributed.after-direct-publishing")
            return
        began, waited = self._now(), 0.0
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
            passed = max(waited, (self._now() - began) / MICROSECONDS)
            if passed > (REQUEST_WAIT_SECONDS if may_publish_later else WAIT_SECONDS):
                raise _stuck(blocked[0], may_publish_later)
            await self._pause(pause)
            waited += pause
            pause = min(LONGEST_PAUSE_SECONDS, pause * 1.6)
            for each in blocked:
                await self.clear(each, may_publish_later)

    async def _try(self, step: str, plan: Plan, may_publish_later: bool) -> list[Blocked]:
        """Hold, decide and finish; or hold nothing, and tell what is in the way. Raises Conflict, holding nothing."""
        if plan.single is not None:
            return await self._holding.write_one(plan.single, plan.redo)
        plan.redo.behind.clear()
        try:
            blocked = await self._holding.hold(step, plan, may_go_behind=may_publish_later)
        except Conflict:
            await self._holding.let_go(step, plan)
            raise
        if blocked:
            await self._holding.let_go(step, plan)
            return blocked
        crash_point("distributed.after-holds")
        if may_publish_later and plan.redo.messages and await self._is_done(plan):
            await self._holding.let_go(step, plan)
            raise Conflict("the same was asked for twice at once, and the other is done")
        if self._age(step) > ABANDON_AFTER_SECONDS or not await self.journal.decide(
            step, plan.redo, self._now()
        ):
            await self._holding.let_go(step, plan)
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

    async def _is_done(self, plan: Plan) -> bool:
        """Whether what a request would enter is entered already. It was decided on what several queries found, one after the
        other: another process may have done the same between the one for entries and the one for the case. Whoever holds the
        case sees all that was done to it. What comes from the log needs no such look: its position tells. What tells the log nothing
        may write entries again."""
        ids = [
            filter["_id"]
            for name, writes, upsert in plan.redo.writes
            if name == ENTRIES and upsert
            for filter, _ in writes
        ]
        return bool(
            ids and await self._database.collection(ENTRIES).find({"_id": {"$in": ids}}, ("_id",), limit=1)
        )

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
        age = max(self._age(blocked.by), self._seen_for(blocked.by))
        state = await self.journal.state(blocked.by)
        if state is State.DECIDED and age > HELP_AFTER_SECONDS:
            await self.finish(blocked.by, may_publish_later)
        elif state is State.ABANDONED:
            await self._holding.release(blocked.collection, [blocked.id], blocked.by)
        elif (
            state is State.UNDECIDED
            and age > ABANDON_AFTER_SECONDS
            and await self.journal.abandon(blocked.by, self._now())
        ):
            # It may have been over already: then nothing of it is held, and the mark means nothing.
            await self._holding.release(blocked.collection, [blocked.id], blocked.by)

    def _age(self, step: str) -> float:
        """Seconds since a step began, by its name."""
        began = step.partition("-")[0]
        return (self._now() - int(began)) / MICROSECONDS if began.isdigit() else ABANDON_AFTER_SECONDS * 2

    def _seen_for(self, step: str) -> float:
        """Seconds since this process first found a step in its way: the clock that named the step may be ahead."""
        if len(self._seen) > MOST_SEEN:
            self._seen.clear()
        now = self._now()
        return (now - self._seen.setdefault(step, now)) / MICROSECONDS

    async def relay(self) -> int:
        """Finishes steps that were left, however it goes with one of them. Returns how many. Raises Outage."""
        left = await self.journal.older(self._now() - int(HELP_AFTER_SECONDS * MICROSECONDS), State.DECIDED)
        finished = 0
        for step in left:
            if step in self._mine:
                continue
            try:
                await self.finish(step)
            except Outage:
                raise
            except Exception:
                log.exception("the step %s was left and cannot be finished; it is tried again", step)
                continue
            finished += 1
        return finished

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


def _stuck(blocked: Blocked, is_request: bool) -> Conflict | Outage:
    """Of others who do not come to an end. Nothing new can be decided before they do: to load again would be in vain."""
    told = f"{blocked.collection}: {blocked.id} is being changed by others"
    if not is_request:
        return Conflict(told)
    if blocked.collection == CASES.name:
        return Outage("the case is changed by many at once; try again", retry_after_seconds=2.0)
    return Outage(f"{told}; try again", retry_after_seconds=2.0)
