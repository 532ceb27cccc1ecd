"""Several lives of one hub on one data folder, under load, each ended in its own way; then the books are checked."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from sinks.sqlite.engine import open_engine
from tests.e2e.hubs import HubProcess, company, hub_process, ready, write_settings
from tests.faults.hub import COUNT
from tests.faults.invariants import broken
from tests.faults.load import REFUSED, Load, Target
from tests.support.process import running
from tests.support.waiting import eventually

COMMAND = (sys.executable, "-m", "tests.faults.hub")
LIFE_SECONDS = 4.0
STOP_SECONDS = 30.0
LOADED_SECONDS = 30.0


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class World:
    """A data folder, the load on whatever hub runs there, and the receiver of its mail. Outlives each hub."""

    folder: Path
    seed: int
    settings: Path
    relay: StandinServer
    load: Load
    said: list[str] = field(default_factory=list)
    start_seconds: float = 3.0

    @property
    def target(self) -> Target:
        return self.load.target

    async def killed_at(self, point: str, passage: int) -> str:
        """A life that ends where the point is passed for the given time, by SIGKILL; at the latest after a while."""
        armed = {"HUBBUB_CRASH_AT": f"{point}:{passage}", "HUBBUB_TESTING": "1"}
        return await self._life(f"{point}:{passage}", armed, LIFE_SECONDS)

    async def killed_after(self, seconds: float) -> str:
        """A life that is ended by SIGKILL so long after it took its first item."""
        return await self._life(f"{seconds:.2f} s under load", {}, seconds)

    async def killed_while_it_starts(self, part: float) -> str:
        """A life that is ended by SIGKILL after a part, from 0 to 1, of the time that the last start took."""
        seconds = part * self.start_seconds
        return await self._life(f"{seconds:.2f} s after it was begun", {}, seconds, is_since_start=True)

    async def _life(
        self, what: str, environment: dict[str, str], seconds: float, is_since_start: bool = False
    ) -> str:
        before, began = len(self.load.ledger.items), monotonic()
        async with running(*COMMAND, "up", "--config", str(self.settings), environment=environment) as run:
            deadline = began + seconds
            try:
                async with asyncio.timeout(seconds if is_since_start else None):
                    self.target.is_at(await ready(run, self.settings))
                self.start_seconds = monotonic() - began
                if not is_since_start:
                    await eventually(
                        lambda: len(self.load.ledger.items) > before or run.process.returncode is not None,
                        LOADED_SECONDS,
                    )
                    deadline = monotonic() + seconds
                await asyncio.wait_for(run.process.wait(), max(0.0, deadline - monotonic()))
                end = "killed itself" if run.process.returncode == -signal.SIGKILL else "ended"
            except EOFError:
                end = "killed itself while it started"
            except TimeoutError:
                end = "was killed"
            self.target.is_gone()
            await run.stop(signal.SIGKILL, STOP_SECONDS)
            assert run.process.returncode == -signal.SIGKILL, run.lines[-40:]
        line = f"{what}: {end} after {monotonic() - began:.1f} s, {len(self.load.ledger.items) - before} items taken"
        self.said.append(line)
        return end

    async def count_passages(self) -> dict[str, int]:
        """How often each crash point is passed in an undisturbed life of the usual length."""
        path = self.folder / "passages.json"
        async with hub_process(self.settings, {COUNT: str(path)}, COMMAND) as hub:
            self.target.is_at(hub)
            await asyncio.sleep(LIFE_SECONDS / 2)
            self.target.is_gone()
            assert await hub.run.stop(within_seconds=STOP_SECONDS) == 0
        counts: dict[str, int] = json.loads(path.read_text())
        return counts

    async def conclude(self) -> list[str]:
        """A last life, undisturbed: the load ends, everything is done; then the hub stops and the books are checked."""
        async with hub_process(self.settings, command=COMMAND) as hub:
            await self.end_of_load(hub)
            await hub.settled()
            code = await hub.run.stop(within_seconds=STOP_SECONDS)
            said = list(hub.run.lines)
        faults = [] if code == 0 else [f"SIGTERM ended with {code}: {said[-20:]}"]
        faults += [f"it said: {line}" for line in said if '"level": "error"' in line or "Traceback" in line]
        return faults + await self.broken()

    async def end_of_load(self, hub: HubProcess) -> None:
        self.target.is_at(hub)
        self.load.stop()
        await asyncio.wait_for(self._running, STOP_SECONDS)

    async def broken(self) -> list[str]:
        engine = await open_engine(self.folder / "data", clock=Clock())
        try:
            return await broken(engine, self.load.ledger, await self.relay.mailbox.list(limit=10**9))
        finally:
            await engine.close()

    def begin(self) -> None:
        self._running = asyncio.create_task(self.load.run())

    async def abandon(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    def report(self, faults: Sequence[str] = ()) -> str:
        return "\n".join([f"seed {self.seed}: {self.load.ledger}", *self.said, *faults[:20]])


@asynccontextmanager
async def world(folder: Path, seed: int) -> AsyncIterator[World]:
    await asyncio.to_thread(folder.mkdir, parents=True)
    mailbox = Mailbox(folder / "mailbox.sqlite")
    relay = StandinServer(mailbox, Clock())
    relay.behave(to_recipients={REFUSED: "550 5.1.1 Nobody of that name"})
    await relay.start()
    settings = write_settings(folder, company(relay.port))
    made = World(folder, seed, settings, relay, Load(seed, Target(), folder))
    made.begin()
    try:
        yield made
    finally:
        await made.abandon()
        await relay.stop()
        await mailbox.close()
