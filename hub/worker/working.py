"""Runs the Faust application of this process, and a new one when that broke down: an outage of Kafka ends no process."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from aiokafka.errors import UnknownError  # what a code is that aiokafka does not know, such as 82: fenced

from hub.worker.agents import Application
from hub.worker.desk import Desk

log = logging.getLogger("hubbub.worker")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
END_SECONDS = 2.0
WELL_AFTER_SECONDS = 60.0
"""What breaks down after so long is no consequence of the breakdown before."""
FAUST = ("faust", "mode", "kafka", "aiokafka", "hub.worker")


def quieten() -> None:
    """Faust tells each rebalance in twenty lines, and each outage in a thousand; whoever waits says so once."""
    for name in FAUST:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Working:
    """`make` gives a new application each time."""

    def __init__(
        self, make: Callable[[], Application], desk: Desk, pause_seconds: float = FIRST_PAUSE_SECONDS
    ) -> None:
        self._make = make
        self._desk = desk
        self._pause = pause_seconds
        self._stopping = asyncio.Event()
        self._app: Application | None = None
        self.breakdowns = 0
        self._is_late = False

    async def run(self) -> None:
        """Until `stop`."""
        quieten()
        self._desk.start()
        pause = self._pause
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            app = self._app = self._make()
            app.desk = self._desk
            try:
                await self._until_over(app)
            except Exception as error:  # noqa: BLE001  whatever Faust does, the next one tries again
                self._told(error)
            else:
                self._told(app.crash_reason)
            if self._stopping.is_set():
                break
            self._desk.hold(())
            await self._end(app)
            self.breakdowns += 1
            if asyncio.get_running_loop().time() - began > WELL_AFTER_SECONDS:
                pause = self._pause
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)

    @property
    def is_left_behind(self) -> bool:
        """Something of Faust's could not be ended, as after each breakdown: who ends the process must not wait for it."""
        return self._is_late or self.breakdowns > 0

    def _told(self, error: BaseException | None) -> None:
        if error is None or self._stopping.is_set():
            return
        hint = (
            ": perhaps another process works under the same workers.name"
            if isinstance(error, UnknownError)
            else ""
        )
        log.warning(
            "fetching from Kafka broke down and begins again: %s: %s%s", type(error).__name__, error, hint
        )

    async def _until_over(self, app: Application) -> None:
        """Starts it, and waits until it broke down or is not wanted any more. Raises what starting raises."""
        starting = asyncio.ensure_future(app.start())
        ends = [
            asyncio.ensure_future(each)
            for each in (app._crashed.wait(), app._stopped.wait(), self._stopping.wait())
        ]
        try:
            await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and not starting.cancelled():  # a breakdown cancels that, too
                starting.result()
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (starting, *ends):
                each.cancel()
            await asyncio.gather(starting, *ends, return_exceptions=True)

    async def stop(self, grace_seconds: float) -> None:
        """Nothing new is begun, what is being committed ends within the grace, and nothing is acknowledged that was not applied."""
        self._stopping.set()
        await self._desk.stop(grace_seconds)
        if self._app is not None:
            await self._end(self._app)

    async def _end(self, app: Application) -> None:
        """As far as it can be ended in time: what Faust waits for, such as a broker that is silent, ends with the process."""
        ending = asyncio.ensure_future(app.stop())
        _, late = await asyncio.wait({ending}, timeout=END_SECONDS)
        if late:
            self._is_late = True
            ending.cancel()
        else:
            with contextlib.suppress(
                Exception, asyncio.CancelledError
            ):  # a breakdown cancels Faust's own tasks
                ending.result()
