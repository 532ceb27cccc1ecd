"""Puts events on the log: acknowledged by all replicas, idempotent, in the order given within each partition.

Many are put into batches here, by partition: the client takes 3 µs for a message of a batch and 20 for one by itself.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, zip_longest
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.errors import Outage
from schemas.events import Event
from schemas.topics import Topic
from sinks.kafka.access import client_options, not_connected
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import Message, event_id, to_message
from sinks.kafka.errors import TOO_LARGE, outages
from sinks.kafka.offsets import Partition
from sinks.kafka.partitions import partition_of
from sinks.kafka.stamps import Stamps
from sinks.kafka.topics import LARGEST_EVENT_BYTES

BATCH_BYTES = 256 * 1024
REQUEST_MILLISECONDS = 10_000
WRITE_SECONDS = 10.0
CLOSE_SECONDS = 2.0
FEW = 16
"""So few go one by one: the client puts what several write at once into one batch."""
LARGE_BYTES = BATCH_BYTES // 2
EventOnTopic = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message on its way. `arrived` tells of the first of its batch, which it is so far behind."""

    arrived: "asyncio.Future[Any]"
    behind: int


@dataclass(slots=True)
class OpenBatch:
    """A batch for a partition, and what is in it."""

    topic: str
    partition: int
    builder: BatchBuilder
    events: list[EventOnTopic] = field(default_factory=list)

    def took(self, event: EventOnTopic, message: Message) -> bool:
        """False: it is full. An empty one takes whatever it is given."""
        taken = self.builder.append(
            timestamp=None, key=message.key, value=message.value, headers=message.headers
        )
        if taken is not None:
            self.events.append(event)
        return taken is not None


@lru_cache(maxsize=20_000)
def _partition_of(key: bytes, count: int) -> int:
    """The events of a case come again and again."""
    return partition_of(key, count)


def _batches(
    producer: AIOKafkaProducer, messages: Mapping[EventOnTopic, Message], counts: Mapping[str, int]
) -> list[OpenBatch]:
    """The first of each partition, then the second of each, and so on: the client takes one of a partition at a time."""
    made: dict[tuple[str, int], list[OpenBatch]] = {}
    for event, message in messages.items():
        place = (message.topic, _partition_of(message.key, counts[message.topic]))
        of_place = made.setdefault(place, [])
        if not of_place or not of_place[-1].took(event, message):
            of_place.append(OpenBatch(*place, producer.create_batch()))
            if not of_place[-1].took(event, message):
                raise MessageSizeTooLargeError(message.topic)
    for each in chain.from_iterable(made.values()):
        each.builder.close()  # or what others send would be put into it, and be told of by nobody
    return [each for turn in zip_longest(*made.values()) for each in turn if each is not None]


