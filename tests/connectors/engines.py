"""The engines that the contract of connectors runs on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.kit.rigs import Clock
from schemas.ports import Engine
from sinks.sqlite.engine import open_engine


@asynccontextmanager
async def sqlite(folder: Path, clock: Clock) -> AsyncIterator[Engine]:
    engine = await open_engine(folder, clock=clock)
    yield engine
    await engine.close()
