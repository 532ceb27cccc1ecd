"""What a consumer reads next is read while its step is synced, and is what it would read then."""

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from schemas.errors import Conflict, Outage
from schemas.steps import Batch, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.samples import case, received

CASES, TOPICS = "cases", (Topic.INTERACTIONS,)


@pytest.fixture
async def interactions(engine: SqliteEngine) -> list[object]:
    """The ids of five interactions on the log, in its order."""
    events = [received(number) for number in range(5)]
    await engine.commit(Step(events=events))
    return [each.id for each in events]


def passed(batch: Batch) -> Step:
    return Step(consumer=CASES, before=batch.before, position=batch.position)


def ids(batch: Batch) -> list[object]:
    return [each.id for each in batch.records]


async def test_full_batches_follow_each_other_and_the_last_is_short(
    engine: SqliteEngine, interactions: list[object]
) -> None:
    seen = []
    while (batch := await engine.read(CASES, TOPICS, 2)).records:
        seen.append(ids(batch))
        await engine.commit(passed(batch))
    assert seen == [interactions[:2], interactions[2:4], interactions[4:]]


async def test_the_next_batch_is_read_before_the_step_is_durable(
    engine: SqliteEngine, interactions: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_read = threading.Event()
    begin = engine.readers.begin

    def begun(*args: Any) -> Future[Batch] | None:
        future = begin(*args)
        if future is not None:
            future.add_done_callback(lambda _: is_read.set())
        return future

    monkeypatch.setattr(engine.readers, "begin", begun)
    first = await engine.read(CASES, TOPICS, 2)
    engine.store.connection.set_commit_hook(lambda: not is_read.wait(10))  # True would take it back
    await engine.commit(passed(first))
    engine.store.connection.set_commit_hook(None)
    assert ids(await engine.read(CASES, TOPICS, 2)) == interactions[2:4]


async def test_a_step_that_is_refused_is_read_again(engine: SqliteEngine, interactions: list[object]) -> None:
    batch = await engine.read(CASES, TOPICS, 2)
    step = passed(batch)
    step.documents.append((case("one"), 7))
    with pytest.raises(Conflict):
        await engine.commit(step)
    assert ids(await engine.read(CASES, TOPICS, 2)) == interactions[:2]


async def test_a_step_that_finds_the_disk_full_is_read_again(
    engine: SqliteEngine, interactions: list[object]
) -> None:
    batch = await engine.read(CASES, TOPICS, 2)
    step = passed(batch)
    step.events += [received(number, text="x" * 9000) for number in range(10, 20)]
    connection = engine.store.connection
    most = connection.pragma("max_page_count")
    connection.pragma("max_page_count", int(connection.pragma("page_count")) + 2)
    with pytest.raises(Outage):
        await engine.commit(step)
    connection.pragma("max_page_count", most)
    assert ids(await engine.read(CASES, TOPICS, 2)) == interactions[:2]


async def test_what_comes_while_a_short_batch_is_read_ahead_is_in_it(
    engine: SqliteEngine, interactions: list[object]
) -> None:
    first = await engine.read(CASES, TOPICS, 3)
    await engine.commit(passed(first))  # two are left, so what is read ahead is short
    more = received(9)
    await engine.commit(Step(events=[more]))
    assert ids(await engine.read(CASES, TOPICS, 3)) == [*interactions[3:], more.id]


async def test_a_consumer_that_reads_otherwise_gets_what_it_asks_for(
    engine: SqliteEngine, interactions: list[object]
) -> None:
    first = await engine.read(CASES, TOPICS, 2)
    await engine.commit(passed(first))
    assert ids(await engine.read(CASES, TOPICS, 1)) == interactions[2:3]
