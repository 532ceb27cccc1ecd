"""Ends the process when a consumer has work and does not move, though both servers answer.

Faust is known to stop fetching after an outage while its process looks healthy. Whoever started the process starts it again,
and it goes on from where the store says.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from schemas.errors import Outage

log = logging.getLogger("hubbub.worker")

BOUNDS = 3
EXIT_CODE = 5
"""As the command line ends for a fault of Hubbub (hub.cli.errors)."""


class Moving(Protocol):
    """What the watchdog sees of a consumer."""

    @property
    def lag(self) -> int: ...

    @property
    def moves(self) -> int: ...


def end() -> None:
    """At once: what stands still would not let itself be ended in order."""
    os._exit(EXIT_CODE)


class Watchdog:
    """`look` gives each consumer as it stands, or raises Outage while a server does not answer: that time does not count."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Mapping[str, Moving]]],
        bound_seconds: float,
        monotonic: Callable[[], float],
        end: Callable[[], None] = end,
    ) -> None:
        self._look = look
        self._bound = bound_seconds
        self._monotonic = monotonic
        self._end = end
        self._seen: dict[str, tuple[int, float]] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(self._bound / 6)
            await self.check()

    async def check(self) -> None:
        try:
            async with asyncio.timeout(self._bound / 3):
                consumers = await self._look()
        except (Outage, TimeoutError):
            self._seen.clear()
            return
        now = self._monotonic()
        for gone in self._seen.keys() - consumers.keys():
            del self._seen[gone]
        for name, each in consumers.items():
            moves, since = self._seen.get(name, (each.moves, now))
            if each.lag == 0 or moves != each.moves:
                moves, since = each.moves, now
            self._seen[name] = (moves, since)
            if now - since > BOUNDS * self._bound:
                log.critical(
                    "%s has %d events to do and has not moved for %.0f s, though Kafka and MongoDB answer: "
                    "this process ends, to be started again",
                    name,
                    each.lag,
                    now - since,
                )
                self._end()
