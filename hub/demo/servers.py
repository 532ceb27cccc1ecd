"""The demo on real servers: Kafka, a server that speaks MongoDB's protocol, and workers in processes of their own."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploy.local.server import CannotStart, Running
from deploy.local.servers import SERVERS
from hub.roles import Role
from schemas.errors import Outage

LOG, STORE = "kafka", "nx-27017"
ROLES = frozenset({Role.CONNECTORS, Role.API})
"""What the demo's own process does; the workers do the rest."""
WORKERS = ("worker-1", "worker-2")
PARTITIONS = 4
DATABASE = "hubbub"
SETTINGS = "hubbub.yaml"
READY = b"ready; stop with"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
RUN = "from hub.cli import main; main()"

Say = Callable[[str], None]


@dataclass
class Distributed:
    """Started servers and workers. `stop` ends workers first, then the servers."""

    folder: Path
    servers: list[Running] = field(default_factory=list)
    workers: list[Process] = field(default_factory=list)
    listening: list["asyncio.Task[None]"] = field(default_factory=list)

    async def open(self, say: Say) -> dict[str, str]:
        """Starts both servers, which keep their data in the folder; downloads what is missing. The settings that name them.

        Raises Outage with what to install where a server cannot start.
        """
        for name in (LOG, STORE):
            server = SERVERS[name]
            try:
                await asyncio.to_thread(server.fetch)
                say(f"Starting {server.says} …")
                home = self.folder / "servers" / name
                await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
                self.servers.append(await asyncio.to_thread(server.open, home))
            except CannotStart as reason:
                raise Outage(str(reason)) from reason
        log, store = self.servers
        address = f"{log.url}?partitions={PARTITIONS}"
        await _make_topics(address)
        return {"log": address, "store": f"{store.url}{DATABASE}"}

    async def start_workers(self, company: dict[str, Any], say: Say) -> None:
        """As a user starts them: `hubbub worker` on the same settings. Returns when all are ready."""
        path = self.folder / SETTINGS
        text = yaml.safe_dump({**company, "data": "."}, allow_unicode=True, sort_keys=False)
        await asyncio.to_thread(path.write_text, text, "utf-8")
        for name in WORKERS:
            say(f"Starting {name}: hubbub worker --config {path} --name {name} --health-port 0 …")
            self.workers.append(await _worker(path, name))
        try:
            async with asyncio.timeout(START_SECONDS):
                for worker, name in zip(self.workers, WORKERS, strict=True):
                    await _ready(worker, name)
                    self.listening.append(asyncio.create_task(_passed_on(worker)))
        except TimeoutError:
            raise Outage(f"the workers were not ready within {START_SECONDS:.0f} s") from None

    def places(self) -> list[tuple[str, str]]:
        """Name and place of what runs beside the demo's own process."""
        log, store = self.servers
        workers = ", ".join(
            f"{name} ({worker.pid})" for name, worker in zip(WORKERS, self.workers, strict=True)
        )
        return [
            ("Kafka", log.url),
            ("Store", f"{store.url}   ({STORE}: MongoDB's protocol)"),
            ("Workers", workers),
        ]

    async def stop(self) -> None:
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
        for worker in self.workers:
            await _ended(worker)
        for task in self.listening:
            await task
        for server in reversed(self.servers):
            await asyncio.to_thread(server.stop)


async def _make_topics(address: str) -> None:
    from sinks.kafka.address import parse_address  # noqa: PLC0415  needs the packages of this engine
    from sinks.kafka.topics import TopicAdmin  # noqa: PLC0415

    async with TopicAdmin(parse_address(address)) as topics:
        await topics.apply(await topics.plan())


async def _worker(settings: Path, name: str) -> Process:
    place = ("--config", str(settings), "--name", name, "--health-port", "0")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, "worker", *place, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE,
        env={**os.environ, "HUBBUB_LOGGING__LEVEL": "warning"}, start_new_session=True,
    )  # fmt: skip


async def _ready(worker: Process, name: str) -> None:
    """Returns once it says that it is ready. Raises Outage with what it said when it ends instead."""
    assert worker.stderr is not None
    said = []
    while line := await worker.stderr.readline():
        if READY in line:
            return
        said.append(line.decode("utf-8", "replace"))
    raise Outage(f"{name} did not start:\n{''.join(said[-20:])}")


async def _passed_on(worker: Process) -> None:
    assert worker.stderr is not None
    while line := await worker.stderr.readline():
        sys.stderr.buffer.write(line)
        sys.stderr.flush()


async def _ended(worker: Process) -> None:
    try:
        await asyncio.wait_for(worker.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
