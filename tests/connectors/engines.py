"""The engines that the contract of connectors runs on."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from connectors.kit.rigs import Clock
from schemas.ports import Engine
from sinks.sqlite.engine import open_engine

Open = Callable[[Path, Clock], AbstractAsyncContextManager[Engine]]


@asynccontextmanager
async def sqlite(folder: Path, clock: Clock) -> AsyncIterator[Engine]:
    engine = await open_engine(folder, clock=clock)
    yield engine
    await engine.close()


def on_servers(database: str) -> Open:
    """Kafka with a server that speaks MongoDB's protocol, shared by the session; each folder is a database of its own."""
    from tests.contracts.engines import ENGINES  # needs the extras of the second engine

    open_on = ENGINES[database]

    @asynccontextmanager
    async def opened(folder: Path, clock: Clock) -> AsyncIterator[Engine]:
        engine = await open_on(folder, clock)
        yield engine
        await engine.close()

    return opened
