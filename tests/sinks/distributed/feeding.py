"""What Faust does for a worker, without Faust: it divides the partitions, perhaps before the last holder knows, and brings records.

From where it brings them is not to be believed: too early, too late, or in the middle.
"""

import asyncio
from collections.abc import Mapping, Sequence

from hub.worker.desk import Desk
from hub.worker.feed import Feed
from schemas.topics import Topic
from sinks.kafka.offsets import Offsets, Partition
from tests.sinks.distributed.hub_world import Hub, World

AT_ONCE = 20


class Fed:
    """One process's desk, and who brings to it."""

    def __init__(self, world: World, hub: Hub, consumers: Sequence[str]) -> None:
        self._world = world
        self._hub = hub
        flow = hub.flow
        feeds = [
            Feed(flow.engine, hub.clock, each.consumer)  # type: ignore[arg-type]
            for each in flow.runners
            if each.consumer.name in consumers
        ]
        self.desk = Desk(feeds)
        self.next: Offsets = {}
        self._changed: asyncio.Future[None] | None = None
        for feed in feeds:
            hub.process.begin(feed.run())
        for topics in dict.fromkeys(tuple(each.consumer.topics) for each in feeds):
            hub.process.begin(self._bring(topics))

    def hold(self, begins: Mapping[Partition, int]) -> None:
        """These partitions are its own from now on, brought from there."""
        self.next = {each: self.next.get(each, first) for each, first in begins.items()}
        self.desk.hold(frozenset(begins), dict(self.next))
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def _bring(self, topics: tuple[Topic, ...]) -> None:
        broker = self._world.broker
        while True:
            raws = [
                raw
                for partition in sorted(self.next)
                if partition[0] in topics
                for raw in broker.records[partition][self.next[partition] :][:AT_ONCE]
            ]
            if raws:
                for raw in raws:
                    self.next[raw.partition] = raw.offset + 1
                await self.desk.take(topics, raws)
                continue
            self._changed = waiter = asyncio.get_running_loop().create_future()
            broker.waiting[waiter] = None
            try:
                await waiter
            finally:
                broker.waiting.pop(waiter, None)
