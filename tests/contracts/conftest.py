"""An engine of each kind, empty and open; `reopen` closes it and opens it again on what it kept."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from schemas.ports import Engine
from tests.contracts.engines import CHOICES, ENGINES, OpenEngine
from tests.contracts.samples import FixedClock

Reopen = Callable[[], Awaitable[Engine]]


@pytest.fixture(params=CHOICES)
def opener(request: pytest.FixtureRequest) -> OpenEngine:
    return ENGINES[request.param]


@pytest.fixture
async def engine(opener: OpenEngine, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = await opener(tmp_path / "data", FixedClock())
    yield engine
    await engine.close()


@pytest.fixture
async def reopen(opener: OpenEngine, engine: Engine, tmp_path: Path) -> AsyncIterator[Reopen]:
    opened = [engine]

    async def again() -> Engine:
        await opened[-1].close()
        opened.append(await opener(tmp_path / "data", FixedClock()))
        return opened[-1]

    yield again
    await opened[-1].close()
