"""Which engines the contract runs on. An engine joins by one line here."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from schemas.ports import Clock, Engine
from sinks.sqlite.engine import open_engine

OpenEngine = Callable[[Path, Clock], Awaitable[Engine]]


async def open_sqlite(folder: Path, clock: Clock) -> Engine:
    return await open_engine(folder, clock=clock)


ENGINES: dict[str, OpenEngine] = {"sqlite": open_sqlite}
