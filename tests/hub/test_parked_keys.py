"""Parked keys: later events wait behind the first, in order, over restarts; what is given up says how often it was tried."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from hub.runner import APPLIED, GIVE_UP_AFTER_ATTEMPTS, Result, Runner
from schemas.collections import DEAD_LETTERS, PARKED
from schemas.letters import DeadLetter
from schemas.steps import OutcomeKind, Query, Record, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import received
from tests.support.clock import StandingClock

NOT_YET = Result(OutcomeKind.PARKED, "a fact is missing")


class Waiting:
    """Applies what comes, but for one key while its fact is missing."""

    name = "waiting"
    topics: Sequence[Topic] = (Topic.INTERACTIONS,)

    def __init__(self) -> None:
        self.missing = True
        self.done: list[str] = []
        self._doing: list[str] = []

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        results = []
        self._doing = []
        for record in records:
            assert record.event is not None
            waits = self.missing and record.key == "slow"
            if not waits:
                self._doing.append(str(record.event.id))
            results.append(NOT_YET if waits else APPLIED)
        return Step(), results

    def committed(self, step: Step) -> None:
        self.done += self._doing


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=StandingClock())
    yield made
    await made.close()


async def all_of(runner: Runner) -> None:
    while await runner.once():
        pass


async def test_events_of_a_parked_key_wait_in_order_over_a_restart(engine: SqliteEngine) -> None:
    clock, consumer = StandingClock(), Waiting()
    events = [received(number, "slow" if number != 2 else "fast") for number in range(5)]
    await engine.commit(Step(events=events[:3]))
    await all_of(Runner(engine, clock, consumer))
    assert consumer.done == [str(events[2].id)]
    await engine.commit(Step(events=events[3:]))
    again = Runner(engine, clock, consumer)
    await all_of(again)
    assert await engine.count(Query(PARKED)) == 4
    consumer.missing = False
    clock.time += timedelta(hours=1)
    await all_of(again)
    assert consumer.done[-4:] == [str(events[number].id) for number in (0, 1, 3, 4)]
    assert await engine.count(Query(PARKED)) == 0


async def test_what_never_comes_is_given_up_with_the_number_of_attempts(engine: SqliteEngine) -> None:
    clock, consumer = StandingClock(), Waiting()
    runner = Runner(engine, clock, consumer)
    await engine.commit(Step(events=[received(1, "slow")]))
    for _ in range(GIVE_UP_AFTER_ATTEMPTS + 3):
        await all_of(runner)
        clock.time += timedelta(hours=1)
    (letter,) = (await engine.find(Query(DEAD_LETTERS))).items
    assert isinstance(letter, DeadLetter)
    assert letter.attempts == GIVE_UP_AFTER_ATTEMPTS + 1
    assert "a fact is missing" in letter.reason
