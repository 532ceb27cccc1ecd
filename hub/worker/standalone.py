"""The application as Faust's own command runs it: it opens the hub when it starts, and closes it when it ends."""

import os
import sys
from functools import cache
from pathlib import Path

from hub.loading import SettingsInvalid, load_settings
from hub.observe import configure_logging
from hub.roles import Role
from hub.settings import HubSettings
from hub.up import Running, start
from hub.wiring import Hub
from hub.worker.agents import STOP_SECONDS, TOPICS, Application, make_app
from hub.worker.name import WorkerName
from hub.worker.work import Worker
from hub.worker.working import quieten
from schemas.errors import Invalid
from sinks.kafka.address import parse_address

CONFIG = "hubbub.yaml"


class Standalone(Application):
    """`settings` are set before it starts."""

    settings: HubSettings
    running: Running | None = None

    async def on_start(self) -> None:
        """Faust has set up logs by now, and says more than anybody reads."""
        style = {"auto": "console" if sys.stderr.isatty() else "json", "text": "console"}
        logging = self.settings.logging
        configure_logging(style.get(logging.format, logging.format), logging.level)
        quieten()
        self.running = await start(
            self.settings, self.settings.data, frozenset({Role.WORKERS}), self._working
        )
        await super().on_start()

    def _working(self, hub: Hub) -> Worker:
        worker = Worker(hub, None)
        self.desk = worker.desk
        return worker

    async def on_stop(self) -> None:
        if self.running is None:
            return
        await self.desk.stop(STOP_SECONDS)
        await super().on_stop()
        await self.running.stop()


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
