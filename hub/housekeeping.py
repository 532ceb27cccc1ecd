"""What has to be done now and then by one process of the hub: forgetting what is over."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hub.leases import Leases
from schemas.errors import Outage

log = structlog.get_logger("hubbub")

LEASE = "housekeeping"
EVERY_SECONDS = 600.0
Chore = Callable[[], Awaitable[object]]


class Housekeeping:
    """Does its chores every ten minutes where this process holds the lease. What fails is done next time."""

    def __init__(self, chores: Sequence[Chore], leases: Leases, every_seconds: float = EVERY_SECONDS) -> None:
        self._chores = tuple(chores)
        self._leases = leases
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        lease = self._leases.want(LEASE)
        while True:
            await asyncio.sleep(self._every_seconds)
            if lease.is_held:
                await self.once()

    async def once(self) -> None:
        for chore in self._chores:
            try:
                await chore()
            except Outage as outage:
                log.warning("housekeeping waits", reason=str(outage))
            except Exception as error:  # once more later, whatever it was
                log.error("housekeeping failed", kind=type(error).__name__, exc_info=error)
