"""`apply`: how fast interactions on the log become cases, timelines and reactions, beside the limit of the parts."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from hub.company import Company
from hub.consumers import AutomationConsumer, CasesConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.runner import Consumer, Runner
from sinks.sqlite.engine import open_engine
from tests.bench.measuring import Figure, Timed, settle, spread
from tests.bench.recording import Recorder, recording, replay
from tests.bench.workload import ACCOUNT, BRAND, FixedClock, fill

BATCH = 500
CONSUMERS = ("cases", "automation", "search")


class Run:
    """The consumers once over a copy of the data folder, each by itself and to the end of what is there."""

    def __init__(self, prepared: Path, folder: Path) -> None:
        shutil.copytree(prepared, folder)
        self._folder = folder
        self.timed = {name: Timed() for name in CONSUMERS}
        self.processed: dict[str, int] = {}

    async def run(self, consumers: Sequence[str] = CONSUMERS, recorder: Recorder | None = None) -> None:
        clock = FixedClock()
        engine = await open_engine(self._folder, clock=clock)
        company = await Company.open(engine, clock)
        deciding = Deciding(engine, clock, company, b"secret", {BRAND: ACCOUNT})
        made: dict[str, Consumer] = {
            "cases": CasesConsumer(deciding),
            "automation": AutomationConsumer(engine, company),
            "search": SearchConsumer(engine),
        }
        try:
            if recorder:
                recorder.is_on = True
            for name in consumers:
                runner = Runner(engine, clock, made[name], BATCH)
                settle()
                with self.timed[name].section():
                    while await runner.once():
                        pass
                self.processed[name] = runner.processed
            if recorder:
                recorder.is_on = False
        finally:
            await engine.close()


def measure(folder: Path, count: int, runs: int) -> Figure:
    """Runs of the hub and of the bare loop take turns, so that what else the machine does meets both."""
    prepared, record = folder / "prepared", folder / "record"
    asyncio.run(fill(prepared, count))
    with recording(record) as recorder:
        asyncio.run(Run(prepared, folder / "recorded").run(("cases",), recorder))
    shutil.rmtree(folder / "recorded")
    hub, limit = [], []
    for number in range(runs):
        run = Run(prepared, folder / f"hub-{number}")
        asyncio.run(run.run())
        shutil.rmtree(folder / f"hub-{number}")
        hub.append(run)
        shutil.copytree(prepared, folder / f"limit-{number}")
        settle()
        limit.append(replay(record, folder / f"limit-{number}"))
        shutil.rmtree(folder / f"limit-{number}")
    return _figure(count, hub, limit)


def _figure(count: int, hub: Sequence[Run], limit: Sequence[Timed]) -> Figure:
    figure: Figure = {"interactions": count, "batch": BATCH, "synchronous": "FULL"}
    for name in CONSUMERS:
        figure[name] = {
            "events": hub[0].processed[name],
            **rates([(run.processed[name], run.timed[name]) for run in hub]),
        }
    figure["limit"] = rates([(count, each) for each in limit])
    cases = [run.timed["cases"] for run in hub]
    figure["share_of_limit"] = {
        "wall": spread([bare.wall / whole.wall for bare, whole in zip(limit, cases, strict=True)], 3),
        "cpu": spread([bare.cpu / whole.cpu for bare, whole in zip(limit, cases, strict=True)], 3),
        "aim": 0.6,
    }
    return figure


def rates(runs: Sequence[tuple[int, Timed]]) -> Figure:
    return {
        "per_second": spread([count / timed.wall for count, timed in runs], 0),
        "per_cpu_second": spread([count / timed.cpu for count, timed in runs], 0),
        "cpu_us_per_event": spread([timed.cpu / count * 1e6 for count, timed in runs]),
    }
