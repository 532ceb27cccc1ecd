"""On the embedded engine log and states are of one moment: there is nothing to catch up with."""

from pathlib import Path

import pytest

from hub.catching_up import catch_up, refuse_older
from schemas.errors import Refused
from sinks.sqlite.engine import open_engine
from tests.support.clock import StandingClock


async def test_it_is_let_through_and_has_nothing_to_catch_up_with(tmp_path: Path) -> None:
    engine = await open_engine(tmp_path, clock=StandingClock())
    try:
        await refuse_older(engine)
        with pytest.raises(Refused, match="one file"):
            await catch_up(engine, StandingClock())
    finally:
        await engine.close()
