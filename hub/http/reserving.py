"""The place in which the answer to a request with an Idempotency-Key will be kept, so that several processes answer it once.

Whoever answers renews the place as long as that lasts. A place that is not renewed belonged to a process that ended: who waits
for it takes it. That is seen by looking, on the clock of whoever looks: clocks of different machines are not compared.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hub.accounts.records import load
from schemas.accounts import AnsweredRequest
from schemas.errors import Conflict, Outage
from schemas.ports import Clock, Engine
from schemas.steps import Step

RESERVED_FOR = timedelta(minutes=5)
"""Longer than any request is answered. After that it is purged."""
RENEW_SECONDS = 1.0
LEFT_SECONDS = 4.0
"""A place that was not renewed for so long has lost its process. Should it live, what both do is once in effect, by its id."""
PATIENCE_SECONDS = 6.0
LOOK_SECONDS = 0.1
BEGUN = 0
"""The status of an answer that is not there yet."""


def busy() -> Outage:
    """For whoever sends a request again while it is being answered."""
    return Outage("this request is being answered already; ask again", retry_after_seconds=2)


@dataclass
class Place:
    """Of one request. `last` is what the store has in it now."""

    engine: Engine
    last: AnsweredRequest

    async def keep(self, answered: AnsweredRequest) -> None:
        """Instead of what is there. Raises Conflict where another process has taken it."""
        revision = self.last.revision
        kept = answered.model_copy(update={"revision": revision + 1})
        await self.engine.commit(Step(documents=[(kept, revision)]))
        self.last = kept

    async def release(self) -> None:
        """Nothing was done: the request may come again under its key."""
        if not self.engine.is_one_order:
            with contextlib.suppress(
                Outage, Conflict
            ):  # then it is free when nobody has renewed it for a while
                await self.engine.commit(Step(deletions=[(AnsweredRequest, self.last.id)]))

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """As long as the work in it lasts."""
        if self.engine.is_one_order:
            yield
            return
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(over))
        try:
            yield
        finally:
            over.set()
            with contextlib.suppress(Outage, Conflict):
                await renewing

    async def _renew(self, over: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await over.wait()
                return
            await self.keep(self.last)


async def reserve(
    engine: Engine, clock: Clock, id: UUID, digest: str, patience_seconds: float = PATIENCE_SECONDS
) -> Place | AnsweredRequest:
    """The answer as it was given before; else the place for the one to come.

    Where one process writes, nothing is written for that: in it requests take turns. Raises Outage where somebody answers the
    request for longer than the patience lasts.
    """
    empty = AnsweredRequest(id=id, digest=digest, status=BEGUN, body=b"", expires_at=clock.now())
    began, seen, since = time.monotonic(), -1, 0.0
    while True:
        now = clock.now()
        before = await load(engine, AnsweredRequest, id)
        revision = before.revision if before is not None else 0
        if before is not None and before.expires_at > now and before.status != BEGUN:
            return before
        if engine.is_one_order:
            return Place(engine, empty.model_copy(update={"revision": revision}))
        if revision != seen:
            seen, since = revision, time.monotonic()
        is_left = time.monotonic() - since > LEFT_SECONDS
        if before is None or before.status != BEGUN or is_left:
            place = Place(engine, empty.model_copy(update={"revision": revision}))
            with contextlib.suppress(Conflict):  # somebody was first
                await place.keep(empty.model_copy(update={"expires_at": now + RESERVED_FOR}))
                return place
        if time.monotonic() - began > patience_seconds:
            raise busy()
        await asyncio.sleep(LOOK_SECONDS)
