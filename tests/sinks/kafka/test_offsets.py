"""Positions and places as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Invalid
from schemas.topics import Topic
from sinks.kafka.address import KafkaAddress, parse_address
from sinks.kafka.offsets import (
    Offsets,
    Partition,
    Standing,
    covers,
    from_place,
    from_position,
    sortable,
    to_place,
    to_position,
)
from sinks.kafka.stamps import MOST_AHEAD_MICROSECONDS, Stamps
from sinks.kafka.topics import Change, Existing, compare, wanted

OFFSETS = st.dictionaries(st.tuples(st.sampled_from(Topic), st.integers(0, 40)), st.integers(1, 10**17))


@given(OFFSETS)
def test_a_position_comes_back(offsets: Offsets) -> None:
    position = to_position(offsets)
    assert from_position(position) == offsets
    assert covers(position, position)
    assert covers(position, "")
    assert to_position(dict(reversed(offsets.items()))) == position


@given(OFFSETS, st.sampled_from(Topic), st.integers(0, 40), st.integers(0, 10**17))
def test_a_place_is_covered_by_who_stands_behind_it(
    offsets: Offsets, topic: Topic, partition: int, offset: int
) -> None:
    place = to_place(topic, partition, offset)
    assert from_place(place) == ((topic, partition), offset)
    assert covers(to_position(offsets), place) is (offsets.get((topic, partition), 0) > offset)


@given(st.lists(st.tuples(st.sampled_from(Topic), st.integers(0, 40), st.integers(0, 10**17))))
def test_places_sort_as_they_lie(places: list[tuple[Topic, int, int]]) -> None:
    assert sorted(places) == [
        (topic, partition, offset)
        for (topic, partition), offset in map(
            from_place, sorted((to_place(*each) for each in places), key=sortable)
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "17",
        "cases=-1",
        "cases=1.5",
        "nobody=1",
        "cases=1;;",
        "cases=" + "," * 20_000,
        "cases=²",
        "a" * 10**6,
    ],
)
def test_text_that_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        from_position(text)


@pytest.mark.parametrize(
    "text", ["", "cases", "cases:1", "cases:1:x", "cases:1:1:1", "nobody:0:1", "cases:0:-1"]
)
def test_text_that_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        from_place(text)


def test_stamps_rise_and_stand_above_what_was_read() -> None:
    now = 1000
    stamps = Stamps(lambda: now)
    assert [stamps.next(), stamps.next()] == [1000, 1001]
    stamps.observe([5000])
    assert stamps.next() == 5001
    stamps.observe([4000])
    assert stamps.next() == 5002
    stamps.observe([now + MOST_AHEAD_MICROSECONDS + 1, 6000])
    assert stamps.next() == 6001, "the clock of a stranger that is not set is not followed"


@given(
    st.dictionaries(st.tuples(st.sampled_from(Topic), st.integers(0, 12)), st.integers(0, 99)),
    st.lists(st.tuples(st.tuples(st.sampled_from(Topic), st.integers(0, 12)), st.integers(0, 99))),
)
def test_who_reads_on_stands_at_the_position_of_these_offsets(
    offsets: Offsets, read: list[tuple[Partition, int]]
) -> None:
    standing = Standing(offsets)
    for partition, offset in read:
        offsets[partition] = offset + 1
        assert standing.after(partition, offset) == to_position(offsets)


def test_an_address_is_read() -> None:
    assert parse_address(
        "kafka://one:9092,two:9093/?prefix=acme-&partitions=24&replication=3"
    ) == KafkaAddress(("one:9092", "two:9093"), "acme-", 24, 3)
    assert parse_address("kafka://one:9092") == KafkaAddress(("one:9092",), "hubbub.", 12, 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://one:9092",
        "kafka://one",
        "kafka://one:port",
        "kafka://one:9092,",
        "kafka://one:9092/topic",
        "kafka://user@one:9092",
        "kafka://one:9092?partitions=0",
        "kafka://one:9092?partitions=many",
        "kafka://one:9092?prefix=a/b",
        "kafka://one:9092?colour=blue",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="kafka://host:9092"):
        parse_address(url)


def test_topics_are_compared_with_what_is_there() -> None:
    asked = wanted(parse_address("kafka://one:9092?partitions=6&replication=3"))
    assert {each.change for each in compare(asked, {})} == {Change.CREATE}
    there = {each.name: Existing(each.partitions, {**each.configs, "flush.ms": "1"}) for each in asked}
    assert compare(asked, there) == []
    name = "hubbub.cases"
    there[name] = Existing(4, {**there[name].configs, "cleanup.policy": "compact"})
    there["hubbub.audit"] = Existing(8, there["hubbub.audit"].configs)
    found = [(each.name, each.change, each.what, each.before, each.after) for each in compare(asked, there)]
    assert found == [
        (name, Change.CONFIGURE, "cleanup.policy", "compact", "delete"),
        (name, Change.GROW, "partitions", "4", "6"),
        ("hubbub.audit", Change.SHRINK, "partitions", "8", "6"),
    ]


def test_the_configuration_has_one_partition_and_what_expires_says_so() -> None:
    asked = {each.topic: each for each in wanted(parse_address("kafka://one:9092"))}
    assert asked[Topic.CONFIGURATION].partitions == 1
    assert asked[Topic.CASES].configs["retention.ms"] == "-1"
    assert asked[Topic.AUDIT].configs["retention.ms"] == str(400 * 24 * 3600 * 1000)
    assert all(each.configs["cleanup.policy"] == "delete" for each in asked.values())
