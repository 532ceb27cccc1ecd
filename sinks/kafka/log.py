"""The log of the engine port on Kafka: what reads and writes events, and nothing of the states."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from schemas.errors import Outage
from schemas.events import Event
from schemas.steps import Batch, Place, Position, Record
from schemas.topics import Topic
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import Message
from sinks.kafka.errors import quieten
from sinks.kafka.offsets import (
    Offsets,
    Partition,
    Standing,
    from_place,
    from_position,
    to_place,
    to_position,
)
from sinks.kafka.partitions import History, PartitionCounts
from sinks.kafka.producing import Publisher
from sinks.kafka.reading import Raw, Reader
from sinks.kafka.stamps import Stamps
from sinks.kafka.tail import Tail

MOST_IDLE_READERS = 12
OFFSET_BITS = 44
CHUNK = 1000


class KafkaLog:
    """Open it with `open`. Everything may raise Outage."""

    def __init__(self, address: KafkaAddress, stamps: Stamps, counts: PartitionCounts | None = None) -> None:
        """`counts`: lets records of one key be found without reading all partitions; one of its own for each log."""
        self.address = address
        self._history = None if counts is None else History(counts)
        self._stamps = stamps
        self._tail = Tail(self._look)
        self._publisher = Publisher(address, stamps, self._tail.told)
        self._consumers: dict[tuple[str, tuple[Topic, ...]], Reader] = {}
        self._idle: OrderedDict[Reader, None] = OrderedDict()
        self._watching: Reader | None = None
        self._starts: Offsets = {}
        self._closing: set[asyncio.Future[None]] = set()
        self._closed = False

    async def open(self) -> None:
        quieten()
        try:
            await self._publisher.start()
            self._watching = await self._reader(tuple(Topic))
            self._starts = await self._watching.starts()
            await self._tail.ends()
            await self._note_counts(Topic)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Ends all readers and the producer. Calling it again does nothing."""
        self._closed = True
        await self._tail.close()
        readers = [*self._consumers.values(), *self._idle, *([self._watching] if self._watching else [])]
        self._consumers.clear()
        self._idle.clear()
        self._watching = None
        await asyncio.gather(*(each.close() for each in readers), *self._closing, return_exceptions=True)
        await self._publisher.close()

    # -- writing ----------------------------------------------------------------------------------------------------

    def messages(self, events: Sequence[Event]) -> list[Message]:
        return self._publisher.messages(events)

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when all are durable, in this order within each partition."""
        await self._note_counts({Topic(each.topic) for each in messages})
        await self._publisher.send(messages)

    async def _note_counts(self, topics: Iterable[Topic]) -> None:
        """Before anything is written by them."""
        if self._history is not None:
            for topic in topics:
                await self._history.note(topic, len(await self._publisher.partitions(topic)))

    async def put(self, messages: Sequence[Message]) -> list[tuple[Partition, int]]:
        """The same, and tells where each is. No event may be among them twice."""
        return await self._publisher.send(messages)

    # -- reading ----------------------------------------------------------------------------------------------------

    async def read(self, consumer: str, topics: Sequence[Topic], before: Position, limit: int) -> Batch:
        """The next records beyond `before`, which the consumer's reader most likely has fetched already."""
        reader = await self._of_consumer(consumer, tuple(sorted(set(topics))))
        async with reader.lock:
            ends = await reader.ends()
            await reader.seek(from_position(before))
            standing = Standing(from_position(before) | reader.next)
            taken = await reader.take(limit, ends)
        records = self._records(taken, standing, reader.counts)
        return Batch(records, before, records[-1].position if records else before)

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> list[Record]:
        if not topics or limit <= 0:
            return []
        offsets = from_position(after)
        wanted = None if key is None else key.encode()
        records: list[Record] = []
        names = tuple(sorted(set(topics)))
        only = None if wanted is None else await self._of_key(names, wanted)
        async with self._borrowed(names, offsets, only) as reader:
            ends = await reader.ends()
            await reader.seek(offsets)
            standing = Standing(offsets | reader.next)
            while len(records) < limit:
                count = limit if wanted is None else CHUNK
                found = await reader.take(count, ends)
                self._stamps.observe([each.stamp for each in found])
                for each in found:
                    if wanted is not None and each.key != wanted:
                        standing.after(each.partition, each.offset)
                        continue
                    records.append(self._record(each, standing, reader.counts[each.partition[0]]))
                    if len(records) == limit:
                        break
                if len(found) < count:
                    break
        return records

    async def record(self, place: Place) -> Record | None:
        if not place:
            return None
        partition, offset = from_place(place)
        if partition not in await self._partitions((partition[0],)):
            return None
        at = {partition: offset}
        async with self._borrowed((partition[0],), at, only=(partition,)) as reader:
            ends = await reader.ends()
            await reader.seek(at)
            found = await reader.take(1, ends)
        if not found or found[0].offset != offset:
            return None
        return self._records(found, Standing({}), reader.counts)[0]

    def _records(
        self, raws: Sequence[Raw], standing: Standing, partitions: Mapping[Topic, int]
    ) -> list[Record]:
        self._stamps.observe([each.stamp for each in raws])
        return [self._record(each, standing, partitions[each.partition[0]]) for each in raws]

    def _record(self, raw: Raw, standing: Standing, partitions: int) -> Record:
        """`partitions`: how many the record's topic has."""
        topic, number = raw.partition
        place = to_place(topic, number, raw.offset)
        decoded = raw.decoded(place)
        return Record(
            position=standing.after(raw.partition, raw.offset),
            event=decoded.event,
            id=decoded.id,
            type=decoded.type,
            key=decoded.key,
            topic=topic,
            value=raw.value or b"",
            problem=decoded.problem,
            # A topic with more partitions than before begins anew in each, and is still above all that was.
            order=partitions << OFFSET_BITS | raw.offset,
            place=place,
        )

    async def decoded(self, raws: Sequence[Raw], at: Mapping[Partition, int]) -> list[Record]:
        """Records that somebody else has fetched, for a reader who stands at these offsets."""
        topics = sorted({each.partition[0] for each in raws})
        counts = {topic: len(await self._partitions((topic,))) for topic in topics}
        return self._records(raws, Standing(at), counts)

    async def between(self, partition: Partition, first: int, last: int, limit: int) -> list[Raw]:
        """Up to so many records of one partition from one offset to before another, as they lie."""
        at = {partition: first}
        async with self._borrowed((partition[0],), at, only=(partition,)) as reader:
            await reader.seek(at)
            return await reader.take(limit, {partition: last})

    async def everything(self) -> AsyncIterator[tuple[Partition, int, int, list[Raw]]]:
        """Each partition in chunks, as it lies: the offsets from which and up to which a chunk should go, and its records."""
        ends, starts = await self.ends(), await self.starts()
        for partition, end in ends.items():
            first = starts.get(partition, 0)
            while first < end:
                at = {partition: first}
                async with self._borrowed((partition[0],), at, only=(partition,)) as reader:
                    await reader.seek(at)
                    found = await reader.take(CHUNK, {partition: end})
                last = found[-1].offset + 1 if len(found) == CHUNK else end
                yield partition, first, last, found
                first = last

    # -- where it ends ----------------------------------------------------------------------------------------------

    async def tail(self) -> Position:
        return to_position(await self._tail.ends())

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        offsets = from_position(after)
        effective = {each: max(offsets.get(each, 0), start) for each, start in self._starts.items()}
        return await self._tail.wait(
            effective | {k: v for k, v in offsets.items() if k not in effective}, timeout_seconds
        )

    async def lag(self, topics: Sequence[Topic], position: Position) -> int:
        """How many records of these topics lie beyond a position."""
        offsets, wanted = from_position(position), set(topics)
        ends, starts = await self._tail.ends(), await self.starts()
        return sum(
            max(0, end - max(offsets.get(each, 0), starts.get(each, 0)))
            for each, end in ends.items()
            if each[0] in wanted
        )

    async def position_at(self, moment: datetime) -> Position:
        return to_position(await (await self._watcher()).at(moment))

    async def starts(self) -> Offsets:
        """The first record of each partition that retention left."""
        self._starts = await (await self._watcher()).starts()
        return self._starts

    async def ends(self) -> Offsets:
        return await self._tail.ends()

    async def _look(self) -> Offsets:
        return await (await self._watcher()).ends()

    # -- readers ----------------------------------------------------------------------------------------------------

    async def _watcher(self) -> Reader:
        """A reader that never reads: it asks for offsets. Made anew when a topic has grown."""
        if self._watching is None:
            raise Outage("kafka: the log is closed")
        if self._watching.partitions != await self._partitions(tuple(Topic)):
            old, self._watching = self._watching, await self._reader(tuple(Topic))
            await old.close()
        return self._watching

    async def _partitions(self, topics: Sequence[Topic]) -> tuple[Partition, ...]:
        return tuple([(topic, each) for topic in topics for each in await self._publisher.partitions(topic)])

    async def _of_key(self, topics: Sequence[Topic], key: bytes) -> tuple[Partition, ...] | None:
        """The partitions in which records of the key may be; None: any."""
        if self._history is None:
            return None
        found: list[Partition] = []
        for topic in topics:
            there = len(await self._publisher.partitions(topic))
            found += [(topic, each) for each in sorted(await self._history.partitions_of(key, topic, there))]
        return tuple(found)

    async def _reader(self, topics: Sequence[Topic], only: tuple[Partition, ...] | None = None) -> Reader:
        if self._closed:
            raise Outage("kafka: the log is closed")
        partitions = await self._partitions(topics)
        counts = {topic: sum(each[0] == topic for each in partitions) for topic in topics}
        reader = Reader(self.address, partitions if only is None else only, counts)
        await reader.start()
        return reader

    async def _of_consumer(self, consumer: str, topics: tuple[Topic, ...]) -> Reader:
        reader = self._consumers.get((consumer, topics))
        if reader is not None and reader.partitions == await self._partitions(topics):
            return reader
        if reader is not None:
            del self._consumers[consumer, topics]
            await reader.close()
        reader = self._consumers[consumer, topics] = await self._reader(topics)
        return reader

    @asynccontextmanager
    async def _borrowed(
        self, topics: tuple[Topic, ...], at: Offsets, only: tuple[Partition, ...] | None = None
    ) -> AsyncIterator[Reader]:
        """A reader of these partitions for one who reads once: best an idle one that stands there already."""
        partitions = await self._partitions(topics) if only is None else only
        fitting = [each for each in self._idle if each.partitions == partitions]
        fitting.sort(key=lambda each: all(each.next.get(name) == at.get(name) for name in partitions))
        if fitting:
            reader = fitting[-1]
            del self._idle[reader]
        else:
            reader = await self._reader(topics, only)
        try:
            yield reader
        except BaseException:
            self._close_soon(reader)
            raise
        self._idle[reader] = None
        while len(self._idle) > MOST_IDLE_READERS:
            self._close_soon(self._idle.popitem(last=False)[0])

    def _close_soon(self, reader: Reader) -> None:
        self._closing.add(task := asyncio.ensure_future(reader.close()))
        task.add_done_callback(self._closing.discard)
