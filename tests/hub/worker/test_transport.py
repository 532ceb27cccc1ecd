"""What came at once of a partition is one message to Faust, and each of its offsets is acknowledged with it, none before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from faust.types import TP

from hub.worker.agents import TOPICS, make_app
from hub.worker.transport import Consumer, Fetched
from sinks.kafka.address import parse_address

TOPIC = TP("cases", 0)


@dataclass
class Record:
    offset: int


async def nothing(*_: Any) -> None:
    """What Faust would call."""


@pytest.fixture
def made() -> Iterator[Any]:
    app: Any = make_app(parse_address("kafka://127.0.0.1:9"), TOPICS)
    vars(app.topics)["acks_enabled_for"] = lambda _topic: True
    consumer: Any = Consumer(
        app.transport, callback=nothing, on_partitions_revoked=nothing, on_partitions_assigned=nothing
    )
    yield consumer
    consumer._thread.thread_loop.close()  # of the thread that was never started


def fetched(*offsets: int) -> Fetched:
    return Fetched([Record(each) for each in offsets])


async def test_what_came_at_once_is_acknowledged_wholly_when_it_was_applied(made: Any) -> None:
    first, second = (made._to_message(TOPIC, each) for each in (fetched(10, 11, 12), fetched(13, 14, 15)))
    assert (first.offset, first.value.records[0].offset) == (12, 10)
    assert made.ack(second)
    assert made._acked[TOPIC] == [15, 13, 14]
    assert made.ack(first)
    assert not made.ack(first)
    assert made._new_offset(TOPIC) == 16


async def test_nothing_of_what_came_counts_as_a_gap_and_what_lies_before_it_does(made: Any) -> None:
    message = made._to_message(TOPIC, fetched(20, 21, 22))
    await made._add_gap(TOPIC, 11, 22)  # as Faust calls it: 10 was read last
    (gap,) = made._gap[TOPIC]
    assert (gap.begin, gap.end) == (11, 20)
    made._acked[TOPIC].append(10)
    assert made.ack(message)
    assert made._new_offset(TOPIC) == 23
