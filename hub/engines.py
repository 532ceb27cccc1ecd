"""Which engine an installation runs on: SQLite in its data folder, or Kafka and MongoDB by their addresses."""

from pathlib import Path
from typing import TYPE_CHECKING

from hub.moving.moved import refuse_moved
from hub.settings import HubSettings
from schemas.errors import Outage
from schemas.ports import Clock, Engine
from sinks.sqlite.engine import open_engine

if TYPE_CHECKING:
    from sinks.distributed.engine import Access

INSTALL = "log and store need more packages: pip install 'hubbub[distributed]'"


def access_of(settings: HubSettings) -> "Access":
    """How the servers of the second engine are reached."""
    from sinks.distributed.engine import Access  # noqa: PLC0415

    return Access(settings.kafka, settings.mongodb, settings.blobs, settings.s3)


async def open_engine_of(settings: HubSettings, folder: Path, clock: Clock) -> Engine:
    """Opens it. Raises Outage where it does not answer or its packages are missing, Invalid for an address that cannot be used, Refused
    where the company was moved away.

    The packages of an engine are imported when it is chosen: whoever runs in one process needs no others.
    """
    if settings.log is None or settings.store is None:
        refuse_moved(folder)
        return await open_engine(folder, clock=clock)
    try:
        from sinks.distributed.engine import open_distributed  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Outage(f"{INSTALL} ({error})") from error
    return await open_distributed(
        settings.log,
        settings.store.get_secret_value(),
        clock=clock,
        access=access_of(settings),
    )
