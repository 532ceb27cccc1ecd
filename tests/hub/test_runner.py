"""The runner: what it does when a decision cannot be committed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.runner import APPLIED, GIVE_UP_AFTER_CONFLICTS, Result, Runner
from schemas.accounts import AnsweredRequest
from schemas.collections import DEAD_LETTERS
from schemas.errors import Conflict
from schemas.ids import derive
from schemas.letters import DeadLetter
from schemas.steps import Query, Record, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import received
from tests.support.clock import StandingClock
from tests.support.waiting import eventually

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STOPPER = "thread-3"


class Stumbling:
    """Decides one record, by a defect, on a state that is not stored."""

    name = "stumbling"
    topics: Sequence[Topic] = (Topic.INTERACTIONS,)

    def __init__(self) -> None:
        self.done: list[str] = []
        self._doing: list[str] = []

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        step = Step()
        self._doing = [record.key for record in records if record.key != STOPPER]
        if any(record.key == STOPPER for record in records):
            answer = AnsweredRequest(id=derive("wrong"), digest="", status=200, body=b"", expires_at=NOW)
            step.documents.append((answer, 7))
        return step, [APPLIED] * len(records)

    def committed(self, step: Step) -> None:
        self.done += self._doing


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=StandingClock(NOW))
    yield made
    await made.close()


async def test_a_record_that_always_conflicts_is_set_aside_and_the_others_go_on(engine: SqliteEngine) -> None:
    await engine.commit(Step(events=[received(number, f"thread-{number}") for number in range(6)]))
    consumer = Stumbling()
    runner = Runner(engine, StandingClock(NOW), consumer)
    conflicts = 0
    while True:
        try:
            if not await runner.once():
                break
        except Conflict:
            conflicts += 1
    assert consumer.done == [f"thread-{number}" for number in range(6) if f"thread-{number}" != STOPPER]
    assert conflicts <= GIVE_UP_AFTER_CONFLICTS + 10
    (letter,) = (await engine.find(Query(DEAD_LETTERS))).items
    assert isinstance(letter, DeadLetter)
    assert (letter.key, letter.stage) == (STOPPER, "commit")
    assert "each time it conflicted" in letter.reason


class Watched(Runner):
    """Tells how much was processed at each rest."""

    def __init__(self, engine: SqliteEngine, batch: int) -> None:
        super().__init__(engine, StandingClock(NOW), Stumbling(), batch)
        self.rests: list[int] = []

    async def _gather(self, seconds: float) -> None:
        self.rests.append(self.processed)
        await super()._gather(seconds)


async def test_a_runner_that_is_behind_does_not_rest_before_it_has_caught_up(engine: SqliteEngine) -> None:
    await engine.commit(Step(events=[received(number, f"other-{number}") for number in range(5)]))
    runner = Watched(engine, batch=2)
    running = asyncio.create_task(runner.run())
    await eventually(lambda: bool(runner.rests))
    runner.stop()
    await running
    assert runner.rests[0] == 5
