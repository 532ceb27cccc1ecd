"""Workers as an operator starts them: processor time of an event with 1, 2 and 4 of them, and how fast they make up for a lag.

What a worker takes while it has nothing to do is measured too, and told apart: beside a slow database it would count as work.
"""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.mongo.consumers import read_positions
from tests.bench.distributed.ground import PARTITIONS, Ground, Installation, ground
from tests.bench.measuring import Figure
from tests.bench.workload import configuration
from tests.e2e.hubs import company, write_settings
from tests.support.process import HUBBUB, Running, running

WORK: dict[str, tuple[Topic, ...]] = {
    "cases": (Topic.INTERACTIONS, Topic.COMMANDS, Topic.DELIVERIES),
    "automation": (Topic.CASES,),
    "search": (Topic.CASES,),
}
READY_SECONDS, IDLE_SECONDS, MOST_SECONDS = 90.0, 5.0, 7200.0
LOOK_SECONDS, QUIET_LOOKS = 0.25, 4
AIM_RATIO = 1.15


def processor_seconds(process: int) -> float:
    """User and system time of a process so far, and of all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settings(folder: Path, on: Installation) -> Path:
    """The company of the workload, on these servers."""
    told = json.loads(
        configuration().model_dump_json(
            include={"queues", "rules", "templates", "automations"}, exclude_none=True
        )
    )
    return write_settings(
        folder, company(1) | told | {"log": on.log, "store": on.store, "health": {"port": 0}}
    )


class Workers:
    """So many worker processes on one installation."""

    def __init__(self, stack: AsyncExitStack, path: Path) -> None:
        self._stack = stack
        self._path = path
        self.runs: list[Running] = []

    async def start(self, count: int) -> None:
        for number in range(count):
            run = await self._stack.enter_async_context(
                running(HUBBUB, "worker", "--name", f"bench-{number}", "--config", str(self._path))
            )
            self.runs.append(run)
        await asyncio.gather(*(each.said("ready; stop with", READY_SECONDS) for each in self.runs))

    @property
    def processor_seconds(self) -> float:
        return sum(processor_seconds(each.process.pid) for each in self.runs)

    async def idle(self) -> float:
        """Processor seconds a second with nothing to do."""
        before = self.processor_seconds
        await asyncio.sleep(IDLE_SECONDS)
        return (self.processor_seconds - before) / IDLE_SECONDS


async def until_done(engine: DistributedEngine) -> None:
    """Until no consumer has anything left, several times in a row: each makes work for others."""
    quiet = 0
    async with asyncio.timeout(MOST_SECONDS):
        while quiet < QUIET_LOOKS:
            left = [await engine.lag(name, topics) for name, topics in WORK.items()]
            quiet = 0 if any(left) else quiet + 1
            await asyncio.sleep(LOOK_SECONDS)


async def moved(engine: DistributedEngine) -> int:
    """How many partitions of interactions the workers have moved in."""
    standing = (await read_positions(engine.database, "cases")).get("cases", {})
    return sum(name.startswith(f"{Topic.INTERACTIONS}:") for name in standing)


async def prepared(path: Path, installation: Installation, count: int) -> None:
    """An installation that ran before, so that it has its secret and its company, and then was down while much came."""
    await installation.make_topics()
    async with AsyncExitStack() as stack:
        before = Workers(stack, path)
        await before.start(1)
        await before.runs[0].stop(within_seconds=READY_SECONDS)
    await installation.fill(count)


async def _by(on: Ground, folder: Path, workers: int, count: int) -> Figure:
    installation = on.installation()
    await installation.make_topics()
    async with AsyncExitStack() as stack:
        made = Workers(stack, settings(folder / f"workers-{workers}", installation))
        await made.start(workers)
        engine = await installation.open()
        stack.push_async_callback(engine.close)
        await until_done(engine)
        idle = await made.idle()
        before, began = made.processor_seconds, time.perf_counter()
        await installation.fill(count)
        await until_done(engine)
        wall = time.perf_counter() - began
        spent = made.processor_seconds - before
        busy = max(0.0, spent - idle * wall)
        return {
            "workers": workers,
            "seconds": round(wall, 1),
            "interactions_per_second": round(count / wall, 1),
            "cpu_us_per_interaction": round(spent / count * 1e6, 1),
            "of_it_idle_us": round((spent - busy) / count * 1e6, 1),
            "busy_cpu_us_per_interaction": round(busy / count * 1e6, 1),
            "idle_cpu_ms_per_second": round(idle * 1000, 1),
            "partitions_moved": f"{await moved(engine)} of {PARTITIONS}",
        }


async def _recovery(on: Ground, folder: Path, count: int, workers: int) -> Figure:
    installation = on.installation()
    path = settings(folder / f"recovery-{workers}", installation)
    await prepared(path, installation, count)
    async with AsyncExitStack() as stack:
        made = Workers(stack, path)
        engine = await installation.open()
        stack.push_async_callback(engine.close)
        began = time.perf_counter()
        await made.start(workers)
        await until_done(engine)
        wall = time.perf_counter() - began
    return {
        "events_behind": count,
        "workers": workers,
        "seconds_to_zero_from_start": round(wall, 1),
        "per_second": round(count / wall, 1),
    }


def measure(folder: Path, count: int, workers: Sequence[int], behind: int) -> Figure:
    """`behind`: so many events wait for workers that were away, one and then two."""
    with ground(folder) as on:
        made = [asyncio.run(_by(on, folder, each, count)) for each in workers]
        recovery = [asyncio.run(_recovery(on, folder, behind, each)) for each in (1, 2)]
    gross = [float(str(each["cpu_us_per_interaction"])) for each in made]
    busy = [float(str(each["busy_cpu_us_per_interaction"])) for each in made]
    return {
        "interactions": count,
        "database": on.says,
        "by_workers": made,
        "cpu_ratio_to_one_worker": [round(each / gross[0], 3) for each in gross],
        "busy_cpu_ratio_to_one_worker": [round(each / busy[0], 3) for each in busy],
        "aim_ratio": AIM_RATIO,
        "lag_recovery": recovery,
    }
