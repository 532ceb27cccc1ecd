"""The office that tests of the console work in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.console.office import Office
from tests.hub.console.office import office as opened


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with opened(tmp_path) as made:
        yield made
