"""Records of a key are found where its topic's partitions, of now and of before, can have put them, and nowhere else is looked."""

import time
from collections.abc import Mapping
from uuid import uuid4

import pytest

from schemas.events import Event
from schemas.steps import START
from schemas.topics import Topic
from sinks.distributed.engine import open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.log import KafkaLog
from sinks.kafka.partitions import History, partition_of
from sinks.kafka.stamps import Stamps
from sinks.kafka.topics import TopicAdmin
from tests.contracts.samples import FixedClock, received
from tests.support.servers import server

KEYS = [f"thread {number}" for number in range(12)]


class Kept:
    """What is remembered of counts, and how often it was written."""

    def __init__(self, counts: Mapping[Topic, set[int]] | None = None) -> None:
        self.counts = {topic: set(each) for topic, each in (counts or {}).items()}
        self.notes = 0

    async def load(self) -> Mapping[Topic, set[int]]:
        return self.counts

    async def note(self, topic: Topic, count: int) -> None:
        self.notes += 1
        self.counts.setdefault(topic, set()).add(count)


async def test_a_key_may_be_where_any_number_of_partitions_put_it() -> None:
    history = History(Kept({Topic.CASES: {2, 3}}))
    for key in (each.encode() for each in KEYS):
        expected = {partition_of(key, count) for count in (2, 3, 7)}
        assert await history.partitions_of(key, Topic.CASES, 7) == expected


async def test_a_number_is_noted_once() -> None:
    kept = Kept()
    history = History(kept)
    for count in (2, 2, 5, 5):
        await history.note(Topic.CASES, count)
    await History(kept).note(Topic.CASES, 5)
    assert (kept.counts, kept.notes) == ({Topic.CASES: {2, 5}}, 2)


def events(first: int, last: int) -> list[Event]:
    """One of each key a number."""
    return [
        received(number * 100 + place, key) for number in range(first, last) for place, key in enumerate(KEYS)
    ]


async def opened(prefix: str, partitions: int, kept: Kept) -> KafkaLog:
    """The log with so many partitions, grown where it had fewer."""
    address = parse_address(f"{server('kafka').url}?prefix={prefix}&partitions={partitions}")
    async with TopicAdmin(address) as topics:
        await topics.apply(await topics.plan(), grow=True)
    return await again(prefix, partitions, kept)


async def again(prefix: str, partitions: int, kept: Kept) -> KafkaLog:
    """The log as it is. A broker may tell of fewer partitions for a moment after there are more: then it is not grown."""
    address = parse_address(f"{server('kafka').url}?prefix={prefix}&partitions={partitions}")
    log = KafkaLog(address, Stamps(lambda: time.time_ns() // 1000), kept)
    await log.open()
    return log


@pytest.mark.server("kafka")
@pytest.mark.xdist_group("servers")
async def test_all_of_a_key_is_found_after_partitions_were_added_again_and_again() -> None:
    prefix, kept = f"grown-{uuid4().hex[:8]}.", Kept()
    written: list[Event] = []
    for round, partitions in enumerate((2, 3, 8)):
        log = await opened(prefix, partitions, kept)
        written += (new := events(round * 2, round * 2 + 2))
        await log.publish(log.messages(new))
        await log.close()
    log = await again(prefix, 8, kept)
    try:
        looked: set[int] = set()
        for key in KEYS:
            found = await log.scan([Topic.INTERACTIONS], START, 100, key)
            assert [each.id for each in found] == [each.id for each in written if each.key == key]
            for each in found:
                partition = int(each.place.split(":")[1])
                assert partition in {partition_of(key.encode(), count) for count in (2, 3, 8)}
            (reader,) = [each for each in log._idle if each.next][-1:]
            looked.add(len(reader.partitions))
        assert max(looked) <= 3, "other partitions are not read"
        first, second = (await log.scan([Topic.INTERACTIONS], START, 2, KEYS[0]))[:2]
        rest = await log.scan([Topic.INTERACTIONS], second.position, 100, KEYS[0])
        assert first.id != second.id
        assert [each.id for each in rest] == [each.id for each in written if each.key == KEYS[0]][2:]
    finally:
        await log.close()


@pytest.mark.server("kafka")
@pytest.mark.server("nx-27017")
@pytest.mark.xdist_group("servers")
async def test_the_numbers_are_kept_with_the_states() -> None:
    prefix = f"kept-{uuid4().hex[:8]}."
    await (await opened(prefix, 2, Kept())).close()
    url = f"{server('kafka').url}?prefix={prefix}&partitions=2"
    store = f"{server('nx-27017').url}kept_{uuid4().hex[:8]}"
    for _ in range(2):
        engine = await open_distributed(url, store, clock=FixedClock())
        rows = await engine.database.collection("partition_counts").find({})
        await engine.close()
        assert sorted(each["topic"] for each in rows) == sorted(prefix + each for each in Topic)
        assert {each["count"] for each in rows} == {1, 2}
