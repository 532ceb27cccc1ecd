"""The broker or the database ends as by a power cut and comes back: nothing is lost, and it goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local.server import Running
from deploy.local.servers import SERVERS
from schemas.errors import Outage
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine, open_distributed
from tests.contracts.engines import empty_log
from tests.contracts.samples import case, entry, name, noted, received
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(180),
    pytest.mark.slow,
]
BACK_WITHIN_SECONDS = 60.0


class MachineClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Servers:
    """A broker and a database of the test's own, which may be killed and started again on what they kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: dict[str, Running] = {}

    def start(self, name: str, port: int | None = None) -> Running:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        self.running[name] = SERVERS[name].open(folder, port)
        return self.running[name]

    def kill(self, name: str) -> None:
        self.running[name].kill()

    def again(self, name: str) -> None:
        self.start(name, self.running[name].port)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    made = Servers(tmp_path)
    yield made
    for each in made.running.values():
        each.kill()


@pytest.fixture
async def engine(servers: Servers) -> AsyncIterator[DistributedEngine]:
    log = f"{servers.start('kafka').url}?partitions=2"
    await empty_log(log)
    engine = await open_distributed(log, f"{servers.start('nx-27017').url}outage", clock=MachineClock())
    yield engine
    await engine.close()


async def until_committed(engine: DistributedEngine, step: Step) -> int:
    """As a worker waits: again and again, until it is done. Returns how often it was told of an outage."""
    outages = 0
    async with asyncio.timeout(BACK_WITHIN_SECONDS):
        while True:
            try:
                await engine.commit(step)
            except Outage:
                outages += 1
                await asyncio.sleep(0.2)
            else:
                return outages


async def test_a_broker_that_is_killed_takes_nothing_with_it(
    engine: DistributedEngine, servers: Servers
) -> None:
    await engine.commit(Step(events=[received(1)]))
    position = (await engine.scan([Topic.INTERACTIONS], START, 10))[0].position
    servers.kill("kafka")
    async with asyncio.timeout(30):
        with pytest.raises(Outage):
            await engine.commit(Step(events=[received(2)]))
    id = name("case", "one")
    await engine.commit(Step(documents=[(case("one"), 0)], entries=[entry(1)], events=[noted(id, 1)]))
    with pytest.raises(Outage):
        await engine.tail()
    servers.again("kafka")
    await until_committed(engine, Step(events=[received(3)]))
    await eventually(lambda: engine.lag("anybody", [Topic.CASES]), BACK_WITHIN_SECONDS)
    assert [each.id for each in await engine.scan([Topic.CASES], START, 10)] == [noted(id, 1).id]
    batch = await engine.read("cases", [Topic.INTERACTIONS], 10)
    assert {received(1).id, received(3).id} <= {each.id for each in batch.records}
    await engine.commit(Step(consumer="cases", position=position))


async def test_a_database_that_is_killed_takes_nothing_with_it(
    engine: DistributedEngine, servers: Servers
) -> None:
    await engine.commit(Step(documents=[(case("one"), 0)], entries=[entry(1)]))
    servers.kill("nx-27017")
    async with asyncio.timeout(60):
        with pytest.raises(Outage):
            await engine.commit(Step(documents=[(case("two"), 0)], entries=[entry(2, "two")]))
        with pytest.raises(Outage):
            await engine.read("cases", [Topic.INTERACTIONS], 10)
    servers.again("nx-27017")
    await until_committed(engine, Step(documents=[(case("three"), 0)], entries=[entry(3, "three")]))
    page = await engine.timeline(cases=[name("case", label) for label in ("one", "three")])
    assert [each.sequence for each in page.items] == [3, 1]
