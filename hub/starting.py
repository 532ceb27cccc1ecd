"""A hub whose servers are down when it starts: it listens, says honestly that it cannot work yet, and starts when they answer.

What intake takes goes to the spool where there is one. Else senders are put off: HTTP 503 with Retry-After, SMTP 451. Sources that
are asked are not asked; console and API say 503. Only the secret is needed for that, which is a file: a hub that has never run has
none, and answers nothing but 503.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.kit.channel import Opened
from connectors.kit.downloads import Downloads
from connectors.kit.intake import Intake
from hub.application import hooks_of
from hub.engines import open_engine_of
from hub.http.connections import Connections
from hub.http.hooks import HookServer
from hub.http.protocol import quieten
from hub.listening import HEALTH, Server, bind, limits_of, server_of, url
from hub.observe import Metrics
from hub.pulling import Pulling
from hub.roles import Role, Roles
from hub.secrets import installation_secret
from hub.settings import HubSettings
from hub.sharing import listening_of
from hub.wiring import SystemClock, open_channels, surroundings
from schemas.errors import Outage, Unreachable
from schemas.ports import Clock, Connector, Engine
from sinks.spool.spool import Spool

log = structlog.get_logger("hubbub")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
GRACE_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5
WAITS = "this process waits for the log and the store, and goes on by itself when they answer"


ToldWaiting = Callable[[Mapping[str, str], str], None]
"""Where it listens, and why it waits."""


class Absent:
    """Stands for an engine that is not there yet: whatever is asked of it is an outage."""

    async def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise Outage(WAITS)

    commit = load = find = blob = put_blob = remove_blob = _refuse


def not_yet() -> ASGIApp:
    """Alive, not ready, and 503 for everything else."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def waits(_: Request) -> Response:
        headers = {"retry-after": str(RETRY_AFTER_SECONDS), "cache-control": "no-store"}
        return JSONResponse({"status": "waiting", "detail": WAITS}, 503, headers)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(routes=[Route("/health/live", live), Route("/{path:path}", waits, methods=methods)])


@dataclass
class Waiting:
    """What runs meanwhile. Made by `open_waiting`."""

    addresses: Mapping[str, str]
    connectors: list[Connector] = field(default_factory=list)
    channels: Mapping[str, Opened] = field(default_factory=dict)
    spool: Spool | None = None
    servers: list[tuple[Server, "asyncio.Task[None]"]] = field(default_factory=list)

    async def close(self) -> None:
        """Nothing is taken any more; what was taken is durable in the spool."""
        for server, _ in self.servers:
            server.should_exit = True
        await asyncio.gather(*(each.stop(GRACE_SECONDS) for each in self.connectors))
        if self.servers:
            _, late = await asyncio.wait([task for _, task in self.servers], timeout=GRACE_SECONDS)
            for server, task in self.servers:
                if task in late:
                    server.force_exit = True
            if late:
                await asyncio.wait(late)
        for channel in self.channels.values():
            await channel.close()
        if self.spool is not None:
            await self.spool.stop()


async def open_waiting(settings: HubSettings, folder: Path, roles: Roles, clock: Clock) -> Waiting:
    """Raises Invalid where a port cannot be had or a channel cannot be opened, Outage where the spool's folder cannot."""
    sockets = bind(settings, listening_of(roles))
    waiting = Waiting({name: url(each, getattr(settings, name)) for name, each in sockets.items()})
    apps: dict[str, ASGIApp] = {name: not_yet() for name in ("console", "files", HEALTH, "intake")}
    try:
        if Role.CONNECTORS in roles:
            with contextlib.suppress(Outage):  # no secret: nothing was ever taken here
                apps["intake"] = await _intake(waiting, settings, folder, clock)
        quieten()
        metrics = Metrics()
        for name, each in sockets.items():
            server = server_of(
                apps[name], Connections(name, limits_of(settings, name), metrics), GRACE_SECONDS
            )
            waiting.servers.append((server, asyncio.create_task(server.serve(sockets=[each]))))
    except BaseException:
        for each in sockets.values():
            each.close()
        await waiting.close()
        raise
    return waiting


async def _intake(waiting: Waiting, settings: HubSettings, folder: Path, clock: Clock) -> ASGIApp:
    """What senders reach, on an engine that is not there."""
    secret = installation_secret(folder, is_new=False, file=settings.secret_file)
    absent = cast(Engine, Absent())
    if settings.spool is not None:
        waiting.spool = Spool(absent, settings.spool, clock)
    intake = Intake(cast(Engine, waiting.spool or absent), clock)
    downloads = Downloads(settings.media, absent.put_blob)
    around = surroundings(settings, folder, secret, absent, clock, intake, downloads)
    waiting.channels = open_channels(settings, around)
    if waiting.spool is not None:
        await waiting.spool.start()
    for channel in waiting.channels.values():
        for connector in channel.connectors:
            if isinstance(connector, Pulling):
                continue
            await connector.start()
            waiting.connectors.append(connector)
    pages = next((each.app for each in waiting.channels.values() if each.app is not None), not_yet())
    return HookServer(hooks_of(waiting.channels), pages, clock)


async def until_reached(
    settings: HubSettings,
    folder: Path,
    roles: Roles,
    stopped: asyncio.Event,
    told: ToldWaiting,
    why: Unreachable,
    clock: Clock | None = None,
    pause_seconds: float = FIRST_PAUSE_SECONDS,
) -> bool:
    """True when the servers answer; False when `stopped` was first. Raises what opening an engine raises beside Outage."""
    clock = clock or SystemClock()
    waiting = await open_waiting(settings, folder, roles, clock)
    said = {_gist(why)}
    try:
        told(waiting.addresses, str(why))
        log.warning("the servers cannot be reached; waiting for them", reason=str(why), **waiting.addresses)
        while not await _is_set_within(stopped, pause_seconds):
            pause_seconds = min(LONGEST_PAUSE_SECONDS, 1.6 * pause_seconds)
            try:
                await _until_set_or(stopped, _reach(settings, folder, clock))
            except Outage as outage:
                # Of a server that comes up any answer may be its first; what only a change of settings cures is told, too.
                if _gist(outage) not in said:
                    said.add(_gist(outage))
                    log.warning("the servers cannot be used yet", reason=str(outage))
                continue
            return not stopped.is_set()
        return False
    finally:
        await waiting.close()


def _gist(outage: Outage) -> str:
    """What is told once: behind that, messages of drivers name times and numbers of their own."""
    return str(outage)[:60]


async def _reach(settings: HubSettings, folder: Path, clock: Clock) -> None:
    engine = await open_engine_of(settings, folder, clock)
    await engine.close()


async def _until_set_or(stopped: asyncio.Event, work: Awaitable[None]) -> None:
    """Until one of both is over; raises what the work raises."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for each in (working, stopping):
            each.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
