"""Positions and places of a log of many partitions, and how they are written.

A position says for each partition the offset of the next record to read; a partition that it does not name is read from
the first record that is there. `cases=4,,17;interactions=3`: partition 0 of cases at 4, 2 at 17, of interactions 0 at 3.
A place is one record: `cases:2:16`.
"""

from collections.abc import Mapping, Sequence

from schemas.errors import Invalid
from schemas.steps import START, Place, Position
from schemas.topics import Topic

Partition = tuple[Topic, int]
Offsets = dict[Partition, int]
MOST_CHARACTERS = 100_000
MOST_PARTITIONS = 10_000
OFFSET_DIGITS = 18


def to_position(offsets: Mapping[Partition, int]) -> Position:
    """Canonical: the same offsets give the same text."""
    by_topic: dict[Topic, dict[int, int]] = {}
    for (topic, partition), offset in offsets.items():
        if offset > 0:
            by_topic.setdefault(topic, {})[partition] = offset
    return ";".join(segment(topic, _written(by_topic[topic])) for topic in sorted(by_topic))


def _written(offsets: Mapping[int, int]) -> list[str]:
    return [str(offsets.get(each, "")) for each in range(max(offsets) + 1)]


def segment(topic: Topic, written: Sequence[str]) -> str:
    """One topic's part of a position, of the offset of each partition in turn; empty where none is said."""
    return f"{topic}={','.join(written)}"


class Standing:
    """Where a reader stands, as text: what `to_position` would say, of which only the part that changed is made anew."""

    def __init__(self, offsets: Mapping[Partition, int]) -> None:
        self._written: dict[Topic, list[str]] = {}
        """The offset of each partition of a topic, empty where nothing is said."""
        self._segments: dict[Topic, str] = {}
        for (topic, partition), offset in offsets.items():
            if offset > 0:
                self._write(topic, partition, str(offset))
        for topic in sorted(self._written):
            self._segments[topic] = segment(topic, self._written[topic])

    def after(self, partition: Partition, offset: int) -> Position:
        topic, number = partition
        if topic not in self._written:
            self._written[topic] = []
            self._segments = {each: self._segments.get(each, "") for each in sorted(self._written)}
        self._write(topic, number, str(offset + 1))
        self._segments[topic] = segment(topic, self._written[topic])
        return ";".join(self._segments.values())

    def _write(self, topic: Topic, partition: int, offset: str) -> None:
        written = self._written.setdefault(topic, [])
        if partition >= len(written):
            written += [""] * (partition + 1 - len(written))
        written[partition] = offset


def from_position(position: Position) -> Offsets:
    """Raises Invalid for text that no engine of this kind gave out."""
    offsets: Offsets = {}
    if position == START:
        return offsets
    if len(position) > MOST_CHARACTERS:
        raise Invalid("the position is too long to be one of this log")
    try:
        for each in position.split(";"):
            name, _, counts = each.partition("=")
            topic = Topic(name)
            for partition, text in enumerate(counts.split(",")):
                if partition >= MOST_PARTITIONS:
                    raise ValueError
                if text:
                    offsets[topic, partition] = _offset(text)
    except ValueError as error:
        raise Invalid(f"{position[:60]!r} is not a position on this log") from error
    return offsets


def to_place(topic: Topic, partition: int, offset: int) -> Place:
    return f"{topic}:{partition}:{offset}"


def from_place(place: Place) -> tuple[Partition, int]:
    """Raises Invalid for text that names no record of this log."""
    try:
        name, partition, offset = place.split(":")
        return (Topic(name), _offset(partition)), _offset(offset)
    except ValueError as error:
        raise Invalid(f"{place[:60]!r} is not a place on this log") from error


def sortable(place: Place) -> str:
    """Text that sorts as places lie on the log: by topic, partition and offset."""
    (topic, partition), offset = from_place(place)
    return f"{topic}:{partition:06d}:{offset:0{OFFSET_DIGITS}d}"


def covers(position: Position, other: Place | Position) -> bool:
    """Whether who stands at `position` has passed a record, or all that lies before another position."""
    offsets = from_position(position)
    if ":" in other:
        partition, offset = from_place(other)
        return offsets.get(partition, 0) > offset
    return all(offsets.get(partition, 0) >= offset for partition, offset in from_position(other).items())


def _offset(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > OFFSET_DIGITS:
        raise ValueError(text)
    return int(text)
