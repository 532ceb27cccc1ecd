"""What one interaction takes on Kafka and in MongoDB: `python -m tests.bench.sizes > docs/operators/sizing.json`.

The workload of the other measurements through cases and automation, on the real servers of deploy/local. Bytes are those of
records and of BSON documents, before any compression and without indexes.
"""

import asyncio
import json
import sys
from collections import Counter
from typing import Any
from uuid import uuid4

import bson
import pymongo
from aiokafka import AIOKafkaConsumer
from pymongo import monitoring

from hub.company import Company
from hub.consumers import AutomationConsumer, CasesConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.runner import Runner
from schemas.events import SYSTEM
from schemas.ports import Engine
from schemas.steps import Step
from schemas.topics import Topic
from sinks.distributed.engine import open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from tests.bench.measuring import Figure, Timed, machine, settle
from tests.bench.workload import ACCOUNT, BRAND, FixedClock, configuration, interactions
from tests.support.servers import server

COUNT = 3_000
BATCH = 500
PARTITIONS = 4
DATABASE_SERVER = "nx-27017"


class Commands(monitoring.CommandListener):
    """How often the database was asked, by the name of the command."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.counts[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Counted when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Counted when it started."""


def measure(count: int = COUNT) -> Figure:
    commands = Commands()
    monitoring.register(commands)
    return asyncio.run(_measured(count, commands))


async def _measured(count: int, commands: Commands) -> Figure:
    prefix, database = f"sizes-{uuid4().hex[:8]}.", f"sizes_{uuid4().hex[:8]}"
    log = f"{server('kafka').url}?prefix={prefix}&partitions={PARTITIONS}"
    store = server(DATABASE_SERVER).url
    async with TopicAdmin(parse_address(log)) as topics:
        await topics.apply(await topics.plan())
    engine = await open_distributed(log, f"{store}{database}", clock=FixedClock())
    try:
        company = await _filled(engine, count)
        commands.counts.clear()
        timed = await _worked_off(engine, company)
    finally:
        await engine.close()
    asked = dict(commands.counts)
    log_bytes = await _records(f"127.0.0.1:{server('kafka').port}", prefix)
    return {
        "machine": machine(),
        "servers": ["Apache Kafka 4.1.0, one broker", f"{DATABASE_SERVER} 0.8.1 in place of MongoDB"],
        "interactions": count,
        "batch": BATCH,
        "text_bytes_an_interaction": round(sum(_text_bytes(each) for each in interactions(count)) / count),
        "worker_cpu_milliseconds_an_interaction": round(timed.cpu * 1000 / count, 3),
        "log": {topic: _each(count, *figures) for topic, figures in sorted(log_bytes.items())},
        "store": {
            name: _each(count, *figures) for name, figures in sorted(_documents(store, database).items())
        },
        "database_commands_a_hundred_interactions": {
            name: round(times * 100 / count, 2) for name, times in sorted(asked.items())
        },
    }


def _text_bytes(event: Any) -> int:
    return len(event.data.content.text.encode())


async def _filled(engine: Engine, count: int) -> Company:
    step = Step()
    for event in interactions(count):
        step.events.append(event)
        if len(step.events) == BATCH:
            await engine.commit(step)
            step = Step()
    await engine.commit(step)
    company = await Company.open(engine, FixedClock())
    await company.publish(configuration(), SYSTEM)
    return company


async def _worked_off(engine: Engine, company: Company) -> Timed:
    """Cases, automation and search take turns, until nothing is left: what a rule asks for is decided as well."""
    clock = FixedClock()
    deciding = Deciding(engine, clock, company, b"secret", {BRAND: ACCOUNT})
    consumers = (CasesConsumer(deciding), AutomationConsumer(engine, company), SearchConsumer(engine))
    runners = [Runner(engine, clock, each, BATCH) for each in consumers]
    timed = Timed()
    settle()
    with timed.section():
        while any([await runner.once() for runner in runners]):
            pass
    return timed


async def _records(servers: str, prefix: str) -> dict[str, tuple[int, int]]:
    """Topic -> records and their bytes: key, value, headers."""
    found: dict[str, tuple[int, int]] = {}
    consumer = AIOKafkaConsumer(
        *(f"{prefix}{topic}" for topic in Topic), bootstrap_servers=servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                topic = partition.topic.removeprefix(prefix)
                number, size = found.get(topic, (0, 0))
                found[topic] = (number + len(records), size + sum(map(_bytes, records)))
    finally:
        await consumer.stop()
    found.pop(str(Topic.CONFIGURATION), None)  # one, whatever comes in
    return found


def _bytes(record: Any) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _documents(store: str, database: str) -> dict[str, tuple[int, int]]:
    """Collection -> documents and their bytes."""
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(store)
    try:
        found = {}
        for name in client[database].list_collection_names():
            sizes = [len(bson.encode(each)) for each in client[database][name].find()]
            found[name] = (len(sizes), sum(sizes))
        return {name: figures for name, figures in found.items() if figures[0] > BATCH}
    finally:
        client.close()


def _each(count: int, number: int, size: int) -> Figure:
    return {"an_interaction": round(number / count, 3), "bytes_each": round(size / number)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else COUNT), indent=2) + "\n")
