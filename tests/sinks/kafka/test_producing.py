"""Many events at once go to Kafka in batches made here: to the same partitions, in the same order, each once on its way."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import RecordMetadata, TopicPartition

from schemas.errors import Outage
from schemas.topics import Topic
from sinks.kafka import producing
from sinks.kafka.address import parse_address
from sinks.kafka.codec import Message
from sinks.kafka.producing import BATCH_BYTES, FEW, Publisher
from sinks.kafka.stamps import Stamps

PARTITIONS = 3


class Producer:
    """A client whose broker takes all at once, or nothing while `answers` is False."""

    def __init__(self) -> None:
        self.log: dict[int, list[tuple[bytes, bytes]]] = {each: [] for each in range(PARTITIONS)}
        self.batches = 0
        self.answers = True
        self.fails: KafkaError | None = None
        self.is_stopped = False

    async def stop(self) -> None:
        self.is_stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        return set(self.log)

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0)

    async def send(
        self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]
    ) -> "asyncio.Future[Any]":
        partition = DefaultPartitioner()(key, sorted(self.log), sorted(self.log))
        return self._put(topic, partition, [(key, value)])

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        assert batch.closed(), "what others send could still come into it"
        self.batches += 1
        records = [(each.key, each.value) for each in DefaultRecordBatch(bytes(batch._build()))]
        return self._put(topic, partition, records)

    def _put(self, topic: str, partition: int, records: list[tuple[bytes, bytes]]) -> "asyncio.Future[Any]":
        arrived = asyncio.get_running_loop().create_future()
        if self.fails is not None:
            arrived.set_exception(self.fails)
            return arrived
        first = len(self.log[partition])
        self.log[partition] += records
        if self.answers:
            at = TopicPartition(topic, partition)
            arrived.set_result(RecordMetadata(topic, partition, at, first, None, 0, 0))
        return arrived


def message(number: int, size: int = 10) -> Message:
    value = str(number).encode().ljust(size)
    return Message(str(Topic.CASES), b"key %d" % (number % 7), value, [("ce_id", b"%036d" % number)])


def publisher(producer: Producer) -> Publisher:
    made = Publisher(parse_address("kafka://nowhere:1"), Stamps(lambda: 0), lambda partition, offset: None)
    made._producer = cast(Any, producer)
    return made


@pytest.mark.parametrize(("count", "size"), [(FEW, 10), (300, 10), (90, 60_000)])
async def test_each_is_where_it_is_said_to_be_and_keys_keep_their_order(count: int, size: int) -> None:
    producer = Producer()
    messages = [message(each, size) for each in range(count)]
    places = await publisher(producer).send(messages)
    for sent, ((topic, partition), offset) in zip(messages, places, strict=True):
        assert topic == Topic.CASES
        assert producer.log[partition][offset] == (sent.key, sent.value)
        assert partition == DefaultPartitioner()(sent.key, sorted(producer.log), sorted(producer.log))
    for key in {each.key for each in messages}:
        lying = [value for records in producer.log.values() for at, value in records if at == key]
        assert lying == [each.value for each in messages if each.key == key]
    assert (producer.batches == 0) is (count <= FEW)


async def test_what_is_said_twice_lies_there_once() -> None:
    producer = Producer()
    messages = [message(each) for each in range(100)]
    places = await publisher(producer).send([*messages, *messages])
    assert places[:100] == places[100:]
    assert sum(map(len, producer.log.values())) == 100


async def test_what_is_on_its_way_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "WRITE_SECONDS", 0.01)
    producer = Producer()
    producer.answers = False
    sending = publisher(producer)
    for _ in range(3):
        with pytest.raises(Outage):
            await sending.send([message(each) for each in range(100)])
    assert sum(map(len, producer.log.values())) == 100
    producer.answers = True
    with pytest.raises(Outage):
        await sending.send([message(each) for each in range(101)])
    assert sum(map(len, producer.log.values())) == 101


class Restarting(Publisher):
    """Whose next producer is `made`, or whose broker does not answer while that is None."""

    made: Producer | None = None

    async def _started(self) -> Any:
        if self.made is None:
            raise Outage("kafka: connecting: nobody listens")
        return self.made


async def test_a_producer_that_the_broker_does_not_know_is_made_anew_when_the_broker_answers_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(producing, "WRITE_SECONDS", 0.05)
    first = Producer()
    sending = Restarting(
        parse_address("kafka://nowhere:1"), Stamps(lambda: 0), lambda partition, offset: None
    )
    sending._producer = cast(Any, first)
    first.answers = False
    with pytest.raises(Outage):
        await sending.send([message(1)])  # on its way, and never told of
    first.fails = OutOfOrderSequenceNumber()
    with pytest.raises(Outage):
        await sending.send([message(2)])
    assert first.is_stopped
    with pytest.raises(Outage, match="nobody listens"):
        await sending.send([message(2)])
    sending.made = second = Producer()
    await sending.send([message(1), message(2)])
    assert sum(map(len, second.log.values())) == 2
    await sending.close()
    with pytest.raises(Outage, match="closed"):
        await sending.send([message(3)])
