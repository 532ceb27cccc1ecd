"""What a process of these roles listens at, and who runs the consumers: the embedded runners, or Faust on Kafka."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol

from hub.http.context import Share
from hub.listening import HEALTH
from hub.publishing import Publishing, with_parts_of_file
from hub.roles import EVERYTHING, Role, Roles
from hub.wiring import Hub
from schemas.configuration import Configuration, Origin
from schemas.errors import Outage, Stale
from schemas.events import SYSTEM

log = logging.getLogger("hubbub")

TRIES = 5
LISTENING: dict[Role, tuple[str, ...]] = {Role.API: ("console", "files"), Role.CONNECTORS: ("intake",)}


def listening_of(roles: Roles) -> Sequence[str]:
    """Names of the addresses at which a process of these roles answers."""
    names = [name for role in Role if role in roles for name in LISTENING.get(role, ())]
    return names if Role.API in roles else [*names, HEALTH]


async def publish_at_start(publishing: Publishing, configuration: Configuration, roles: Roles) -> None:
    """The settings file's version is put in force by a process that runs everything, and by the first of several.

    The others follow: one that is started again with an older file must not take back what was applied since. Nor does any
    start take back what people published in the console or by the API (docs/decisions/configuration-in-the-console.md): of
    the file it only takes what no form edits.
    """
    current = await publishing.current()
    if current is None or (roles == EVERYTHING and current.origin is Origin.FILE):
        await _published(publishing, configuration, Origin.FILE)
        return
    if roles == EVERYTHING:
        joined = with_parts_of_file(current.configuration, configuration)
        if joined != current.configuration and not publishing.problems(joined):
            await _published(publishing, joined, current.origin, "brands and webhooks of the settings file")
            current = await publishing.current() or current
    if current.configuration != configuration:
        log.warning(
            "the settings file differs from version %d of the configuration, which is in force; `hubbub apply` publishes it",
            current.number,
        )


async def _published(
    publishing: Publishing, configuration: Configuration, origin: Origin, note: str = ""
) -> None:
    for _ in range(TRIES):
        try:
            await publishing.publish(configuration, SYSTEM, origin=origin, note=note)
        except Stale:
            continue  # another started at the same moment
        return
    raise Outage("the configuration is published by many at once; start again")


class Work(Protocol):
    """What decides, in this process."""

    def runs(self) -> list[Coroutine[Any, Any, None]]:
        """To be run together until `stop`."""
        ...

    async def standing(self) -> Mapping[str, Share] | None:
        """How far the consumers are in this process's part of the log; None: all of it is. Raises Outage."""
        ...

    async def stop(self, grace_seconds: float) -> None:
        """Begins nothing more, and waits for what is being committed, within the grace."""
        ...

    @property
    def is_left_behind(self) -> bool:
        """After `stop`: something waits on for a server and would keep the process; nothing of it matters any more."""
        ...


class EmbeddedWork:
    """One runner a consumer, over the whole log."""

    is_left_behind = False

    def __init__(self, hub: Hub) -> None:
        self._runners = hub.runners

    def runs(self) -> list[Coroutine[Any, Any, None]]:
        return [runner.run() for runner in self._runners]

    async def standing(self) -> None:
        return None

    async def stop(self, grace_seconds: float) -> None:
        for runner in self._runners:
            runner.stop()
        await asyncio.sleep(0)


def work_of(hub: Hub) -> Work:
    if hub.settings.log is None:
        return EmbeddedWork(hub)
    from hub.worker.work import worker_of  # noqa: PLC0415  needs the packages of the other engine

    return worker_of(hub)
