"""Runs a hub: opens, publishes the configuration, starts what listens and what works, and stops it all in order."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from starlette.types import ASGIApp

from hub.application import applications
from hub.catching_up import refuse_older
from hub.crashing import arm_for_test
from hub.descriptors import fitted, raise_limit
from hub.http.authentication import as_operator
from hub.http.connections import Connections
from hub.http.protocol import quieten
from hub.listening import Server, bind, limits_of, server_of, unix_socket, url
from hub.pulling import DUTY as FETCH
from hub.roles import EVERYTHING, Role, Roles
from hub.settings import HubSettings
from hub.sharing import Work, listening_of, publish_at_start, work_of
from hub.starting import ToldWaiting, until_reached
from hub.wiring import Hub, wire
from schemas.errors import Outage, Unreachable
from sinks.outbound import DUTY as SEND

log = structlog.get_logger("hubbub")

SOCKET = "hub.sock"
LEAVE_SECONDS, LEAST_SECONDS = 1.5, 0.5
"""For telling others that this process is gone; and what each part of the end has in any case."""
DUTIES: dict[Role, tuple[str, ...]] = {Role.CONNECTORS: (FETCH,), Role.WORKERS: (SEND,)}
"""What a member of these roles is counted for where work is shared."""


@dataclass
class Running:
    """A hub that runs. `addresses` tells where: console, intake, files, and smtp where mail is taken; health where the API is not."""

    hub: Hub
    addresses: Mapping[str, str]
    roles: Roles = EVERYTHING
    work: Work | None = None
    working: Callable[[Hub], Work] = work_of
    servers: list[tuple[Server, "asyncio.Task[None]"]] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    purging: "asyncio.Task[None] | None" = None
    leasing: "asyncio.Task[None] | None" = None
    is_stopping: bool = False

    async def stop(self) -> None:
        """Graceful: first nothing more comes in, then what is in flight ends, then the engine closes.

        The grace is for all of it together: what still waits when half of it is over waits for a silent server.
        """
        if self.is_stopping:
            return
        self.is_stopping = True
        hub, grace = self.hub, self.hub.settings.grace_seconds
        now = asyncio.get_running_loop().time
        ends_at = now() + grace / 2
        log.info("stopping")
        for server, _ in self.servers:
            server.should_exit = True
        await asyncio.gather(*(each.stop(grace) for each in hub.connectors))
        await self._stop_servers(grace)
        if self.work is not None:
            await self.work.stop(grace)
        hub.timers.stop()
        hub.company.stop()
        hub.controls.stop()
        await hub.dispatcher.stop(max(LEAST_SECONDS, ends_at - now()))
        if self.purging is not None:
            self.purging.cancel()
        await self._end_tasks(max(LEAST_SECONDS, ends_at - now()))
        await hub.close_channels()
        if hub.spool is not None:
            await hub.spool.stop()
        await self._leave()
        await hub.engine.close()
        if Role.API in self.roles:
            (hub.folder / SOCKET).unlink(missing_ok=True)
        log.info("stopped")

    async def _leave(self) -> None:
        """Last: until now nobody may take over what this process does. While the store is silent others find out by themselves."""
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.hub.leases.stop()
                if self.leasing is not None:
                    await self.leasing
        except TimeoutError:
            log.warning(
                "the store does not answer: others will find out by themselves that this process is gone"
            )

    async def _stop_servers(self, grace: float) -> None:
        tasks = [task for _, task in self.servers]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for server, task in self.servers:
            if task in late:  # a stream that does not end by itself
                server.force_exit = True
        if late:
            await asyncio.wait(late, timeout=2.0)

    async def _end_tasks(self, grace: float) -> None:
        if not self.tasks:
            return
        _, late = await asyncio.wait(self.tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


async def start(
    settings: HubSettings,
    folder: Path,
    roles: Roles = EVERYTHING,
    working: Callable[[Hub], Work] = work_of,
) -> Running:
    """Opens and starts all that is of these roles; returns when mail, forms and requests are taken.

    `working`: what runs the consumers. Raises Invalid or Outage, with the cure.
    """
    settings = fitted(settings, raise_limit())
    hub = await wire(settings, folder)
    try:
        await refuse_older(hub.engine)
        sockets = bind(settings, listening_of(roles))
    except BaseException:
        await hub.engine.close()
        raise
    addresses = {name: url(each, getattr(settings, name)) for name, each in sockets.items()}
    running = Running(hub, addresses, roles, working=working)
    try:
        await publish_at_start(hub.publishing, settings.company(), roles)
        await hub.leases.start([duty for role in roles for duty in DUTIES.get(role, ())])
        running.leasing = asyncio.create_task(hub.leases.run())
        await _recover(hub)
        _start_work(running)
        if Role.CONNECTORS in roles:
            if hub.spool is not None:
                await hub.spool.start()
            for connector in hub.connectors:
                await connector.start()
        _start_servers(running, sockets)
        await _until_served(running)
    except BaseException:
        try:
            await running.stop()
        finally:
            for each in sockets.values():  # those that no server had yet: who starts again needs them
                each.close()
        raise
    if (
        Role.CONNECTORS in roles
        and hub.email
        and hub.email.port
        and settings.email
        and settings.email.smtp_in
    ):
        running.addresses = {**addresses, "smtp": f"{settings.email.smtp_in.host}:{hub.email.port}"}
    log.info("ready", **running.addresses)
    return running


async def _recover(hub: Hub) -> None:
    """A killed process may hold some of them for seconds yet: the dispatcher looks again."""
    try:
        interrupted = await hub.dispatcher.recover()
    except Unreachable:
        raise
    except Outage as outage:
        log.warning("messages that were being sent are looked at later", reason=str(outage))
        return
    if interrupted:
        log.warning("messages that were being sent when the hub stopped are unknown now", count=interrupted)


def _start_work(running: Running) -> None:
    hub = running.hub
    endless: list[Coroutine[Any, Any, None]] = []
    if Role.WORKERS in running.roles:
        running.work = running.working(hub)
        endless = [*running.work.runs(), hub.dispatcher.run(), hub.timers.run()]
        running.purging = asyncio.create_task(hub.housekeeping.run())
    if hub.settings.log is not None:
        endless.append(hub.company.follow())
    if Role.CONNECTORS in running.roles:
        endless.append(hub.controls.run())
    running.tasks = [asyncio.create_task(each) for each in endless]


def _start_servers(running: Running, sockets: Mapping[str, socket.socket]) -> None:
    quieten()
    work = None if running.work is None else running.work.standing
    apps = applications(running.hub, running.addresses, lambda: running.is_stopping, running.roles, work)
    for name, each in sockets.items():
        _serve(running, name, apps[name], each)
    if Role.API not in running.roles:
        return
    path = running.hub.folder / SOCKET
    path.unlink(missing_ok=True)
    _serve(running, "operator", as_operator(apps["console"]), unix_socket(path))


def _serve(running: Running, name: str, app: ASGIApp, listening: socket.socket) -> None:
    settings = running.hub.settings
    connections = Connections(name, limits_of(settings, name), running.hub.metrics)
    server = server_of(app, connections, settings.grace_seconds)
    running.servers.append((server, asyncio.create_task(server.serve(sockets=[listening]))))


async def _until_served(running: Running) -> None:
    while not all(server.started for server, _ in running.servers):
        for _, task in running.servers:
            if task.done():
                task.result()
                raise Outage("a server ended while it started")
        await asyncio.sleep(0.005)


def spare_the_collector() -> None:
    """What stands now stands till the end: the collector need not look at it, nor come so often.

    Measured: as Python sets it, an event that is decoded while the hub's modules and settings are in memory costs 80 µs
    instead of 20 µs. A batch of 500 decisions holds some 60,000 objects, all of them in use: a threshold below that makes
    the collector look through them for nothing, 30 µs an event.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


