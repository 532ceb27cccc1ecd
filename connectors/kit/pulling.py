"""Sources that are asked: fetch, keep, note how far; in one process at a time, catching up after any outage without a window.

A channel implements `Source`: one step from a cursor to items and the next cursor. Everything between is here: the cursor is saved
only after the log has acknowledged, waits grow while the source is away, and what a source asks for is kept.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Protocol

from connectors.kit.cursors import Cursors
from connectors.kit.items import RawItem, Receiver
from connectors.kit.watching import Watch
from schemas.crash import crash_point
from schemas.documents import Cursor
from schemas.errors import Conflict, Outage
from schemas.ports import Health

log = logging.getLogger("hubbub.connectors")

FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 300.0
REFUSED_REST_SECONDS = 900.0
STREAM = "main"


class Away(Exception):
    """The source cannot be asked just now. `retry_after_seconds`: what it asks for, None: growing waits."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class RefusesUs(Exception):
    """Credentials or rights are missing: asking again soon would only lock the account. The message says where to click."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Items in their order, and the cursor behind them. `more`: ask again at once. `oldest_left_at`: of what the source still has."""

    items: Sequence[RawItem]
    cursor: str
    more: bool = False
    oldest_left_at: datetime | None = None


class Source(Protocol):
    async def fetch(self, cursor: str) -> Fetched:
        """The next items behind a cursor; empty text: as the settings say where to begin. Raises Away or RefusesUs."""
        ...

    def since(self, moment: datetime) -> str | None:
        """The cursor from which all comes again since then; None where the source cannot be asked for the past."""
        ...


def _jitter() -> float:
    return SystemRandom().uniform(0.5, 1.0)


class Puller:
    """Implements ports.Connector for one account, and `start_as`, so that only one process asks. Health is a Watch."""

    def __init__(
        self,
        receiver: Receiver,
        source: Source,
        cursors: Cursors,
        every_seconds: float,
        stream: str = STREAM,
        jitter: Callable[[], float] = _jitter,
    ) -> None:
        self.channel = receiver.channel
        self.account = receiver.account
        self._receiver = receiver
        self._source = source
        self._cursors = cursors
        self._every_seconds = every_seconds
        self._stream = stream
        self._jitter = jitter
        self._clock = receiver.intake.clock
        self._watch = Watch()
        self._task: asyncio.Task[None] | None = None
        self._token = 0
        self._again: str | None = None
        self._now = asyncio.Event()
        self._stopping = False

    async def start(self) -> None:
        await self.start_as(0)

    async def start_as(self, token: int) -> None:
        """Under a lease: what is saved carries its token, and an older one saves nothing any more."""
        self._token, self._stopping = token, False
        self._watch.started()
        self._task = asyncio.create_task(self._run(), name=f"{self.channel} {self.account}")

    async def stop(self, grace_seconds: float) -> None:
        """What was fetched is brought to the log and noted; what takes longer than the grace is fetched again later."""
        self._stopping = True
        self._now.set()
        task, self._task = self._task, None
        if task is not None:
            _, late = await asyncio.wait([task], timeout=grace_seconds)
            if late:
                task.cancel()
                await asyncio.wait([task])
        self._watch.stopped()

    def health(self) -> Health:
        return self._watch.health(f"asked every {self._every_seconds:g} s")

    def ask_now(self) -> None:
        """Something may be new: do not wait for the next turn."""
        self._now.set()

    def replay(self, since: datetime) -> bool:
        """Ask again for everything since then; what is known does nothing. False where the source cannot, or is not asked here."""
        cursor = self._source.since(since)
        if cursor is None or self._task is None:
            return False
        self._again = cursor
        self.ask_now()
        return True

    async def _run(self) -> None:
        rest = FIRST_REST_SECONDS
        cursor: Cursor | None = None
        while not self._stopping:
            try:
                if cursor is None:
                    cursor = await self._loaded()
                cursor, more = await self._step(cursor)
                rest = FIRST_REST_SECONDS
                wait = 0.0 if more else self._every_seconds
            except Exception as error:  # noqa: BLE001  whatever a source does, it is asked again
                wait = self._wait_after(error, rest)
                cursor = None  # as it is saved
                rest = min(LONGEST_REST_SECONDS, rest * 2)
            await self._pause(wait)

    async def _loaded(self) -> Cursor:
        return await self._cursors.load(self.channel, self.account, self._stream, self._token)

    async def _step(self, cursor: Cursor) -> tuple[Cursor, bool]:
        again, self._again = self._again, None
        try:
            fetched = await self._source.fetch(cursor.value if again is None else again)
            await self._receiver.take_all(fetched.items)
        except BaseException:
            if again is not None:
                self._again = again
            raise
        if fetched.cursor != cursor.value:
            crash_point("intake.before-acknowledge")
            cursor = await self._cursors.save(cursor, fetched.cursor)
        self._watch.succeeded(self._clock.now(), fetched.oldest_left_at if fetched.more else None)
        return cursor, fetched.more

    def _wait_after(self, error: Exception, rest: float) -> float:
        wait, told = rest * self._jitter(), str(error)
        if isinstance(error, RefusesUs):
            wait = REFUSED_REST_SECONDS
        elif isinstance(error, Away):
            wait = wait if error.retry_after_seconds is None else error.retry_after_seconds
        elif isinstance(error, Outage):
            wait, told = error.retry_after_seconds, f"what came waits in its source: {error}"
        elif isinstance(error, Conflict):
            told = f"another process asks as well: {error}"
        else:
            told = f"a fault of ours: {type(error).__name__}"
            log.error("%s:%s met a fault", self.channel, self.account, exc_info=error)
        self._watch.failed(told, self._clock.now() + timedelta(seconds=wait))
        return wait

    async def _pause(self, seconds: float) -> None:
        if seconds <= 0 or self._stopping:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._now.wait(), seconds)
        self._now.clear()