class Publisher:
    """One producer of this process. `told` gets the partition and the offset behind each event that is durable."""

    def __init__(self, address: KafkaAddress, stamps: Stamps, told: Callable[[Partition, int], None]) -> None:
        self._address = address
        self._stamps = stamps
        self._told = told
        self._producer: AIOKafkaProducer | None = None
        """None: it was given up, and the next who needs one makes it."""
        self._on_the_way: dict[EventOnTopic, Sent] = {}
        self._making = asyncio.Lock()
        self._is_closed = False

    async def start(self) -> None:
        await self._ready()

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._making:
            self._open()
            if self._producer is None:
                made = await self._started()
                try:
                    self._open()
                except Outage:
                    await _end(made)
                    raise
                self._producer = made
            return self._producer

    def _open(self) -> None:
        if self._is_closed:
            raise Outage("kafka: the log is closed")

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **client_options(self._address),
            client_id="hubbub",
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=LARGEST_EVENT_BYTES,
            request_timeout_ms=REQUEST_MILLISECONDS,
        )
        with outages("connecting"):
            try:
                await producer.start()
            except KafkaConnectionError as error:
                await producer.stop()
                raise await not_connected(self._address, error) from error
            except BaseException:
                await producer.stop()
                raise
        return producer

    def messages(self, events: Sequence[Event]) -> list[Message]:
        """What is sent for these events, stamped now."""
        return [to_message(event, self._stamps.next()) for event in events]

    async def send(self, messages: Sequence[Message]) -> list[tuple[Partition, int]]:
        """Returns when all are durable, with where each is. After Outage some may be, or become so: an idempotent producer never gives a batch up,
        so that what is sent again comes after it, and the order of first sight is kept."""
        producer = await self._ready()
        with outages("writing"):
            async with asyncio.timeout(WRITE_SECONDS):
                sent = await self._sent(producer, messages)
                if sent:
                    await asyncio.wait({each.arrived for each in sent})
        with outages("writing"):
            return [
                await self._tell(producer, message, each)
                for message, each in zip(messages, sent, strict=True)
            ]

    async def _sent(self, producer: AIOKafkaProducer, messages: Sequence[Message]) -> list[Sent]:
        """The same event that is still on its way is not sent again: an outage would fill the log with copies."""
        events = [(each.topic, event_id(each.headers)) for each in messages]
        sent = {each: self._on_the_way[each] for each in events if each in self._on_the_way}
        fresh = {event: message for event, message in zip(events, messages, strict=True) if event not in sent}
        if len(fresh) <= FEW or any(len(each.value) > LARGE_BYTES for each in fresh.values()):
            for event, message in fresh.items():
                sent[event] = await self._send_one(producer, event, message)
        else:
            topics = {each.topic for each in fresh.values()}
            counts = {each: len(await self.partitions(Topic(each))) for each in topics}
            for batch in _batches(producer, fresh, counts):
                arrived = await producer.send_batch(
                    batch.builder, self._address.prefix + batch.topic, partition=batch.partition
                )
                sent |= self._noted(batch.events, arrived)
        return [sent[event] for event in events]

    async def _send_one(self, producer: AIOKafkaProducer, event: EventOnTopic, message: Message) -> Sent:
        name = self._address.prefix + message.topic
        arrived = await producer.send(name, message.value, message.key, headers=message.headers)
        return self._noted([event], arrived)[event]

    def _noted(
        self, events: Sequence[EventOnTopic], arrived: "asyncio.Future[Any]"
    ) -> dict[EventOnTopic, Sent]:
        noted = {event: Sent(arrived, behind) for behind, event in enumerate(events)}
        self._on_the_way |= noted
        arrived.add_done_callback(partial(self._arrived, events))
        return noted

    def _arrived(self, events: Sequence[EventOnTopic], arrived: "asyncio.Future[Any]") -> None:
        """Or never will; whoever waited for them may have been told of an outage already."""
        for event in events:
            if (sent := self._on_the_way.get(event)) is not None and sent.arrived is arrived:
                del self._on_the_way[event]
        if not arrived.cancelled():
            arrived.exception()

    async def _tell(self, producer: AIOKafkaProducer, message: Message, sent: Sent) -> tuple[Partition, int]:
        """The offset of what was sent, or what went wrong. A producer that the broker no longer knows is given up."""
        try:
            first = sent.arrived.result()
        except KafkaError as error:
            if not error.retriable and not isinstance(error, TOO_LARGE):
                await self._give_up(producer)
            raise
        partition, offset = (Topic(message.topic), first.partition), first.offset + sent.behind
        self._told(partition, offset + 1)
        return partition, offset

    async def partitions(self, topic: Topic) -> list[int]:
        """As many as the broker has now; it is asked every five minutes at most."""
        with outages("asking for partitions"):
            producer = await self._ready()
            found: set[int] = await producer.partitions_for(self._address.prefix + topic)
        if not found:
            raise Outage(
                f"kafka: the topic {self._address.prefix}{topic} is missing; run `hubbub topics apply`"
            )
        return sorted(found)

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """What is on its way in it may never arrive: who asks for that again sends it again."""
        if self._producer is producer:
            self._producer, self._on_the_way = None, {}
            await _end(producer)

    async def close(self) -> None:
        """What waits is still written if the broker answers."""
        self._is_closed = True
        if self._producer is not None:
            await self._give_up(self._producer)


async def _end(producer: AIOKafkaProducer) -> None:
    stopping = asyncio.ensure_future(producer.stop())
    _, late = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
    if late:
        # There is no other way: stop() waits for batches that an idempotent producer never gives up, and its task for the
        # answers to what it has sent, which come no more when the connections are closed.
        producer._sender.sender_task.cancel()
        ending = asyncio.gather(producer.client.close(), stopping, return_exceptions=True)
        await asyncio.wait({ending}, timeout=CLOSE_SECONDS)
        stopping.cancel()
