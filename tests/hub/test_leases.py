"""The loop that keeps a process a member and takes what it wants; what it tells, and that nothing stops it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.leases import Leases, Wanted
from hub.members import Members
from hub.observe import Metric, Metrics
from schemas.errors import Outage
from schemas.ports import Engine
from schemas.steps import Step
from sinks.sqlite.engine import open_engine
from tests.hub.http.company import FixedClock
from tests.support.waiting import eventually

QUICK = 0.01


def has(wanted: Wanted) -> bool:
    """Whether it is held now."""
    return wanted.is_held


class Failing:
    """The engine; fails in each of these ways when something is looked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.failures: list[Exception] = []
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def commit(self, step: Step) -> None:
        if self.is_away:
            raise Outage("the store is away")
        await self._engine.commit(step)

    async def load(self, references: Any) -> Any:
        if self.failures:
            raise self.failures.pop()
        return await self._engine.load(references)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Failing]:
    opened = await open_engine(tmp_path, clock=FixedClock())
    yield Failing(opened)
    await opened.close()


async def test_what_is_wanted_is_taken_told_and_given_up(engine: Failing) -> None:
    metrics = Metrics()
    members = Members(engine, FixedClock(), seconds=60, place="")
    leases = Leases(engine, FixedClock(), members, QUICK, metrics)
    await leases.start()
    running = asyncio.create_task(leases.run())
    wanted = leases.want("mailbox")
    assert leases.want("mailbox") is wanted
    await eventually(lambda: metrics.value(Metric.LEASES, lease="mailbox") == 1)
    assert has(wanted)
    assert metrics.value(Metric.MEMBERS) == 1
    await leases.stop()
    await running
    assert not has(wanted)
    other = Leases(engine, FixedClock(), Members(engine, FixedClock(), place=""))
    taken = other.want("mailbox")
    await other.start()
    assert taken.is_held
    assert taken.token > wanted.token


async def test_neither_an_outage_nor_a_defect_ends_it(engine: Failing) -> None:
    leases = Leases(engine, FixedClock(), Members(engine, FixedClock(), seconds=60, place=""), QUICK)
    await leases.start()
    engine.failures = [Outage("the store is away"), ValueError("a defect")]
    wanted = leases.want("mailbox")
    running = asyncio.create_task(leases.run())
    await eventually(lambda: wanted.is_held)
    assert engine.failures == []
    await leases.stop()
    await running


async def test_a_process_that_cannot_renew_itself_lets_go_in_time(engine: Failing) -> None:
    leases = Leases(engine, FixedClock(), Members(engine, FixedClock(), seconds=0.2, place=""), QUICK)
    wanted = leases.want("mailbox")
    await leases.start()
    running = asyncio.create_task(leases.run())
    assert has(wanted)
    engine.is_away = True
    await eventually(lambda: not wanted.is_held)
    async with asyncio.timeout(5):
        while wanted._token is not None:  # whoever waits for a change is told
            await wanted.change()
    engine.is_away = False
    await eventually(lambda: wanted.is_held)
    await leases.stop()
    await running


async def test_alone_everything_is_held_at_once_and_nothing_is_written(engine: Failing) -> None:
    before = await engine.tail()
    leases = Leases(engine, FixedClock(), None)
    running = asyncio.create_task(leases.run())
    assert leases.want("timers").is_held
    await leases.stop()
    await running
    assert await engine.tail() == before
