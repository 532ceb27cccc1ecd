"""`growth`: what an event costs when there is ten times as much beside it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.company import Company
from hub.consumers import CasesConsumer
from hub.deciding import Deciding
from hub.runner import Runner
from schemas.events import SYSTEM, Event
from schemas.steps import Step
from sinks.sqlite.connection import open_reader
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.bench.apply import BATCH
from tests.bench.measuring import Figure, Timed, settle
from tests.bench.workload import ACCOUNT, BRAND, FixedClock, configuration, interactions

SLICE = 10_000  # interactions put on the log and applied at once; the cost of the last one counts
EVENTS_A_STEP = 1_000


def measure(folder: Path, small: int, large: int) -> Figure:
    """CPU for an interaction when there are about `small` entries, and again at `large`, in one data folder that grows."""
    return asyncio.run(_measure(folder, small, large))


async def _measure(folder: Path, small: int, large: int) -> Figure:
    events = interactions(large)  # every interaction makes one entry at least
    async with _growing(folder / "data") as (engine, runner):
        entries, at_small = await _grow(engine, runner, events, small)
        grown, at_large = await _grow(engine, runner, events, large)
    return {
        "entries": [entries, grown],
        "cpu_us_per_event": [round(at_small, 1), round(at_large, 1)],
        "ratio": round(at_large / at_small, 3),
        "aim": 1.3,
    }


async def grow(folder: Path, events: Iterator[Event], wanted: int) -> None:
    """A data folder in which cases were made of so many of these that there are `wanted` entries."""
    async with _growing(folder) as (engine, runner):
        await _grow(engine, runner, events, wanted)


@asynccontextmanager
async def _growing(folder: Path) -> AsyncIterator[tuple[SqliteEngine, Runner]]:
    clock = FixedClock()
    engine = await open_engine(folder, clock=clock)
    try:
        company = await Company.open(engine, clock)
        await company.publish(configuration(), SYSTEM)
        consumer = CasesConsumer(Deciding(engine, clock, company, b"secret", {BRAND: ACCOUNT}))
        yield engine, Runner(engine, clock, consumer, BATCH)
    finally:
        await engine.close()


async def _grow(
    engine: SqliteEngine, runner: Runner, events: Iterator[Event], wanted: int
) -> tuple[int, float]:
    """Entries there are now, and microseconds of CPU for an interaction of the last slice."""
    entries, timed = 0, Timed()
    while entries < wanted:
        for _ in range(SLICE // EVENTS_A_STEP):
            await engine.commit(Step(events=list(itertools.islice(events, EVENTS_A_STEP))))
        settle()
        timed = Timed()
        with timed.section():
            while await runner.once():
                pass
        entries = _entries(engine.folder)
    return entries, timed.cpu / SLICE * 1e6


def _entries(folder: Path) -> int:
    reader = open_reader(folder)
    try:
        return int(reader.execute("SELECT max(number) FROM entries").get or 0)
    finally:
        reader.close()
