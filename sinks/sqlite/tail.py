"""The end of the log, and those who wait for it to move. Nobody polls."""

import asyncio


class Tail:
    """Moved and awaited on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seq: int) -> None:
        self.seq = seq
        self._loop = loop
        self._closed = False
        self._waiting: set[asyncio.Future[None]] = set()

    def move(self, seq: int) -> None:
        """Called once events up to `seq` are durable, before their writers are answered."""
        self.seq = seq
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, after: int, timeout_seconds: float) -> bool:
        """True as soon as there is an event beyond `after`; False when the time is over or the engine closes."""
        deadline = self._loop.time() + timeout_seconds
        while self.seq <= after and not self._closed:
            waiter = self._loop.create_future()
            self._waiting.add(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                break
            finally:
                self._waiting.discard(waiter)
        return self.seq > after

    def close(self) -> None:
        """Lets go of all who wait."""
        self._closed = True
        self._wake()
