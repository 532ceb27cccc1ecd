"""A company for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.http.company import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data") as built:
        yield built
