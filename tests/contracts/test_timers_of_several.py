"""Timers on every engine with three processes: one looks, each timer has one effect, whatever clocks do and whoever ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.leases import Leases, Wanted
from hub.members import Members
from hub.timers import Timers
from schemas.cases import Timer
from schemas.commands import TimerDue
from schemas.ports import Engine
from schemas.steps import START, Page, Query, Step
from schemas.topics import Topic
from tests.contracts.engines import ATOMIC, ENGINES
from tests.contracts.samples import FixedClock, case, minutes

SECONDS = 10.0
CASES = 20


class Looking:
    """The engine, with what was asked of it counted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.looks = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    async def find(self, query: Query) -> Page[object]:
        self.looks += 1
        return await self._engine.find(query)  # type: ignore[return-value]


class Process:
    """The timers of one process, with a wall clock and a monotonic clock of its own."""

    def __init__(self, engine: Engine, monotonic: float, minute: float) -> None:
        self.monotonic = monotonic
        self.clock = FixedClock(minutes(minute))
        self.members = Members(
            engine, self.clock, seconds=SECONDS, monotonic=lambda: self.monotonic, place=""
        )
        self.leases = Leases(engine, self.clock, self.members, monotonic=lambda: self.monotonic)
        self.lease: Wanted = self.leases.want("timers")
        self.looking = Looking(engine)
        self.timers = Timers(self.looking, self.clock, self.leases)  # type: ignore[arg-type]

    async def go_on(self, seconds: float) -> int:
        self.monotonic += seconds / 5  # of the hub's usual beat; what is due is looked for less often here
        self.clock.moment += timedelta(seconds=seconds)
        await self.members.beat()
        await self.leases.look()
        return await self.timers.tick() if self.lease.is_held else 0


@pytest.fixture(params=ATOMIC)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    opened = await ENGINES[request.param](tmp_path / "data", FixedClock())
    documents = [
        (case(f"case {number}", timers=(Timer(name="snooze", due_at=minutes(number)),)), 0)
        for number in range(CASES)
    ]
    await opened.commit(Step(documents=[*documents]))
    yield opened
    await opened.close()


async def appended(engine: Engine) -> list[str]:
    """The ids of what timers appended, in order."""
    records = await engine.scan([Topic.COMMANDS], START, 1000)
    return [str(each.id) for each in records if each.event and isinstance(each.event.data, TimerDue)]


async def test_three_processes_append_each_due_timer_once_and_two_never_look(engine: Engine) -> None:
    processes = [Process(engine, 100.0 * number, 0) for number in range(3)]
    for each in processes:
        await each.leases.start()
    for _ in range(CASES * 6):
        for each in processes:
            await each.go_on(10)
    found = await appended(engine)
    assert len(found) == len(set(found)) == CASES
    assert sorted(each.looking.looks > 0 for each in processes) == [False, False, True]


async def test_another_goes_on_when_the_one_is_gone(engine: Engine) -> None:
    first, *others = [Process(engine, 100.0 * number, 0) for number in range(3)]
    for each in (first, *others):
        await each.leases.start()
    for _ in range(48):  # eight minutes
        for each in (first, *others):
            await each.go_on(10)
    before = await appended(engine)
    assert 0 < len(before) < CASES
    for _ in range(CASES * 6):  # the first is killed here
        for each in others:
            await each.go_on(10)
    found = await appended(engine)
    assert set(found) > set(before)
    assert len(set(found)) == CASES
    # What was due and not decided yet when the one was killed is appended again, under the same ids.
    assert len(found) <= CASES + len(before)
    assert sum(each.looking.looks > 0 for each in others) == 1


async def test_clocks_that_jump_lose_no_timer_and_double_no_effect(engine: Engine) -> None:
    processes = [Process(engine, 100.0 * number, 0) for number in range(3)]
    for each in processes:
        await each.leases.start()
    for jump in (5, -20, 60, -45, 90):  # minutes, of the one that looks
        holder = next(each for each in processes if each.lease.is_held)
        holder.clock.moment += timedelta(minutes=jump)
        for each in processes:
            await each.go_on(5)
        await holder.leases.stop()
        processes.remove(holder)
        processes.append(Process(engine, 7.0, 30))
        await processes[-1].leases.start()
        for each in processes:
            await each.go_on(5)
    found = await appended(engine)
    assert len(set(found)) == CASES
