"""`console` on Kafka and MongoDB's protocol: what an agent waits for, in a company of as many cases as the database can be given.

The database's own time is in every figure: where none is named by HUBBUB_TEST_MONGODB it is a server in Python, many times slower
than MongoDB, and what is measured is a bound. Its sizes are small for the same reason; `cases` says which.
"""

import asyncio
import itertools
from pathlib import Path
from typing import cast

from schemas.collections import CASES
from schemas.events import SYSTEM
from schemas.steps import Query, Step
from sinks.sqlite.engine import SqliteEngine
from tests.bench.console import look
from tests.bench.distributed.ground import Installation, ground
from tests.bench.measuring import Figure
from tests.bench.workload import EVENTS_A_STEP, FixedClock, configuration, interactions
from tests.hub.console.office import _furnished

STREAM_PER_SECOND = 5


def measure(folder: Path, count: int) -> Figure:
    """So many interactions, and the cases that become of them."""
    with ground(folder) as on:
        return {"database": on.says, "interactions": count, **asyncio.run(_measure(on.installation(), count))}


async def _measure(installation: Installation, count: int) -> Figure:
    await installation.make_topics()
    engine, clock, coming = await installation.open(), FixedClock(), interactions(2 * count)
    try:
        desk = await _furnished(cast(SqliteEngine, engine), clock)
        await desk.context.publisher.publish(configuration(), SYSTEM)
        while events := list(itertools.islice(coming, min(EVENTS_A_STEP, count))):
            await engine.commit(Step(events=events))
            count -= len(events)
        await desk.settle()
        cases = await engine.count(Query(CASES))
        return {"cases": cases, **await look(desk, coming, STREAM_PER_SECOND)}
    finally:
        await engine.close()
