"""The log of the engine in memory, with partitions: what sinks.kafka.log.KafkaLog offers, on lists."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from zlib import crc32

from schemas.events import Event
from schemas.steps import Batch, Place, Position, Record
from schemas.topics import Topic
from sinks.kafka.codec import Message, from_record, recorded_micros, to_message
from sinks.kafka.log import OFFSET_BITS
from sinks.kafka.offsets import Offsets, Partition, Standing, from_place, from_position, to_place, to_position
from sinks.kafka.reading import Raw
from sinks.kafka.stamps import Stamps

PARTITIONS = 2


class Broker:
    """What is on the log, whichever process wrote it, and who waits for more."""

    def __init__(self) -> None:
        self.records: dict[Partition, list[Raw]] = {
            (topic, number): [] for topic in Topic for number in range(PARTITIONS)
        }
        self.waiting: dict[asyncio.Future[None], None] = {}
        self._events: dict[Place, Event | None] = {}

    def append(self, message: Message) -> None:
        partition = (Topic(message.topic), crc32(message.key) % PARTITIONS)
        records = self.records[partition]
        stamp = recorded_micros(message.headers)
        records.append(Raw(partition, len(records), stamp, message.key, message.value, list(message.headers)))
        for each in [*self.waiting]:
            if not each.done():
                each.set_result(None)

    def ends(self) -> Offsets:
        return {partition: len(records) for partition, records in self.records.items()}

    def events(self, topic: Topic) -> dict[int, list[Event]]:
        """All of a topic, by partition."""
        return {
            number: [event for raw in self.records[topic, number] if (event := self.event(raw)) is not None]
            for number in range(PARTITIONS)
        }

    def event(self, raw: Raw) -> Event | None:
        place = to_place(*raw.partition, raw.offset)
        if place not in self._events:
            self._events[place] = from_record(place, raw.key, raw.value, raw.headers).event
        return self._events[place]


class MemoryLog:
    """One process's view of the broker. Every call passes the gate; each message is appended by itself."""

    def __init__(self, broker: Broker, stamps: Stamps, gate: Callable[[], Awaitable[None]]) -> None:
        self._broker = broker
        self._stamps = stamps
        self._gate = gate

    def messages(self, events: Sequence[Event]) -> list[Message]:
        return [to_message(event, self._stamps.next()) for event in events]

    async def publish(self, messages: Sequence[Message]) -> None:
        for each in messages:
            await self._gate()
            self._broker.append(each)

    async def read(self, consumer: str, topics: Sequence[Topic], before: Position, limit: int) -> Batch:
        records = await self.scan(topics, before, limit)
        return Batch(records, before, records[-1].position if records else before)

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> list[Record]:
        await self._gate()
        offsets = from_position(after)
        standing = Standing(offsets)
        found: list[Record] = []
        for raw in heapq.merge(*self._lists(topics, offsets), key=lambda each: each[0]):
            if len(found) == limit:
                break
            record = self._record(raw[1], standing)
            if key is None or record.key == key:
                found.append(record)
        return found

    def _lists(self, topics: Sequence[Topic], offsets: Offsets) -> list[list[tuple[tuple[int, int], Raw]]]:
        """Each partition with what it is merged by: a stamp below one before it counts as that."""
        lists = []
        for place, (partition, records) in enumerate(self._broker.records.items()):
            if partition[0] in topics:
                latest, keyed = 0, []
                for raw in records[offsets.get(partition, 0) :]:
                    latest = max(latest, raw.stamp)
                    keyed.append(((latest, place), raw))
                lists.append(keyed)
        return lists

    def _record(self, raw: Raw, standing: Standing) -> Record:
        topic, number = raw.partition
        place = to_place(topic, number, raw.offset)
        known = from_record(place, raw.key, raw.value, raw.headers)
        self._stamps.observe([raw.stamp])
        return Record(
            position=standing.after(raw.partition, raw.offset),
            event=known.event,
            id=known.id,
            type=known.type,
            key=known.key,
            topic=topic,
            value=raw.value or b"",
            problem=known.problem,
            order=PARTITIONS << OFFSET_BITS | raw.offset,
            place=place,
        )

    async def decoded(self, raws: Sequence[Raw], at: Mapping[Partition, int]) -> list[Record]:
        standing = Standing(at)
        return [self._record(each, standing) for each in raws]

    async def between(self, partition: Partition, first: int, last: int, limit: int) -> list[Raw]:
        await self._gate()
        return self._broker.records[partition][first:last][:limit]

    async def record(self, place: Place) -> Record | None:
        await self._gate()
        partition, offset = from_place(place)
        records = self._broker.records.get(partition, [])
        return self._record(records[offset], Standing({})) if offset < len(records) else None

    async def tail(self) -> Position:
        await self._gate()
        return to_position(self._broker.ends())

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        offsets = from_position(after)
        waiter = asyncio.get_running_loop().create_future()
        self._broker.waiting[waiter] = None
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._is_beyond(offsets):
                    await waiter
                    self._broker.waiting.pop(waiter, None)
                    waiter = asyncio.get_running_loop().create_future()
                    self._broker.waiting[waiter] = None
        except TimeoutError:
            pass
        finally:
            self._broker.waiting.pop(waiter, None)
        return self._is_beyond(offsets)

    def _is_beyond(self, offsets: Mapping[Partition, int]) -> bool:
        return any(end > offsets.get(partition, 0) for partition, end in self._broker.ends().items())

    async def lag(self, topics: Sequence[Topic], position: Position) -> int:
        await self._gate()
        offsets = from_position(position)
        return sum(
            end - offsets.get(partition, 0)
            for partition, end in self._broker.ends().items()
            if partition[0] in topics
        )

    async def everything(self) -> AsyncIterator[tuple[Partition, int, int, list[Raw]]]:
        for partition, records in self._broker.records.items():
            if records:
                yield partition, 0, len(records), records

    async def starts(self) -> Offsets:
        return dict.fromkeys(self._broker.records, 0)

    async def ends(self) -> Offsets:
        return self._broker.ends()

    async def close(self) -> None:
        return
