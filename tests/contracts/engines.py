"""Which engines the contract runs on. An engine joins by one line here."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from schemas.ports import Clock, Engine
from sinks.distributed.engine import open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from sinks.sqlite.engine import open_engine
from tests.support.servers import server

OpenEngine = Callable[[Path, Clock], Awaitable[Engine]]

PARTITIONS = 2
PREFIX = f"contract-{uuid4().hex[:8]}."


async def open_sqlite(folder: Path, clock: Clock) -> Engine:
    return await open_engine(folder, clock=clock)


def on_servers(database: str, driver: str) -> OpenEngine:
    """Kafka with one of the servers that speak MongoDB's protocol. A folder stands for a database of its own."""
    names: dict[Path, str] = {}

    async def open_on_servers(folder: Path, clock: Clock) -> Engine:
        log = f"{server('kafka').url}?prefix={PREFIX}&partitions={PARTITIONS}"
        if folder not in names:
            names[folder] = f"contract_{uuid4().hex[:12]}"
            await empty_log(log)
        return await open_distributed(
            log, f"{server(database).url}{names[folder]}?driver={driver}", clock=clock
        )

    return open_on_servers


async def empty_log(url: str) -> None:
    """Topics that are there, with nothing in them. Their offsets go on: that is how a log looks that retention has emptied."""
    address = parse_address(url)
    async with TopicAdmin(address) as topics:
        planned = await topics.plan()
        await topics.apply(planned)
    if planned:
        return
    admin = AIOKafkaAdminClient(bootstrap_servers=list(address.servers))
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(address.prefix)]
        partitions = [
            TopicPartition(each["topic"], partition["partition"])
            for each in await admin.describe_topics(names)
            for partition in each["partitions"]
        ]
        await admin.delete_records({each: RecordsToDelete(before_offset=-1) for each in partitions})
    finally:
        await admin.close()


ENGINES: dict[str, OpenEngine] = {
    "sqlite": open_sqlite,
    "nx-27017": on_servers("nx-27017", "motor"),
    "mongo-standin": on_servers("mongo-standin", "motor"),
    "ferretdb": on_servers("ferretdb", "motor"),
    "ferretdb-pymongo": on_servers("ferretdb", "pymongo"),
}
# Tests of a kind run in one process, so that each server is started once.
KAFKA = [pytest.mark.server("kafka"), pytest.mark.xdist_group("servers")]
CHOICES = (
    "sqlite",
    pytest.param("nx-27017", marks=[*KAFKA, pytest.mark.server("nx-27017")]),
    pytest.param("mongo-standin", marks=[*KAFKA, pytest.mark.server("mongo-standin")]),
    pytest.param("ferretdb", marks=[*KAFKA, pytest.mark.server("ferretdb")]),
    # The same server by the other driver: beside the first it tells little more, and takes as long.
    pytest.param("ferretdb-pymongo", marks=[*KAFKA, pytest.mark.server("ferretdb"), pytest.mark.slow]),
)
ATOMIC = CHOICES[:3]
"""For tests in which two write at the same moment. FerretDB 1.24 reads, compares and writes apart: of 60 compare-and-sets by two
at once both succeeded 57 times (MongoDB promises one winner, nx-27017 had one each time)."""
