"""A connector that fetches, run only while this process holds the lease of its source."""

import asyncio
import contextlib
import logging
from typing import Protocol, runtime_checkable

from hub.leases import Leases, Wanted
from schemas.ports import Connector, Health, HealthState

log = logging.getLogger("hubbub.pulling")

DUTY = "fetch"
"""What members do that fetch."""
LOOK_SECONDS = 0.5
"""A lease is lost by the time alone, too, of which nobody tells."""
TRY_AGAIN_SECONDS = 5.0


@runtime_checkable
class Pulling(Connector, Protocol):
    """A connector of which only one process may run an instance at a time."""

    async def start_as(self, token: int) -> None:
        """Like `start`, under a lease: what is saved carries its token. May be called again after `stop`."""
        ...


class Leased:
    """Implements Connector. `start` returns at once: whether this process fetches is told by its health."""

    def __init__(self, inner: Pulling, leases: Leases) -> None:
        self.channel = inner.channel
        self.account = inner.account
        self._inner = inner
        self._leases = leases
        self._lease: Wanted | None = None
        self._token: int | None = None
        """Of the lease under which it runs now."""
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        self._lease = self._leases.want(f"fetch {self.channel}/{self.account}", DUTY)
        self._task = asyncio.create_task(
            self._run(self._lease), name=f"lease of {self.channel}/{self.account}"
        )

    async def stop(self, grace_seconds: float) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._token is not None:
            self._token = None
            await self._inner.stop(grace_seconds)

    def health(self) -> Health:
        if self._token is not None:
            return self._inner.health()
        if self._task is None or self._lease is None:
            return Health(HealthState.STOPPED)
        if self._trouble:
            return Health(HealthState.DEGRADED, self._trouble)
        if holder := self._leases.holder_name(self._lease):
            return Health(HealthState.OK, f"another process fetches: {holder}")
        return Health(HealthState.DEGRADED, "waits until no other process can be fetching")

    async def _run(self, lease: Wanted) -> None:
        while True:
            try:
                await self._follow(lease)
                self._trouble = ""
            except Exception as error:
                self._trouble = f"cannot be started: {type(error).__name__}"
                log.exception("%s/%s cannot be started or stopped", self.channel, self.account)
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which returns a result although its task was cancelled (Python 3.11).
                async with asyncio.timeout(LOOK_SECONDS):
                    await lease.change()

    async def _follow(self, lease: Wanted) -> None:
        """Runs it if and only if the lease is held, under the token of this holding."""
        token = lease.token if lease.is_held else None
        if token == self._token:
            return
        if self._token is not None:
            self._token = None
            await self._inner.stop(0)
        if token is not None:
            await self._inner.start_as(token)
            self._token = token


def leased(connector: Connector, leases: Leases) -> Connector:
    """The connector, behind a lease where it fetches."""
    return Leased(connector, leases) if isinstance(connector, Pulling) else connector
