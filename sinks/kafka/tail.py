"""The end of the log, and those who wait for it to move.

What this process writes wakes them at once. What others write is seen by asking for the ends a few times a second, and
only while somebody waits.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

from schemas.errors import Outage
from sinks.kafka.offsets import Offsets, Partition

LOOK_SECONDS = 0.05


class Tail:
    """`look` asks the broker for the ends of all partitions."""

    def __init__(self, look: Callable[[], Awaitable[Offsets]]) -> None:
        self._look = look
        self._known: Offsets = {}
        self._closed = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._looking: asyncio.Task[None] | None = None

    def told(self, partition: Partition, end: int) -> None:
        """Something was written up to there."""
        if end > self._known.get(partition, 0):
            self._known[partition] = end
            self._wake()

    async def ends(self) -> Offsets:
        found = await self._look()
        for partition, end in found.items():
            self.told(partition, end)
        return found

    async def wait(self, after: Mapping[Partition, int], timeout_seconds: float) -> bool:
        """True as soon as a partition goes beyond `after`; False when the time is over or the log closes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while not self._is_beyond(after) and not self._closed:
            waiter = loop.create_future()
            self._waiting.add(waiter)
            if self._looking is None:
                self._looking = loop.create_task(self._keep_looking())
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                break
            finally:
                self._waiting.discard(waiter)
        return self._is_beyond(after)

    def _is_beyond(self, after: Mapping[Partition, int]) -> bool:
        return any(end > after.get(partition, 0) for partition, end in self._known.items())

    async def _keep_looking(self) -> None:
        """While somebody waits. An outage is waited for: who reads is told of it."""
        try:
            while self._waiting:
                with contextlib.suppress(Outage):
                    await self.ends()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._looking = None

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def close(self) -> None:
        """Lets go of all who wait."""
        self._closed = True
        self._wake()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
