"""A hub at work on a real Kafka, for what readers make of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from hub.company import Company
from schemas.commands import ReplyToCase, ResolveCase
from schemas.documents import Case
from schemas.events import SYSTEM
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.distributed.engine import open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from tests.hub.test_flow import CONFIGURATION, MIA, Flow
from tests.support.clock import StandingClock
from tests.support.servers import server

ON_SERVERS = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
]


@dataclass
class Log:
    """Where others read, and the hub that writes."""

    servers: str
    prefix: str
    database: str
    flow: Flow

    async def answered(self, name: str) -> Case:
        """A case from its first message to its end."""
        await self.flow.receive(name)
        await self.flow.settle()
        (case,) = [each for each in await self.flow.cases() if each.state == "open"]
        case = await self.flow.do(MIA, ReplyToCase, case, text="Here it is.")
        await self.flow.settle()
        (case,) = [each for each in await self.flow.cases() if each.id == case.id]
        case = await self.flow.do(MIA, ResolveCase, case)
        await self.flow.settle()
        return case

    async def tell_again(self) -> None:
        """All events of cases once more: what a crash between log and store may leave."""
        records = await self.flow.engine.scan([Topic.CASES], START, 1000)
        await self.flow.engine.commit(Step(events=[each.event for each in records if each.event]))


@asynccontextmanager
async def a_log() -> AsyncIterator[Log]:
    clock, prefix = StandingClock(), f"readers-{uuid4().hex[:8]}."
    url = f"{server('kafka').url}?prefix={prefix}&partitions=2"
    async with TopicAdmin(parse_address(url)) as topics:
        await topics.apply(await topics.plan())
    database = f"readers_{uuid4().hex[:12]}"
    store = f"{server('nx-27017').url}{database}"
    engine = await open_distributed(url, store, clock=clock)
    try:
        company = await Company.open(engine, clock)
        await company.publish(CONFIGURATION, SYSTEM)
        yield Log(f"127.0.0.1:{server('kafka').port}", prefix, database, Flow(engine, clock, company))
    finally:
        await engine.close()
