from collections.abc import AsyncIterator

import pytest

from tests.connectors.webform.support import Rig, rig
from tests.support.clock import Clock


@pytest.fixture
async def forms(clock: Clock) -> AsyncIterator[Rig]:
    """The connector with the usual forms, running."""
    async with rig(clock) as running:
        yield running
