"""Timers: what is due is only appended to the commands; the decider ignores a timer that its case no longer holds."""

import asyncio
import logging
from datetime import datetime
from uuid import UUID

from hub.leases import Leases
from schemas.cases import Timer
from schemas.collections import CASES
from schemas.commands import TimerDue
from schemas.documents import Case
from schemas.errors import Outage
from schemas.events import SYSTEM, Event
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.steps import Query, Step, Where

log = logging.getLogger("hubbub.timers")

TICK_SECONDS = 0.5
MOST_AT_ONCE = 500
REMEMBERED = 50_000


LEASE = "timers"


class Timers:
    """Looks for what is due twice a second. Appending a timer twice does no harm: its id derives from case and time.

    Of several processes one looks, under the lease; another goes on when that one is gone.
    """

    def __init__(self, engine: Engine, clock: Clock, leases: Leases | None = None) -> None:
        """Without leases nobody else can be looking."""
        self._engine = engine
        self._clock = clock
        self._leases = leases
        self._stopping = asyncio.Event()
        self._appended: dict[UUID, None] = {}

    async def run(self) -> None:
        lease = self._leases.want(LEASE) if self._leases is not None else None
        while not self._stopping.is_set():
            try:
                if lease is None or lease.is_held:
                    await self.tick()
            except Outage as outage:
                log.warning("timers wait: %s", outage)
            except Exception:
                log.exception("timers failed and try again")
            try:
                await asyncio.wait_for(self._stopping.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    def stop(self) -> None:
        self._stopping.set()

    async def tick(self) -> int:
        """Append what is due and was not appended yet. Returns how many."""
        now = self._clock.now()
        query = Query(CASES, (Where("next_due", "<=", now),), ("next_due",), MOST_AT_ONCE)
        page = await self._engine.find(query)
        events = [
            _event(case.id, timer, now)
            for case in page.items
            if isinstance(case, Case)
            for timer in case.timers
            if timer.due_at <= now
        ]
        fresh = [event for event in events if event.id not in self._appended]
        if fresh:
            await self._engine.commit(Step(events=fresh))
            self._appended.update(dict.fromkeys(event.id for event in fresh))
            while len(self._appended) > REMEMBERED:
                self._appended.pop(next(iter(self._appended)))
        return len(fresh)


def _event(case: UUID, timer: Timer, now: datetime) -> Event:
    """What follows from a timer follows from the automations that led to it: a loop over timers is a loop."""
    due = TimerDue(case=case, actor=SYSTEM, timer=timer.name, due_at=timer.due_at)
    id = derive("timer", case.hex, timer.name, timer.due_at.isoformat())
    return Event(
        id=id, key=str(case), time=now, data=due, source="/hub/timers", correlation=id, chain=timer.chain
    )
