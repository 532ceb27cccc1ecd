"""The embedded runner: each consumer reads, decides and commits in batches, in one asyncio process."""

import asyncio
import logging
import time

from hub.observe import Metrics
from hub.processing import (
    APPLIED,
    BATCH,
    GIVE_UP_AFTER_ATTEMPTS,
    GIVE_UP_AFTER_CONFLICTS,
    Consumer,
    Processing,
    Result,
)
from schemas.crash import crash_point
from schemas.errors import Conflict, Outage
from schemas.ports import Clock, Engine
from schemas.steps import Position

__all__ = [
    "APPLIED",
    "GIVE_UP_AFTER_ATTEMPTS",
    "GIVE_UP_AFTER_CONFLICTS",
    "Consumer",
    "Result",
    "Runner",
]

log = logging.getLogger("hubbub.runner")

IDLE_SECONDS = 5.0
MOST_REST_SECONDS = 0.05


class Runner:
    """Runs one consumer over the whole log."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        consumer: Consumer,
        batch: int = BATCH,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self.consumer = consumer
        self.processing = Processing(engine, clock, consumer, batch, metrics)
        self._stopping = asyncio.Event()
        self._is_behind = False
        """Whether there is more than the last batch could hold."""
        self.position: Position = ""

    @property
    def processed(self) -> int:
        return self.processing.processed

    async def run(self) -> None:
        """Until `stop`. Never ends by what an event holds; a defect of ours outside the decisions is logged and retried."""
        while not self._stopping.is_set():
            try:
                tail = await self._engine.tail()  # before reading: what comes meanwhile ends the wait at once
                began = time.monotonic()
                did = await self.once()
                took = time.monotonic() - began
                if not did:
                    await self._idle(tail)
                if not self._is_behind:
                    await self._gather(took)
            except Conflict as conflict:
                log.debug("%s decides again: %s", self.consumer.name, conflict)
            except Outage as outage:
                log.warning("%s waits: %s", self.consumer.name, outage)
                await self._rest(outage.retry_after_seconds)
            except Exception:
                log.exception("%s failed and tries again", self.consumer.name)
                await self._rest(1.0)

    def stop(self) -> None:
        self._stopping.set()

    async def _idle(self, tail: Position) -> None:
        """Until something is appended, something parked is due, or the runner stops."""
        waits = {
            asyncio.ensure_future(self._engine.wait(tail, self._idle_seconds())),
            asyncio.ensure_future(self._stopping.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _gather(self, seconds: float) -> None:
        """Rests as long as the last look took, so that the next batch is larger: a small one costs nearly as much.

        A hub at rest takes a few milliseconds, and nobody notices; a busy one takes longer, and what comes in goes first.
        """
        await self._rest(min(seconds, MOST_REST_SECONDS))

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _idle_seconds(self) -> float:
        seconds = self.processing.parking.seconds_to_next()
        return IDLE_SECONDS if seconds is None else max(0.02, min(IDLE_SECONDS, seconds))

    async def once(self) -> bool:
        """One batch, and what was parked and is due. False when there was nothing to do."""
        processing = self.processing
        if not processing.parking.is_loaded:
            await processing.parking.load()
        try:
            retried = await processing.retry_parked()
        except Conflict:
            processing.parking.forget()
            raise
        with processing.stage("read"):
            batch = await self._engine.read(self.consumer.name, self.consumer.topics, processing.limit)
        self.position = batch.position
        self._is_behind = len(batch.records) >= processing.limit
        if not batch.records:
            return retried
        crash_point("runner.after-read")
        decided = await processing.decide(batch)
        try:
            await processing.commit(decided)
        except Conflict as conflict:
            processing.conflicted(conflict)
            raise
        return True
