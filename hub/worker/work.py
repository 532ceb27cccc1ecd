"""The workers' part of a hub that is wired: its consumers as feeds, and Faust to fetch for them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from hub.http.context import Share
from hub.observe import Metrics
from hub.wiring import Hub
from hub.worker.agents import STOP_SECONDS, TOPICS, Application, make_app
from hub.worker.desk import Desk
from hub.worker.feed import Feed
from hub.worker.name import WorkerName
from hub.worker.watchdog import Watchdog
from hub.worker.working import Working
from sinks.distributed.engine import DistributedEngine


def desk_of(hub: Hub) -> Desk:
    engine = hub.engine
    assert isinstance(engine, DistributedEngine)
    metrics: Metrics = hub.metrics
    return Desk([Feed(engine, hub.clock, each.consumer, metrics=metrics) for each in hub.runners])


Ending = Callable[[], Awaitable[None]]


class Fetching(Protocol):
    """What runs Faust for a desk."""

    async def run(self) -> None: ...

    async def stop(self, grace_seconds: float) -> None: ...

    @property
    def is_left_behind(self) -> bool: ...


class ByOthers:
    """Faust runs this process itself (`faust -A hub.worker worker`): only the desk is ours to run. `end` ends what fetches."""

    is_left_behind = False

    def __init__(self, desk: Desk, end: Ending) -> None:
        self._desk = desk
        self._end = end

    async def run(self) -> None:
        self._desk.start()

    async def stop(self, grace_seconds: float) -> None:
        await self._desk.stop(grace_seconds)
        await self._end()


class Worker:
    """Implements hub.sharing.Work. `name`: that of this worker; or, where Faust runs this process itself, how to end its fetching."""

    def __init__(self, hub: Hub, name: WorkerName | Ending) -> None:
        engine = hub.engine
        assert isinstance(engine, DistributedEngine)
        self._address = engine.events.address
        self._name = name if isinstance(name, WorkerName) else None
        self._engine = engine
        self._watchdog = Watchdog(self._looked, hub.settings.workers.stall_seconds, time.monotonic)
        self._watching: asyncio.Task[None] | None = None
        self.desk = desk_of(hub)
        self._fetching: Fetching = (
            Working(self._app, self.desk) if isinstance(name, WorkerName) else ByOthers(self.desk, name)
        )

    def _app(self) -> Application:
        return make_app(self._address, TOPICS, self._name.text if self._name else None)

    def runs(self) -> list[Coroutine[Any, Any, None]]:
        self._watching = asyncio.create_task(self._watchdog.run())
        return [self._fetching.run()]

    async def standing(self) -> Mapping[str, Share]:
        """By consumer. Raises Outage."""
        starts, ends = await self._engine.events.starts(), await self._engine.events.ends()
        shares = await asyncio.gather(*(each.share(starts, ends) for each in self.desk.feeds))
        return {feed.consumer.name: share for feed, share in zip(self.desk.feeds, shares, strict=True)}

    async def _looked(self) -> Mapping[str, Share]:
        """What the watchdog sees. A process to which Kafka gives nothing is well while others get on."""
        await self._engine.database.ping()
        starts, ends = await self._engine.events.starts(), await self._engine.events.ends()
        found = {}
        for feed in self.desk.feeds:
            name = feed.consumer.name
            if feed.held:
                found[name] = await feed.share(starts, ends)
            else:
                found[f"{name} of all"] = await feed.whole(starts, ends)
        return found

    @property
    def is_left_behind(self) -> bool:
        return self._fetching.is_left_behind

    async def stop(self, grace_seconds: float) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await self._fetching.stop(min(grace_seconds, STOP_SECONDS))
        if self._name is not None:
            self._name.release()


def worker_of(hub: Hub) -> Worker:
    return Worker(hub, WorkerName.taken(hub.settings.workers.name, hub.folder))
