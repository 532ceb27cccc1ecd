"""Timers go on whatever happens to one look."""

import asyncio
from typing import Any, cast

import pytest

from hub import timers
from hub.timers import Timers
from schemas.errors import Outage
from schemas.ports import Engine
from schemas.steps import Page, Query
from tests.support.clock import StandingClock


class Failing:
    """An engine that fails in each of these ways, then works."""

    def __init__(self) -> None:
        self.failures: list[Exception] = [Outage("the disk is full"), ValueError("a defect")]
        self.worked = asyncio.Event()

    async def find(self, query: Query) -> Page[Any]:
        if self.failures:
            raise self.failures.pop(0)
        self.worked.set()
        return Page([])


async def test_neither_an_outage_nor_a_defect_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "TICK_SECONDS", 0.001)
    engine = Failing()
    running = Timers(cast(Engine, engine), StandingClock())
    task = asyncio.create_task(running.run())
    async with asyncio.timeout(5):
        await engine.worked.wait()
    running.stop()
    await task
