"""A company for each test, or a site behind limits of connections."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.http.protocol import quieten
from tests.hub.http.company import House, house
from tests.hub.http.serving import served
from tests.hub.http.sites import Site


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data") as built:
        yield built


@pytest.fixture
def site() -> Site:
    quieten()
    return Site()


@pytest.fixture
async def address(site: Site) -> AsyncIterator[str]:
    async with served(site, connections=site.connections) as found:
        yield found
        site.released.set()
