"""Puts events on the log: acknowledged by all replicas, idempotent, in the order given within each partition."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer

from schemas.errors import Outage
from schemas.events import Event
from schemas.topics import Topic
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import Message, to_message
from sinks.kafka.errors import outages
from sinks.kafka.offsets import Partition
from sinks.kafka.stamps import Stamps
from sinks.kafka.topics import LARGEST_EVENT_BYTES

BATCH_BYTES = 256 * 1024
REQUEST_MILLISECONDS = 10_000


class Publisher:
    """One producer of this process. `told` gets the partition and the offset behind each event that is durable."""

    def __init__(self, address: KafkaAddress, stamps: Stamps, told: Callable[[Partition, int], None]) -> None:
        self._address = address
        self._stamps = stamps
        self._told = told
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=list(self._address.servers),
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
            except BaseException:
                await producer.stop()
                raise
        self._producer = producer

    def messages(self, events: Sequence[Event]) -> list[Message]:
        """What is sent for these events, stamped now."""
        return [to_message(event, self._stamps.next()) for event in events]

    async def send(self, messages: Sequence[Message]) -> None:
        """Returns when all are durable. After Outage some may be; sending all again keeps the order of first sight."""
        producer = self._running()
        with outages("writing"):
            sent = [
                await producer.send(
                    self._address.prefix + each.topic, each.value, each.key, headers=each.headers
                )
                for each in messages
            ]
            results = await asyncio.gather(*sent, return_exceptions=True)
            for message, result in zip(messages, results, strict=True):
                if isinstance(result, BaseException):
                    raise result
                self._told((Topic(message.topic), result.partition), result.offset + 1)

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
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
