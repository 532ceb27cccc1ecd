"""The engine port on Kafka (the log) and MongoDB (the states). Any number of processes may have it open."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from schemas.collections import COLLECTIONS
from schemas.crash import crash_point
from schemas.documents import Document, Entry, EntryKind
from schemas.errors import Outage, Refused
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.ports import Clock
from schemas.steps import (
    Batch,
    Blob,
    Found,
    Hit,
    Outcome,
    Page,
    Place,
    Position,
    Query,
    QueueCount,
    Record,
    References,
    SearchText,
    Step,
)
from schemas.topics import Topic
from sinks.distributed.checking import faults
from sinks.distributed.committing import Committer
from sinks.distributed.ending import end
from sinks.distributed.plan import make_plan
from sinks.kafka.address import parse_address
from sinks.kafka.log import KafkaLog
from sinks.kafka.offsets import Offsets, covers, from_place, sortable, to_position
from sinks.kafka.settings import KafkaSettings
from sinks.kafka.stamps import Stamps
from sinks.mongo import documents
from sinks.mongo.blobs import PART_BYTES, check_name, known_blobs, read_blob, remove_blob, write_blobs
from sinks.mongo.consumers import handled, load_claims, read_outcomes, read_positions
from sinks.mongo.driver import open_database
from sinks.mongo.entries import Selection, load_entries, timeline
from sinks.mongo.filling import Filling
from sinks.mongo.layout import CLAIMS, MOVES, POSITIONS, SEARCH, make_indexes
from sinks.mongo.partitions import StoredCounts
from sinks.mongo.port import Bucket, DocumentDatabase
from sinks.mongo.search import search, unlike
from sinks.mongo.settings import MongoSettings
from sinks.mongo.tally import tally
from sinks.mongo.values import micros
from sinks.s3.settings import S3Settings, parse_bucket

log = logging.getLogger("hubbub.distributed")

RELAY_SECONDS = 1.0
KEPT_MARKS_SECONDS = 3600.0


class DistributedEngine:
    """Implements schemas.ports.Engine. Made by `open_distributed`."""

    is_one_order = False

    def __init__(
        self,
        events: KafkaLog,
        database: DocumentDatabase,
        clock: Clock,
        stamps: Stamps,
        files: Bucket | None = None,
        filling: Filling | None = None,
    ) -> None:
        """`files`: where large blobs are; None: in GridFS. `filling`: columns that older processes do not know."""
        self.events = events
        self.database = database
        self.files = files
        self._clock = clock
        self._stamps = stamps
        self._committer = Committer(database, events.publish, lambda: micros(clock.now()), reach=events.ends)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._relay())]
        if filling is not None:
            self._tasks.append(loop.create_task(filling.run()))
        self._closed = False

    async def commit(self, step: Step) -> None:
        for blob in step.blobs:
            check_name(blob)
        self._open()
        if step.blobs:
            await write_blobs(self.database, step.blobs, self.files)
            crash_point("distributed.after-blobs")
        plan = make_plan(step, self.events.messages(step.events), self._stamps.next)
        if plan.is_published_only and not step.events:
            return
        await self._committer.commit(plan, may_publish_later=step.consumer is None)

    async def _relay(self) -> None:
        """Publishes what was decided and left, by this process or another."""
        while True:
            await asyncio.sleep(RELAY_SECONDS)
            try:
                left = await self._committer.relay()
            except Outage:
                continue  # whoever works is told of it
            except Exception:
                log.exception("what was left could not be finished; it is tried again")
                continue
            if left:
                log.info("%d steps that were left are finished", left)

    def _open(self) -> None:
        if self._closed:
            raise Outage("the engine is closed")

    # -- the log ----------------------------------------------------------------------------------------------------

    async def read(self, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
        self._open()
        before = (await self._positions(consumer)).get(consumer, "")
        return await self.events.read(consumer, topics, before, limit)

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> list[Record]:
        return await self.events.scan(topics, after, limit, key)

    async def position_at(self, moment: datetime) -> Position:
        return await self.events.position_at(moment)

    async def record(self, place: Place) -> Record | None:
        return await self.events.record(place)

    def covers(self, position: Position, other: Place | Position) -> bool:
        return covers(position, other)

    async def tail(self) -> Position:
        return await self.events.tail()

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        return await self.events.wait(after, timeout_seconds)

    async def positions(self) -> Mapping[str, Position]:
        return await self._positions()

    async def _positions(self, consumer: str | None = None) -> dict[str, Position]:
        found = await read_positions(self.database, consumer)
        return {
            name: to_position({from_place(f"{each}:0")[0]: offset for each, offset in offsets.items()})
            for name, offsets in found.items()
        }

    async def offsets(self, consumer: str) -> Offsets:
        """The next record of each partition in which the consumer has ever moved."""
        found = (await read_positions(self.database, consumer)).get(consumer, {})
        return {from_place(f"{each}:0")[0]: offset for each, offset in found.items()}

    async def lag(self, consumer: str, topics: Sequence[Topic]) -> int:
        return await self.events.lag(topics, (await self._positions(consumer)).get(consumer, ""))

    # -- the states -------------------------------------------------------------------------------------------------

    async def load(self, references: References) -> Found:
        database = self.database
        known, threads, found, entries, numbers = await asyncio.gather(
            handled(database, references.handled),
            load_claims(database, references.threads),
            documents.load_documents(database, references.documents),
            load_entries(database, references.entries),
            documents.case_numbers(database, references.numbers),
        )
        return Found(handled=known, threads=threads, documents=found, entries=entries, numbers=numbers)

    async def find(self, query: Query) -> Page[Document]:
        return await documents.find(self.database, query)

    async def count(self, query: Query) -> int:
        return await documents.count(self.database, query)

    async def tally(self, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
        return await tally(self.database, queues, now)

    async def timeline(
        self,
        cases: Sequence[UUID] = (),
        handles: Sequence[UUID] = (),
        queues: Sequence[str] | None = None,
        channel: str | None = None,
        kinds: Sequence[EntryKind] = (),
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Entry]:
        return await timeline(self.database, Selection(cases, handles, queues, channel, kinds), limit, after)

    async def search(
        self, words: str, queues: Sequence[str] | None = None, limit: int = 20, after: str | None = None
    ) -> Page[Hit]:
        return await search(self.database, words, queues, limit, after)

    async def unlike(self, texts: Sequence[SearchText]) -> list[UUID]:
        return await unlike(self.database, texts)

    async def forget_search(self) -> None:
        await self.database.collection(SEARCH).delete_all({})

    async def outcomes(self, consumer: str, after: Place, limit: int) -> list[Outcome]:
        return await read_outcomes(self.database, consumer, sortable(after) if after else "", limit)

    async def blob(self, ref: BlobRef) -> bytes:
        return await read_blob(self.database, ref, self.files)

    async def blob_parts(self, ref: BlobRef) -> AsyncIterator[bytes]:
        content = await self.blob(ref)
        for first in range(0, len(content), PART_BYTES):
            yield content[first : first + PART_BYTES]

    async def put_blob(self, content: bytes, media_type: str) -> BlobRef:
        name = await asyncio.to_thread(sha256, content)
        ref = BlobRef(sha256=name, size=len(content), media_type=media_type)
        await write_blobs(self.database, [Blob(ref, content)], self.files)
        return ref

    async def remove_blob(self, ref: BlobRef) -> None:
        await remove_blob(self.database, ref, self.files)

    # -- keeping ----------------------------------------------------------------------------------------------------

    async def backup(self, folder: str) -> None:
        raise Refused(
            "Kafka and MongoDB are backed up by their own means (mongodump or snapshots, and replicas of the topics);"
            " a restored store goes on from the positions that it holds"
        )

    async def expire(self) -> int:
        """Kafka removes events by itself; what is left are remains of steps whose process ended, files of theirs too."""
        held = [*(each.name for each in COLLECTIONS), CLAIMS, POSITIONS]
        tidied = await self._committer.tidy(held, KEPT_MARKS_SECONDS)
        if self.files is None:
            return tidied
        return tidied + await self.files.sweep(partial(known_blobs, self.database))

    def check(self) -> AsyncIterator[str]:
        return faults(self.events, self.database, self.files)

    async def close(self) -> None:
        """Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        await end(self._tasks)
        await self.events.close()
        await self.database.close()


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the servers: TLS, users, passwords. `blobs` names the bucket of large blobs; None: they are in GridFS."""

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    mongodb: MongoSettings = field(default_factory=MongoSettings)
    blobs: str | None = None
    s3: S3Settings = field(default_factory=S3Settings)


async def open_distributed(
    log_url: str, store_url: str, *, clock: Clock, access: Access | None = None, is_moving: bool = False
) -> DistributedEngine:
    """Connects to both, and makes the indexes that are missing. The topics are there already: `hubbub topics apply` makes them.

    Raises Invalid for an address that cannot be read, Outage when a server does not answer or a topic is missing, Refused where a
    company is being moved to the store (`is_moving`: that is us).
    """
    stamps = Stamps(lambda: micros(clock.now()))
    access = access or Access()
    address = parse_address(log_url, access.kafka)
    database = open_database(store_url, access.mongodb)
    events = KafkaLog(address, stamps, StoredCounts(database, address.prefix))
    try:
        await database.ping()
        if not is_moving and await database.collection(MOVES).find({"_id": "move", "state": "going"}):
            raise Refused(
                "a company is being moved to this store: let `hubbub move` end, run it again to go on"
            )
        files = await _bucket(access, clock)
        await make_indexes(database)
        filling = Filling(database, lambda: micros(clock.now()))
        await filling.begin()
        await events.open()
    except BaseException:
        await events.close()
        await database.close()
        raise
    return DistributedEngine(events, database, clock, stamps, files, filling)


async def _bucket(access: Access, clock: Clock) -> Bucket | None:
    """The package is imported where a bucket is named: whoever keeps blobs in GridFS needs it not."""
    if access.blobs is None:
        return None
    address = parse_bucket(access.blobs)
    try:
        from sinks.s3.files import S3Files  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Outage(
            f"blobs need one more package: pip install 'hubbub[distributed,s3]' ({error})"
        ) from error
    files = S3Files(address, access.s3, clock)
    await files.check()
    return files
