"""Many mails on their way to the log at once: read a few ahead, written strictly in order, many with one fsync."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from connectors.email.receiver import MailReceiver
from connectors.kit.intake import Accepted
from connectors.kit.items import Taken

READ_AHEAD = 16
READ_AHEAD_BYTES = 32 * 1024 * 1024
KEPT_AT_ONCE = 32
"""Mails being written at once; the engine writes them with one fsync."""
LARGE_BYTES = 1024 * 1024

Key = TypeVar("Key")
Result = TypeVar("Result")


class Pipeline(Generic[Key]):
    """Works in a task group of its owner, which ends with the first failure (Outage) of any mail."""

    def __init__(
        self,
        receiver: MailReceiver,
        group: asyncio.TaskGroup,
        on_taken: Callable[[Key, Taken | None], None],
    ) -> None:
        """`on_taken` is called for each mail when it is durable, with None for one that was known already."""
        self._receiver = receiver
        self._group = group
        self._on_taken = on_taken
        self._ahead: deque[tuple[Key, int, asyncio.Task[Accepted | None]]] = deque()
        self._bytes = 0
        self._slots = asyncio.Semaphore(KEPT_AT_ONCE)
        self._keeping: set[asyncio.Task[None]] = set()

    async def put(self, key: Key, size: int, understanding: Coroutine[Any, Any, Accepted | None]) -> None:
        """Returns when there is room for the next. `understanding` gives None for a mail that is on the log already."""
        self._ahead.append((key, size, self._begun(understanding)))
        self._bytes += size
        while len(self._ahead) >= READ_AHEAD or (self._ahead and self._bytes > READ_AHEAD_BYTES):
            await self._keep_next()

    async def drain(self) -> None:
        """Returns when all are durable."""
        while self._ahead:
            await self._keep_next()
        while self._keeping:
            await asyncio.wait(self._keeping)

    async def _keep_next(self) -> None:
        key, size, reading = self._ahead.popleft()
        accepted = await reading
        self._bytes -= size
        if accepted is None:
            self._on_taken(key, None)
            return
        await self._slots.acquire()
        keeping = self._begun(self._keep(key, accepted))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        if size > LARGE_BYTES:
            await keeping

    def _begun(self, work: Coroutine[Any, Any, Result]) -> "asyncio.Task[Result]":
        try:
            return self._group.create_task(work)
        except RuntimeError:  # another mail has failed, and the group ends
            work.close()
            raise

    async def _keep(self, key: Key, accepted: Accepted) -> None:
        try:
            taken = await self._receiver.keep(accepted)
        finally:
            self._slots.release()
        self._on_taken(key, taken)
