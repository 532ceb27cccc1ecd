"""The channel keeps the contract of connectors."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from connectors.kit.contract import ConnectorContract
from connectors.kit.rigs import Clock
from connectors.x.rig import XRig
from schemas.ports import Engine
from tests.connectors.engines import sqlite


class TestContract(ConnectorContract):
    rig_type = XRig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
