"""Puts events on the log: acknowledged by all replicas, idempotent, in the order given within each partition."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.errors import Outage
from schemas.events import Event
from schemas.topics import Topic
from sinks.kafka.access import client_options, not_connected
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import Message, event_id, to_message
from sinks.kafka.errors import TOO_LARGE, outages
from sinks.kafka.offsets import Partition
from sinks.kafka.stamps import Stamps
from sinks.kafka.topics import LARGEST_EVENT_BYTES

BATCH_BYTES = 256 * 1024
REQUEST_MILLISECONDS = 10_000
WRITE_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class Publisher:
    """One producer of this process. `told` gets the partition and the offset behind each event that is durable."""

    def __init__(self, address: KafkaAddress, stamps: Stamps, told: Callable[[Partition, int], None]) -> None:
        self._address = address
        self._stamps = stamps
        self._told = told
        self._producer: AIOKafkaProducer | None = None
        self._on_the_way: dict[tuple[str, bytes], asyncio.Future[Any]] = {}

    async def start(self) -> None:
        self._producer = await self._started()

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
        producer = self._running()
        with outages("writing"):
            async with asyncio.timeout(WRITE_SECONDS):
                sent = [await self._send(producer, each) for each in messages]
                if sent:
                    await asyncio.wait(sent)
        places = []
        for message, future in zip(messages, sent, strict=True):
            with outages("writing"):
                places.append(await self._tell(message, future))
        return places

    async def _send(self, producer: AIOKafkaProducer, message: Message) -> "asyncio.Future[Any]":
        """The same event that is still on its way is not sent again: an outage would fill the log with copies."""
        event = (message.topic, event_id(message.headers))
        sent: asyncio.Future[Any] | None = self._on_the_way.get(event)
        if sent is None:
            name = self._address.prefix + message.topic
            sent = await producer.send(name, message.value, message.key, headers=message.headers)
            self._on_the_way[event] = sent
            sent.add_done_callback(partial(self._arrived, event))
        return sent

    def _arrived(self, event: tuple[str, bytes], sent: "asyncio.Future[Any]") -> None:
        """Or never will; whoever waited for it may have been told of an outage already."""
        self._on_the_way.pop(event, None)
        if not sent.cancelled():
            sent.exception()

    async def _tell(self, message: Message, sent: "asyncio.Future[Any]") -> tuple[Partition, int]:
        """The offset of what was sent, or what went wrong. A producer that the broker no longer knows is made anew."""
        try:
            result = sent.result()
        except KafkaError as error:
            if not error.retriable and not isinstance(error, TOO_LARGE):
                await self.close()
                await self.start()
            raise
        partition = (Topic(message.topic), result.partition)
        self._told(partition, result.offset + 1)
        return partition, result.offset

    async def partitions(self, topic: Topic) -> list[int]:
        """As many as the broker has now; it is asked every five minutes at most."""
        with outages("asking for partitions"):
            found: set[int] = await self._running().partitions_for(self._address.prefix + topic)
        if not found:
            raise Outage(
                f"kafka: the topic {self._address.prefix}{topic} is missing; run `hubbub topics apply`"
            )
        return sorted(found)

    def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise Outage("kafka: the log is closed")
        return self._producer

    async def close(self) -> None:
        """What waits is still written if the broker answers."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        stopping = asyncio.ensure_future(producer.stop())
        _, late = await asyncio.wait({stopping}, timeout=CLOSE_SECONDS)
        if late:
            # There is no other way: stop() waits for batches that an idempotent producer never gives up, and its task for the
            # answers to what it has sent, which come no more when the connections are closed.
            producer._sender.sender_task.cancel()
            ending = asyncio.gather(producer.client.close(), stopping, return_exceptions=True)
            await asyncio.wait({ending}, timeout=CLOSE_SECONDS)
            stopping.cancel()
