"""What a consumer asks of Kafka and the database, recorded by the step, and done again by a bare loop: the limit of the parts.

The bare loop reads the same records, looks for the same keys, writes the same documents and publishes the same bytes, by plain
aiokafka and plain bulk writes. It decodes nothing, decides nothing, holds nothing and keeps no journal.
"""

import asyncio
import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from motor.motor_asyncio import AsyncIOMotorClient

from schemas.steps import Found, References
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.distributed.plan import Plan
from sinks.mongo.layout import CLAIMS, POSITIONS
from sinks.mongo.port import DocumentCollection, Fields, Filter, Order
from tests.bench.distributed.ground import PARTITIONS, Installation
from tests.bench.measuring import Timed

FETCH_MILLISECONDS = 100
IDLE_SECONDS = 4.0


Asked = tuple[str, Any, tuple[str, ...]]
"""A query: collection, filter, fields."""


@dataclass
class Recorded:
    """One step, as plain data."""

    reads: int = 0
    """How many records it is about."""
    finds: list[Asked] = field(default_factory=list)
    inserts: dict[str, list[Fields]] = field(default_factory=dict)
    updates: dict[str, list[tuple[Any, Any, bool]]] = field(default_factory=dict)
    messages: list[tuple[str, bytes, bytes, list[tuple[str, bytes]]]] = field(default_factory=list)


class Recorder:
    """Stands between an engine and its committer and database until `keep`. Costs next to nothing while it listens."""

    def __init__(self, engine: DistributedEngine) -> None:
        self._engine = engine
        self._finds: list[Asked] = []
        self._steps: list[tuple[list[Asked], Plan]] = []
        self._reads: list[int] = []
        self._load = engine.load
        self._commit = engine._committer.commit
        vars(engine)["load"] = self._loaded
        vars(engine._committer)["commit"] = self._committed

    async def _loaded(self, references: References) -> Found:
        database = self._engine.database
        vars(self._engine)["database"] = RecordingDatabase(database, self._finds)
        try:
            return await self._load(references)
        finally:
            vars(self._engine)["database"] = database

    async def _committed(self, plan: Plan, may_publish_later: bool) -> None:
        self._steps.append((self._finds, plan))
        self._finds = []
        await self._commit(plan, may_publish_later)

    def read(self, count: int) -> None:
        """The step that was committed last was about so many records."""
        self._reads.append(count)

    def keep(self, path: Path) -> None:
        """Writes down what was heard, and listens no more."""
        del vars(self._engine)["load"], vars(self._engine._committer)["commit"]
        steps = [
            _recorded(count, finds, plan)
            for count, (finds, plan) in zip(self._reads, self._steps, strict=True)
        ]
        path.write_bytes(pickle.dumps(steps))


def _recorded(count: int, finds: list[Asked], plan: Plan) -> Recorded:
    step, redo = Recorded(count, finds), plan.redo
    for name, states in redo.states.items():
        numbers = {hold.id: hold.fresh for hold in plan.holds if hold.collection == name}
        step.updates[name] = [
            ({"_id": id}, {"$set": fields, "$setOnInsert": numbers[id]}, True) for id, fields in states
        ]
    for name, writes, upsert in redo.writes:
        step.updates.setdefault(name, []).extend([(filter, change, upsert) for filter, change in writes])
    if plan.claims:
        step.inserts[CLAIMS] = [
            {"_id": hashed, "owner": owner, "reference": plan.references[hashed][:200]}
            for hashed, owner in plan.claims.items()
        ]
    step.updates[POSITIONS] = [
        ({"_id": id}, {"$set": {"offset": offset}}, True) for id, offset in redo.positions
    ]
    step.messages = [(each.topic, each.key, each.value, each.headers) for each in redo.messages]
    return step


class RecordingDatabase:
    def __init__(self, database: Any, into: list[Asked]) -> None:
        self._database = database
        self._into = into

    def collection(self, name: str) -> "RecordingCollection":
        return RecordingCollection(name, self._database.collection(name), self._into)


class RecordingCollection:
    def __init__(self, name: str, collection: DocumentCollection, into: list[Asked]) -> None:
        self._name = name
        self._collection = collection
        self._into = into

    async def find(
        self, filter: Filter, fields: Sequence[str] = (), order: Order = (), limit: int = 0
    ) -> list[Fields]:
        self._into.append((self._name, filter, tuple(fields)))
        return await self._collection.find(filter, fields, order, limit)


async def idle() -> float:
    """Processor seconds a second of this process while nobody asks it for anything."""
    before = time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    return (time.process_time() - before) / IDLE_SECONDS


class Bare:
    """The bare loop on an installation of its own, which reads the log of the one that was recorded."""

    def __init__(self, of: Installation, onto: Installation, topics: Sequence[Topic]) -> None:
        self._of, self._onto, self._topics = of, onto, topics
        self._ahead: list[Any] = []
        self.idle = 0.0

    async def run(self, path: Path, timed: Timed) -> int:
        """Returns how many records were read. Reading the record of what is to be done is not timed."""
        steps: list[Recorded] = pickle.loads(await asyncio.to_thread(path.read_bytes))  # noqa: S301  written by ourselves
        client: Any = AsyncIOMotorClient(self._onto.store, w="majority", journal=True)
        self._database = client[urlsplit(self._onto.store).path.strip("/")]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._of.servers, group_id=None, auto_offset_reset="earliest",
            max_partition_fetch_bytes=1024 * 1024, fetch_max_wait_ms=FETCH_MILLISECONDS,
        )  # fmt: skip
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._onto.servers,
            acks="all",
            enable_idempotence=True,
            max_batch_size=256 * 1024,
        )
        await self._consumer.start()
        await self._producer.start()
        try:
            self._assign()
            await self._database.command("ping")
            with timed.section():
                for step in steps:
                    await self._do(step)
            self.idle = await idle()
        finally:
            await self._consumer.stop()
            await self._producer.stop()
            client.close()
        return sum(step.reads for step in steps)

    def _assign(self) -> None:
        self._consumer.assign(
            [
                TopicPartition(f"{self._of.prefix}{topic}", number)
                for topic in self._topics
                for number in range(PARTITIONS)
            ]
        )

    async def _do(self, step: Recorded) -> None:
        await self._read(step.reads)
        await asyncio.gather(*(self._find(*each) for each in step.finds))
        await asyncio.gather(
            *(self._insert(name, each) for name, each in step.inserts.items()),
            *(self._update(name, each) for name, each in step.updates.items() if each),
        )
        sent = [
            await self._producer.send(f"{self._onto.prefix}{topic}", value, key, headers=headers)
            for topic, key, value, headers in step.messages
        ]
        if sent:
            await asyncio.wait(sent)

    async def _read(self, count: int) -> None:
        while len(self._ahead) < count:
            for records in (await self._consumer.getmany(timeout_ms=FETCH_MILLISECONDS)).values():
                self._ahead += records
        del self._ahead[:count]

    async def _find(self, name: str, filter: Any, fields: tuple[str, ...]) -> None:
        await self._database[name].find(filter, dict.fromkeys(fields, 1) or None).to_list(None)

    async def _insert(self, name: str, documents: list[Fields]) -> None:
        await self._database[name].insert_many(documents, ordered=False)

    async def _update(self, name: str, changes: list[tuple[Any, Any, bool]]) -> None:
        requests: Iterator[Any] = (
            pymongo.UpdateOne(filter, change, upsert=upsert) for filter, change, upsert in changes
        )
        await self._database[name].bulk_write(list(requests), ordered=False)
