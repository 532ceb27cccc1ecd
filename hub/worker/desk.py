"""All consumers of this process, on the partitions that it holds."""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence

from hub.worker.feed import Feed
from schemas.topics import Topic
from sinks.kafka.offsets import Offsets, Partition
from sinks.kafka.reading import Raw

log = logging.getLogger("hubbub.worker")


class Desk:
    """Consumers of the same topics are fed together: each record is fetched once."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.feeds = tuple(feeds)
        self._tasks: list[asyncio.Task[None]] = []
        self.is_stopped = False

    def start(self) -> None:
        self._tasks = [asyncio.create_task(each.run()) for each in self.feeds]

    async def take(self, topics: Sequence[Topic], raws: Sequence[Raw]) -> None:
        """Returns when every consumer of these topics has applied them."""
        await asyncio.gather(
            *(each.take(raws) for each in self.feeds if tuple(each.consumer.topics) == tuple(topics))
        )

    def hold(self, partitions: Collection[Partition], begins: Mapping[Partition, int] | None = None) -> None:
        for each in self.feeds:
            each.hold(partitions, begins)

    @property
    def held(self) -> frozenset[Partition]:
        return frozenset().union(*(each.held for each in self.feeds))

    async def starts(self) -> Offsets:
        """From where the records of each topic have to be read so that no consumer misses one. Raises Outage."""
        known = await asyncio.gather(*(each.starts() for each in self.feeds))
        starts: Offsets = {}
        for feed, offsets in zip(self.feeds, known, strict=True):
            for partition in feed.held:
                offset = offsets.get(partition, 0)
                starts[partition] = min(offset, starts.get(partition, offset))
        return starts

    async def stop(self, grace_seconds: float) -> None:
        """Nothing new is begun; what is being committed ends, or is left to others after the grace. Again, it does nothing."""
        if self.is_stopped:
            return
        self.is_stopped = True
        for each in self.feeds:
            each.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await asyncio.gather(*(each.idle() for each in self.feeds))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
