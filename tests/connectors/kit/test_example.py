"""The example that new connectors begin with keeps the whole contract, so that its copy begins green."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from connectors.kit.contract import ConnectorContract
from connectors.kit.example.rig import ExampleRig
from connectors.kit.rigs import Clock
from schemas.ports import Engine
from tests.connectors.engines import sqlite


class TestContract(ConnectorContract):
    rig_type = ExampleRig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
