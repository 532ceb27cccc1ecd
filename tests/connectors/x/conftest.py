"""The company that the tests of X stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.x.connector import XConnector
from connectors.x.standin.server import XStandin
from tests.connectors.slack.support import place
from tests.connectors.x.support import ANN, BEN, Company, account


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    x = XStandin()
    x.person(ANN, "Ann", "ann")
    x.person(BEN, "Ben", "ben")
    await x.start()
    async with place(tmp_path) as there:
        connector = XConnector(account(x.url), there.around)
        yield Company(x, there, connector)
        await connector.close()
    await x.stop()
