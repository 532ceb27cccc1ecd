"""In which partitions the records of a key may lie: one for each number of partitions that its topic has ever had."""

from collections.abc import Mapping
from typing import Protocol

from aiokafka.partitioner import murmur2

from schemas.topics import Topic

POSITIVE = 0x7FFFFFFF


class PartitionCounts(Protocol):
    """Remembers, for as long as the log is there, how many partitions each topic had. May raise Outage."""

    async def load(self) -> Mapping[Topic, set[int]]: ...

    async def note(self, topic: Topic, count: int) -> None:
        """Durable when it returns. Noting it again changes nothing."""
        ...


class History:
    """What is known of it here. Nobody writes to a topic before its number of partitions is noted."""

    def __init__(self, counts: PartitionCounts) -> None:
        self._counts = counts
        self._known: dict[Topic, set[int]] | None = None

    async def note(self, topic: Topic, count: int) -> None:
        known = await self._loaded()
        if count not in known.get(topic, ()):
            await self._counts.note(topic, count)
            known.setdefault(topic, set()).add(count)

    async def partitions_of(self, key: bytes, topic: Topic, count: int) -> set[int]:
        """Where records of the key may be, now that the topic has so many."""
        await self.note(topic, count)
        known = (await self._loaded())[topic]
        return {partition_of(key, each) for each in known if each <= count}

    async def _loaded(self) -> dict[Topic, set[int]]:
        if self._known is None:
            self._known = {topic: set(counts) for topic, counts in (await self._counts.load()).items()}
        return self._known


def partition_of(key: bytes, count: int) -> int:
    """As Kafka's own clients choose it."""
    hashed: int = murmur2(key)
    return (hashed & POSITIVE) % count
