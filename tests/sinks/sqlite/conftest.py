"""The SQLite engine on a folder of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def standing() -> FixedClock:
    """The engine's clock; the test may move it."""
    return FixedClock()


@pytest.fixture
async def engine(folder: Path, standing: FixedClock) -> AsyncIterator[SqliteEngine]:
    engine = await open_engine(folder, clock=standing)
    yield engine
    await engine.close()