async def start_patiently(
    settings: HubSettings,
    folder: Path,
    roles: Roles,
    stopped: asyncio.Event,
    told: ToldWaiting,
    working: Callable[[Hub], Work] = work_of,
) -> Running | None:
    """None when it was stopped before the servers could be reached."""
    while True:
        try:
            return await start(settings, folder, roles, working)
        except Unreachable as why:
            if not await until_reached(settings, folder, roles, stopped, told, why):
                return None


async def run(
    settings: HubSettings,
    folder: Path,
    told: Callable[[Running], None] = lambda _: None,
    roles: Roles = EVERYTHING,
    told_waiting: ToldWaiting = lambda _addresses, _why: None,
) -> None:
    """Run until SIGTERM or SIGINT. `told` is called once all is ready. A second signal ends at once.

    While the servers of the second engine cannot be reached it waits for them; `told_waiting` is called before.
    """
    arm_for_test(os.environ)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopped.is_set():
            os._exit(130)
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    started = await start_patiently(settings, folder, roles, stopped, told_waiting)
    if started is None:
        return
    running = started
    spare_the_collector()
    told(running)
    try:
        await stopped.wait()
    finally:
        await running.stop()
        if (
            settings.log is not None
        ):  # a thread of a driver may wait for a silent server, and Python would wait for it
            logging.shutdown()
            os._exit(0)
