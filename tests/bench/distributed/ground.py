"""A broker and a database for measurements, and the workload on its log.

HUBBUB_TEST_MONGODB names a MongoDB to use instead of what stands for it here, by its address; or another server of deploy/local.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from deploy.local.servers import SERVERS
from hub.company import Company
from schemas.events import SYSTEM
from schemas.steps import Step
from sinks.distributed.engine import DistributedEngine, open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from tests.bench.workload import EVENTS_A_STEP, FixedClock, configuration, interactions

DATABASE = "mongo-standin"
"""What stands for MongoDB where none is named: it has MongoDB's indexes, and keeps nothing on a disk."""
OTHER = "HUBBUB_TEST_MONGODB"
PARTITIONS = 4


@dataclass(frozen=True)
class Ground:
    """Addresses of servers. Installations on it are kept apart by names."""

    broker: str
    database: str
    says: str
    """Which database server that is."""

    def installation(self) -> "Installation":
        name = uuid4().hex[:8]
        return Installation(
            f"{self.broker}?prefix=bench-{name}.&partitions={PARTITIONS}", f"{self.database}bench_{name}"
        )


@dataclass(frozen=True)
class Installation:
    log: str
    store: str

    @property
    def prefix(self) -> str:
        return parse_address(self.log).prefix

    @property
    def servers(self) -> list[str]:
        return list(parse_address(self.log).servers)

    async def make_topics(self) -> None:
        async with TopicAdmin(parse_address(self.log)) as topics:
            await topics.apply(await topics.plan())

    async def open(self) -> DistributedEngine:
        return await open_distributed(self.log, self.store, clock=FixedClock())

    async def fill(self, count: int, seed: int = 1) -> None:
        """The interactions on the log, and nothing done about them yet."""
        engine = await self.open()
        try:
            step = Step()
            for event in interactions(count, seed):
                step.events.append(event)
                if len(step.events) == EVENTS_A_STEP:
                    await engine.commit(step)
                    step = Step()
            await engine.commit(step)
        finally:
            await engine.close()

    async def publish_configuration(self) -> None:
        engine = await self.open()
        try:
            await (await Company.open(engine, FixedClock())).publish(configuration(), SYSTEM)
        finally:
            await engine.close()


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    named = os.environ.get(OTHER) or DATABASE
    chosen = SERVERS.get(named)
    broker = SERVERS["kafka"].open(folder / "kafka")
    database = chosen.open(folder / named) if chosen else None
    try:
        yield Ground(broker.url, database.url if database else named, chosen.says if chosen else named)
    finally:
        broker.kill()
        if database is not None:
            database.kill()
