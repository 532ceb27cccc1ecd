"""What is over is forgotten as fast as it comes: forms with a key leave an answer each."""

from pathlib import Path

from hub.accounts import Accounts
from hub.accounts.credentials import Passwords
from schemas.accounts import ANSWERED, AnsweredRequest
from schemas.ids import derive
from schemas.steps import Query, Step
from sinks.sqlite.engine import open_engine
from tests.hub.http.company import CHEAP, FixedClock


async def test_a_purge_leaves_nothing_that_is_over(tmp_path: Path) -> None:
    clock = FixedClock()
    engine = await open_engine(tmp_path, clock=clock)
    answers = [
        AnsweredRequest(id=derive(str(number)), digest="", status=200, body=b"", expires_at=clock.now())
        for number in range(1200)
    ]
    await engine.commit(Step(documents=[(each, 0) for each in answers]))
    clock.advance(days=1)
    assert await Accounts(engine, clock, Passwords(CHEAP)).purge() == len(answers)
    assert await engine.count(Query(ANSWERED)) == 0
    await engine.close()
