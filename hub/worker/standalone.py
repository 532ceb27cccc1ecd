"""The application as Faust's own command runs it: it opens the hub when it starts, and closes it when it ends."""

import asyncio
import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from hub.loading import SettingsInvalid, load_settings
from hub.observe import configure_logging
from hub.roles import Role
from hub.settings import HubSettings
from hub.up import Running, spare_the_collector, start_patiently
from hub.wiring import Hub
from hub.worker.agents import TOPICS, Application, make_app
from hub.worker.name import WorkerName
from hub.worker.work import Worker
from hub.worker.working import END_SECONDS, quieten
from schemas.errors import Invalid
from sinks.kafka.address import parse_address

log = logging.getLogger("hubbub.worker")

CONFIG = "hubbub.yaml"
SHOWN_CURSOR = "\x1b[?25h"
"""Faust hides it when it starts, and would show it when Python ends."""
BROKEN_DOWN = 1


class Standalone(Application):
    """`settings` are set before it starts."""

    settings: HubSettings
    running: Running | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._told_to_stop = asyncio.Event()

    async def on_start(self) -> None:
        """Waits for servers that are absent. Faust has set up logs by now, and says more than anybody reads."""
        logs_to = sys.__stderr__ or sys.stderr  # Faust put its own log before that one, which would drop ours
        style = {"auto": "console" if logs_to.isatty() else "json", "text": "console"}
        said = self.settings.logging
        configure_logging(style.get(said.format, said.format), said.level, logs_to)
        quieten()
        running = await start_patiently(
            self.settings,
            self.settings.data,
            frozenset({Role.WORKERS}),
            self._told_to_stop,
            lambda _addresses, _why: None,
            self._working,
        )
        if running is None:
            return
        if self._told_to_stop.is_set():  # while it started: `on_stop` was called before
            await running.stop()
            return
        self.running = running
        spare_the_collector()
        await super().on_start()

    def _working(self, hub: Hub) -> Worker:
        worker = Worker(hub, self._end_fetching)
        self.desk = worker.desk
        return worker

    async def on_stop(self) -> None:
        self._told_to_stop.set()
        if self.running is None:
            return
        await self.running.stop()
        self._leave()

    async def _end_fetching(self) -> None:
        """When nothing is applied any more, as far as it can be ended in time."""
        await asyncio.wait({asyncio.ensure_future(super().on_stop())}, timeout=END_SECONDS)

    def _leave(self) -> NoReturn:
        """At once: Faust takes seconds to end its loop, and Python waits for threads of a driver that wait for a silent server."""
        why = self.crash_reason
        if why is not None:
            log.critical(
                "fetching from Kafka broke down, and this process ends: %s: %s", type(why).__name__, why
            )
        print(SHOWN_CURSOR, end="", file=sys.__stdout__, flush=True)
        logging.shutdown()
        os._exit(0 if why is None else BROKEN_DOWN)


@cache
def standalone() -> Standalone:
    """Raises Invalid where the settings cannot be used."""
    path = Path(os.environ.get("HUBBUB_CONFIG", CONFIG))
    try:
        settings = load_settings(path, os.environ)
    except SettingsInvalid as error:
        raise Invalid("; ".join(str(each) for each in error.problems[:3])) from error
    if settings.log is None:
        raise Invalid("workers need Kafka and MongoDB: set `log` and `store`")
    name = WorkerName.taken(settings.workers.name, settings.data)
    app = make_app(parse_address(settings.log, settings.kafka), TOPICS, name.text, Standalone)
    assert isinstance(app, Standalone)
    app.settings = settings
    return app
