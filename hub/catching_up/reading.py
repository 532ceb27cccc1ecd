"""The log from where a store stands."""

from collections.abc import AsyncIterator, Mapping, Sequence

from schemas.ports import Engine
from schemas.steps import Position, Record
from schemas.topics import Topic
from sinks.kafka.offsets import from_position, to_position

CHUNK = 500


def since(positions: Mapping[str, Position], wanted: Mapping[str, Sequence[Topic]]) -> Position:
    """Where consumers stand in the topics that are named for each; a topic in which nobody has moved is read whole."""
    offsets = {
        partition: offset
        for consumer, topics in wanted.items()
        for partition, offset in from_position(positions.get(consumer, "")).items()
        if partition[0] in topics
    }
    return to_position(offsets)


async def chunks(engine: Engine, topics: Sequence[Topic], after: Position) -> AsyncIterator[list[Record]]:
    """Records with an event that can be read and is not `late`, in order; to the end of what is there."""
    while records := await engine.scan(topics, after, CHUNK):
        yield [each for each in records if each.event is not None and not each.event.late]
        after = records[-1].position
