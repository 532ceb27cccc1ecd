"""`apply` on Kafka and MongoDB's protocol: processor time of an event in our process, beside the bare loop over the same work."""

import asyncio
from pathlib import Path

from hub.company import Company
from hub.consumers import AutomationConsumer, CasesConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.runner import Consumer, Runner
from sinks.mongo.layout import make_indexes
from tests.bench.apply import BATCH, CONSUMERS, rates
from tests.bench.distributed.ground import Ground, Installation, ground
from tests.bench.distributed.recording import Bare, Recorder, idle
from tests.bench.measuring import Figure, Timed, settle, spread
from tests.bench.workload import ACCOUNT, BRAND, FixedClock

AIM_SHARE, AIM_PER_CPU_SECOND = 0.5, 2_000


class Run:
    """The consumers once over an installation of their own, each by itself and to the end of what is there."""

    def __init__(self, on: Installation, records: Path) -> None:
        self.on = on
        self._records = records
        self.hub = {name: Timed() for name in CONSUMERS}
        self.bare = {name: Timed() for name in CONSUMERS}
        self.processed: dict[str, int] = {}
        self.hub_idle = self.bare_idle = 0.0
        """Processor seconds a second with connections open and nothing to do."""

    async def work(self, count: int) -> None:
        await self.on.make_topics()
        await self.on.fill(count)
        await self.on.publish_configuration()
        engine = await self.on.open()
        clock = FixedClock()
        company = await Company.open(engine, clock)
        deciding = Deciding(engine, clock, company, b"secret", {BRAND: ACCOUNT})
        consumers: tuple[Consumer, ...] = (
            CasesConsumer(deciding),
            AutomationConsumer(engine, company),
            SearchConsumer(engine),
        )
        try:
            self.topics = {each.name: tuple(each.topics) for each in consumers}
            for consumer in consumers:
                runner = Runner(engine, clock, consumer, BATCH)
                recorder = Recorder(engine)
                settle()
                before = 0
                while True:
                    with self.hub[consumer.name].section():
                        if not await runner.once():
                            break
                    recorder.read(runner.processed - before)
                    before = runner.processed
                await asyncio.to_thread(recorder.keep, self._records / consumer.name)
                self.processed[consumer.name] = runner.processed
            self.hub_idle = await idle()
        finally:
            await engine.close()

    async def work_barely(self, onto: Installation) -> None:
        """The same, by the bare loop."""
        await onto.make_topics()
        engine = await onto.open()
        await make_indexes(engine.database)
        await engine.close()
        for name in CONSUMERS:
            settle()
            bare = Bare(self.on, onto, self.topics[name])
            assert await bare.run(self._records / name, self.bare[name]) == self.processed[name]
            self.bare_idle = bare.idle


def measure(folder: Path, count: int, runs: int) -> Figure:
    """Hub and bare loop take turns, so that what else the machine does meets both."""
    with ground(folder) as on:
        made = [asyncio.run(_run(on, folder / f"records-{number}", count)) for number in range(runs)]
    return _figure(on, count, made)


async def _run(on: Ground, records: Path, count: int) -> Run:
    await asyncio.to_thread(records.mkdir)
    run = Run(on.installation(), records)
    await run.work(count)
    await run.work_barely(on.installation())
    return run


def _figure(on: Ground, count: int, runs: list[Run]) -> Figure:
    figure: Figure = {"interactions": count, "batch": BATCH, "database": on.says}
    for name in CONSUMERS:
        figure[name] = {
            "events": runs[0].processed[name],
            "hub": rates([(run.processed[name], run.hub[name]) for run in runs]),
            "limit": rates([(run.processed[name], run.bare[name]) for run in runs]),
            "share_of_limit_cpu": spread([run.bare[name].cpu / run.hub[name].cpu for run in runs], 3),
        }
    whole = [sum(each.cpu for each in run.hub.values()) for run in runs]
    bare = [sum(each.cpu for each in run.bare.values()) for run in runs]
    busy = [sum(each.cpu - run.hub_idle * each.wall for each in run.hub.values()) for run in runs]
    bare_busy = [sum(each.cpu - run.bare_idle * each.wall for each in run.bare.values()) for run in runs]
    figure["whole"] = {
        "says": "an interaction through cases, automations and search; processor time of our process, the servers' apart",
        "interactions_per_cpu_second": spread([count / each for each in whole], 0),
        "limit_per_cpu_second": spread([count / each for each in bare], 0),
        "share_of_limit_cpu": spread([each / mine for each, mine in zip(bare, whole, strict=True)], 3),
        "busy": {
            "says": "without what open connections cost while the database, which is slow, works",
            "hub_idle_ms_per_second": spread([run.hub_idle * 1000 for run in runs]),
            "limit_idle_ms_per_second": spread([run.bare_idle * 1000 for run in runs]),
            "interactions_per_cpu_second": spread([count / each for each in busy], 0),
            "limit_per_cpu_second": spread([count / each for each in bare_busy], 0),
            "share_of_limit_cpu": spread(
                [each / mine for each, mine in zip(bare_busy, busy, strict=True)], 3
            ),
        },
        "aim_share": AIM_SHARE,
        "aim_per_cpu_second": AIM_PER_CPU_SECOND,
    }
    return figure
