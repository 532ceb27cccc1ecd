"""The contract of every connector, as tests. Subclass `ConnectorContract` in a test module and give it a rig and an engine:

class TestContract(ConnectorContract):
    rig_type = MyRig

    def open_engine(self, folder, clock):
        return sqlite(folder, clock)

Needs pytest and pytest-asyncio with `asyncio_mode = "auto"`. What a channel cannot do is skipped as `not applicable: …`.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar

import pytest

from connectors.kit.contract.coming_in import ComesIn
from connectors.kit.contract.lasting import Lasts
from connectors.kit.contract.refusing import Refuses
from connectors.kit.contract.sending import Sends
from connectors.kit.rigs import Clock, House, Rig
from schemas.crash import set_hook
from schemas.ports import Engine


class ConnectorContract(ComesIn, Refuses, Lasts, Sends):
    """What every connector keeps, whatever its channel is."""

    rig_type: ClassVar[type[Rig]]

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        """An empty engine."""
        raise NotImplementedError

    @pytest.fixture
    async def house(self, tmp_path: Path) -> AsyncIterator[House]:
        clock = Clock()
        async with self.open_engine(tmp_path / "engine", clock) as engine:
            house = House(engine, clock)
            yield house
            await house.close()

    @pytest.fixture
    async def rig(self, house: House) -> AsyncIterator[Rig]:
        rig = self.rig_type()
        await rig.begin()
        try:
            await rig.open(house)
            yield rig
            await rig.close()
        finally:
            await rig.end()

    @pytest.fixture(autouse=True)
    def _no_hook_is_left(self) -> Iterator[None]:
        yield
        set_hook(None)
