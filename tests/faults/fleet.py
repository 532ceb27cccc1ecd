"""Hubs on real servers under load, each process started again whenever it ends, as an operator's supervisor does."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from sinks.distributed.engine import open_distributed
from tests.e2e.hubs import company, hubbub, ready, write_settings
from tests.faults.hub import CLOCK
from tests.faults.invariants import broken
from tests.faults.load import REFUSED, Load, Target
from tests.faults.machines import DATABASE, Machines, machines
from tests.support.paths import ROOT
from tests.support.process import Running, running
from tests.support.waiting import eventually

COMMAND = (sys.executable, "-m", "tests.faults.hub")
FRONT = ("up", "--only", "connectors,api")
WHOLE = ("up",)
CRASH_AT = "HUBBUB_CRASH_AT"
WORKER = ("worker", "--name")
START_SECONDS, STOP_SECONDS = 120.0, 40.0
END_SECONDS = 180.0
LOADED_SECONDS = 90.0
PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.5
"""Of each person: what comes faster than the database takes it only waits, and is waited for at the end."""


@dataclass
class Kept:
    """One process, over all its lives. `environment` is that of its next life alone."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    """The environment of all its lives."""
    tree: Path = ROOT
    """Where the code of its next life lies."""
    run: Running | None = None
    is_over: bool = False
    starts: int = 0
    ends: list[tuple[str, int]] = field(default_factory=list)
    """The point that each life was to end at, if any, and its exit code."""
    said: list[str] = field(default_factory=list)
    is_up: asyncio.Event = field(default_factory=asyncio.Event)

    def kill(self) -> bool:
        """Whether there was a process to kill."""
        if self.run is None or self.run.process.returncode is not None:
            return False
        try:
            os.kill(self.run.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.is_up.clear()  # at once: who asks now must not find the one that ended
        return True


@dataclass
class Fleet:
    """Servers, processes of the hub, the load on them, and the receiver of their mail."""

    folder: Path
    seed: int
    machines: Machines
    settings: Path
    relay: StandinServer
    load: Load
    kept: dict[str, Kept] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    keeping: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    is_ending: bool = False

    # -- processes --------------------------------------------------------------------------------------------------

    def keep(self, name: str, arguments: Sequence[str], tree: Path = ROOT) -> Kept:
        """From now on there is a process of this name, whose clock can be turned."""
        clock = self.folder / f"clock-{name}"
        clock.write_text("0")
        kept = self.kept[name] = Kept(name, tuple(arguments), always={CLOCK: str(clock)}, tree=tree)
        self.keeping[name] = asyncio.create_task(self._keep(kept))
        self.keeping[name].add_done_callback(self._kept_to_the_end)
        return kept

    def _kept_to_the_end(self, keeping: "asyncio.Task[None]") -> None:
        """A defect of this test is told at once; whoever waits for the process would wait long."""
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            self.tell(f"no process any more: {error!r}")
            self._testing.cancel(repr(error))

    async def _keep(self, kept: Kept) -> None:
        while not (self.is_ending or kept.is_over):
            environment, kept.environment = {**kept.always, **kept.environment}, {}
            kept.starts += 1
            command = (*COMMAND, *kept.arguments, "--config", str(self.settings))
            async with running(*command, folder=kept.tree, environment=environment) as run:
                kept.run = run
                await self._live(kept, run)
                kept.is_up.clear()
                if kept.arguments[0] == "up":
                    self.load.target.is_gone()
                kept.ends.append((environment.get(CRASH_AT, ""), run.process.returncode or 0))
            kept.said += run.lines
            await asyncio.sleep(PAUSE_SECONDS)

    async def _live(self, kept: Kept, run: Running) -> None:
        with suppress(EOFError):  # it ended before it was ready
            if kept.arguments[0] == "up":
                self.load.target.is_at(await ready(run, self.settings, START_SECONDS))
            else:
                await run.said("ready; stop with", START_SECONDS)
            kept.is_up.set()
        await run.process.wait()

    async def all_up(self, within_seconds: float = 120) -> None:
        async with asyncio.timeout(within_seconds):
            for each in self.kept.values():
                if not each.is_over:
                    await each.is_up.wait()

    async def dismiss(self, name: str) -> int:
        """A process ends for good, by SIGTERM. Its exit code."""
        kept = self.kept[name]
        kept.is_over = True
        assert kept.run is not None
        code = await kept.run.stop(signal.SIGTERM, STOP_SECONDS)
        await self.keeping[name]
        return code

    async def replace(self, name: str, tree: Path) -> None:
        """It ends by SIGTERM, and its next life is that of the code in `tree`. Returns when that is ready."""
        kept = self.kept[name]
        await kept.is_up.wait()
        assert kept.run is not None
        kept.tree = tree
        kept.is_up.clear()
        if (code := await kept.run.stop(signal.SIGTERM, STOP_SECONDS)) != 0:
            raise AssertionError(f"{name} ended with {code}: {kept.run.lines[-20:]}")
        await asyncio.wait_for(kept.is_up.wait(), START_SECONDS)

    def turn_clock(self, name: str, seconds: float) -> None:
        """From now on it is wrong by so much, as one that was set anew."""
        clock = self.folder / f"clock-{name}"
        turned = clock.with_suffix(".new")
        turned.write_text(str(seconds))
        turned.replace(clock)
        self.tell(f"the clock of {name} is wrong by {seconds:.0f} s")

    # -- faults -----------------------------------------------------------------------------------------------------

    async def loaded(self, more: int = 1) -> None:
        """Until so many more items are taken: nothing is proved by faults of a hub that nobody uses."""
        before = len(self.load.ledger.items)
        await eventually(lambda: len(self.load.ledger.items) >= before + more, LOADED_SECONDS)

    def kill_one(self, chance: Random) -> bool:
        """Whether there was one to kill: one that has just ended is not killed again."""
        name = chance.choice(sorted(name for name, each in self.kept.items() if not each.is_over))
        is_killed = self.kept[name].kill()
        if is_killed:
            self.tell(f"kill -9 of {name}")
        return is_killed

    def tell(self, what: str) -> None:
        self.counts[what] += 1
        line = f"{monotonic() - self.began:6.1f} s, {len(self.load.ledger.items)} items: {what}"
        self.said.append(line)
        print(line, flush=True)

    # -- beginning and end ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        testing = asyncio.current_task()
        assert testing is not None
        self._testing: asyncio.Task[object] = testing
        self.began = monotonic()
        self._loading = asyncio.create_task(self.load.run())

    async def conclude(self) -> list[str]:
        """No more faults: what was begun is finished, everything is done, all stop; then the books are checked."""
        await self.all_up()
        self.load.stop()
        await asyncio.wait_for(self._loading, END_SECONDS)
        hub = self.load.target.hub
        assert hub is not None
        self.tell("no more load")
        await hub.settled(END_SECONDS)
        self.tell("all is done")
        faults = await self._stopped()
        self.tell("all have stopped")
        engine = await open_distributed(
            self.machines.settings["log"], self.machines.settings["store"], clock=SystemClock()
        )
        try:
            faults += await broken(engine, self.load.ledger, await self.relay.mailbox.list(limit=10**9))
        finally:
            await engine.close()
        self.tell("the books are checked")
        return faults + await self._verified()

    async def _stopped(self) -> list[str]:
        self.is_ending = True
        faults = []
        for name, kept in self.kept.items():
            if kept.is_over:
                continue
            assert kept.run is not None
            code = await kept.run.stop(signal.SIGTERM, STOP_SECONDS)
            if code:
                faults.append(f"SIGTERM ended {name} with {code}: {kept.run.lines[-20:]}")
        await asyncio.wait([*self.keeping.values()], timeout=STOP_SECONDS)
        for kept in self.kept.values():
            faults += [
                f"{kept.name} said: {line[:300]} … {line[-1500:]}" for line in kept.said if is_defect(line)
            ]
        return faults

    async def _verified(self) -> list[str]:
        """The same by the command, as an operator would ask."""
        ledger = self.folder / "ledger"
        await asyncio.to_thread(ledger.write_text, "\n".join(self.load.ledger.items))
        code, said = await hubbub("verify", "--json", "--ledger", str(ledger), "--config", str(self.settings))
        last = json.loads(said.splitlines()[-1])
        self.counts.update({f"verified {name}": number for name, number in last["counts"].items()})
        return (
            []
            if (code, last["result"]) == (0, "whole")
            else [f"hubbub verify ended with {code}: {said[:3000]}"]
        )

    async def abandon(self) -> None:
        self.is_ending = True
        tasks = [self._loading, *self.keeping.values()]
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)

    def last_words(self) -> list[str]:
        """What the processes said last, for who looks for what went wrong."""
        return [
            f"{each.name}: {line[:400]}"
            for each in self.kept.values()
            for line in (*each.said, *(each.run.lines if each.run else ()))[-15:]
        ]

    def report(self, faults: Sequence[str] = ()) -> str:
        lives = ", ".join(f"{each.name} {each.starts}" for each in self.kept.values())
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return "\n".join(
            [
                f"on {DATABASE}, whose updates of one document are atomic (FerretDB's are not, so it is not raced)",
                f"seed {self.seed}: {self.load.ledger}",
                f"lives: {lives}",
                f"slowest answer to a command: {self.load.slowest_command_seconds:.1f} s",
                f"counts: {counts}",
                *self.said,
                *faults[:60],
            ]
        )


def is_defect(line: str) -> bool:
    return '"level": "error"' in line or "Traceback" in line


@asynccontextmanager
async def fleet(
    folder: Path,
    seed: int,
    processes: Mapping[str, Sequence[str]],
    behind_proxies: bool = False,
    brokers: int = 1,
    tree: Path = ROOT,
    **more: object,
) -> AsyncIterator[Fleet]:
    """Servers, these processes, and the load, begun. `behind_proxies`: the network to the servers can be cut. `tree`: whose code
    the processes run."""
    with machines(folder / "servers", behind_proxies, brokers) as on:
        if behind_proxies:
            await on.put_proxies_between()
        mailbox = Mailbox(folder / "mailbox.sqlite")
        relay = StandinServer(mailbox, SystemClock())
        relay.behave(to_recipients={REFUSED: "550 5.1.1 Nobody of that name"})
        await relay.start()
        settings = write_settings(folder, company(relay.port) | on.settings | {"health": {"port": 0}, **more})
        code, said = await hubbub("topics", "apply", "--yes", "--config", str(settings))
        assert code == 0, said
        load = Load(seed, Target(), folder, has_backups=False, longest_pause_seconds=LONGEST_PAUSE_SECONDS)
        made = Fleet(folder, seed, on, settings, relay, load)
        made.begin()
        for name, arguments in processes.items():
            made.keep(name, arguments, tree)
        try:
            await made.all_up()
            yield made
        except BaseException:
            print(made.report(made.last_words()))
            raise
        finally:
            await made.abandon()
            await relay.stop()
            await mailbox.close()
            for each in on.proxies.values():
                await each.stop()


async def concluded(made: Fleet) -> None:
    """Check the books, and print what the run did so that it can be done again."""
    faults = await made.conclude()
    print(made.report(faults))
    assert faults == [], made.report(faults)
