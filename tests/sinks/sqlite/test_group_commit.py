"""Many steps share a transaction; each has its own fate."""

import asyncio
import threading
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from schemas.errors import Conflict, Outage
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock, case, entry, received


@pytest.fixture
def commits(engine: SqliteEngine) -> list[int]:
    """Grows by one with each transaction that is committed."""
    seen: list[int] = []

    def committed() -> bool:
        seen.append(1)
        return False

    engine.store.connection.set_commit_hook(committed)
    return seen


async def test_what_waits_while_a_group_is_written_is_the_next_group(
    engine: SqliteEngine, commits: list[int]
) -> None:
    gate = threading.Event()
    first = asyncio.create_task(engine.write(lambda store: gate.wait(10)))
    await asyncio.sleep(0)
    others = [asyncio.create_task(engine.commit(Step(events=[received(number)]))) for number in range(50)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *others)
    assert len(commits) <= 3
    assert len(await engine.scan([Topic.INTERACTIONS], START, 100)) == 50


async def test_a_step_that_fails_in_a_group_takes_no_other_with_it(
    engine: SqliteEngine, commits: list[int]
) -> None:
    gate = threading.Event()
    first = asyncio.create_task(engine.write(lambda store: gate.wait(10)))
    await asyncio.sleep(0)
    steps = [Step(events=[received(number)], documents=[(case("one"), 0)]) for number in range(3)]
    others = [asyncio.create_task(engine.commit(each)) for each in steps]
    await asyncio.sleep(0)
    gate.set()
    await first
    results = await asyncio.gather(*others, return_exceptions=True)
    assert results[0] is None
    assert all(isinstance(each, Conflict) for each in results[1:])
    assert len(commits) <= 2
    assert [each.id for each in await engine.scan([Topic.INTERACTIONS], START, 9)] == [received(0).id]
    assert [fault async for fault in engine.check()] == []


async def test_one_step_alone_is_written_at_once(engine: SqliteEngine, commits: list[int]) -> None:
    for number in range(3):
        await engine.commit(Step(events=[received(number)]))
    assert len(commits) == 3


async def test_a_fault_of_one_step_is_told_to_its_caller_only(engine: SqliteEngine) -> None:
    broken = entry(1).model_copy(update={"detail": {"what": object()}})
    results = await asyncio.gather(
        engine.commit(Step(events=[received(1)], entries=[broken])),
        engine.commit(Step(events=[received(2)], entries=[entry(2)])),
        return_exceptions=True,
    )
    assert isinstance(results[0], Exception)
    assert results[1] is None
    assert [record.id for record in await engine.scan([Topic.INTERACTIONS], START, 10)] == [received(2).id]
    await engine.commit(Step(entries=[entry(1)]))
    assert [fault async for fault in engine.check() if "log" in fault] == []


async def test_a_full_disk_is_an_outage_that_ends_with_the_want_of_space(engine: SqliteEngine) -> None:
    await engine.commit(Step(events=[received(0)], documents=[(case("one"), 0)]))
    connection = engine.store.connection
    most = connection.pragma("max_page_count")
    connection.pragma("max_page_count", int(connection.pragma("page_count")) + 2)
    large = [Step(events=[received(number, text="x" * 100_000)]) for number in (1, 2)]
    results = await asyncio.gather(*map(engine.commit, large), return_exceptions=True)
    assert all(isinstance(result, Outage) and "disk is full" in str(result) for result in results)
    assert len(await engine.scan([Topic.INTERACTIONS], START, 10)) == 1
    connection.pragma("max_page_count", most)
    await asyncio.gather(*map(engine.commit, large))
    assert len(await engine.scan([Topic.INTERACTIONS], START, 10)) == 3
    assert [fault async for fault in engine.check()] == []


async def test_who_gives_up_waiting_harms_nobody(engine: SqliteEngine) -> None:
    gate = threading.Event()
    first = asyncio.create_task(engine.write(lambda store: gate.wait(10)))
    await asyncio.sleep(0)
    given_up = asyncio.create_task(engine.commit(Step(events=[received(1)])))
    kept = asyncio.create_task(engine.commit(Step(events=[received(2)])))
    await asyncio.sleep(0)
    given_up.cancel()
    gate.set()
    await asyncio.gather(first, kept)
    assert received(2).id in [record.id for record in await engine.scan([Topic.INTERACTIONS], START, 10)]


async def test_readers_cannot_write(engine: SqliteEngine) -> None:
    def write(connection: apsw.Connection) -> None:
        connection.execute("DELETE FROM log")

    with pytest.raises(Outage, match="cannot be written"):
        await engine.readers.run(write)


async def test_what_was_asked_before_closing_is_written_and_told(engine: SqliteEngine, folder: Path) -> None:
    writes = [asyncio.create_task(engine.commit(Step(events=[received(number)]))) for number in range(20)]
    reads = [asyncio.create_task(engine.scan([Topic.INTERACTIONS], START, 5)) for _ in range(20)]
    await asyncio.sleep(0)
    await engine.close()
    assert await asyncio.gather(*writes) == [None] * 20
    assert len(await asyncio.gather(*reads)) == 20
    again = await open_engine(folder, clock=FixedClock())
    assert len(await again.scan([Topic.INTERACTIONS], START, 100)) == 20
    await again.close()


class OnceInTheWay:
    """A connection whose next transaction does not begin."""

    def __init__(self, connection: apsw.Connection, error: apsw.Error) -> None:
        self._connection = connection
        self._errors = [error]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql == "BEGIN IMMEDIATE" and self._errors:
            raise self._errors.pop()
        return self._connection.execute(sql, *arguments)


@pytest.mark.parametrize(
    "error", [apsw.CantOpenError, apsw.LockedError, apsw.PermissionsError, apsw.ProtocolError]
)
async def test_a_file_that_is_out_of_reach_for_a_moment_is_an_outage_of_a_moment(
    engine: SqliteEngine, error: type[apsw.Error]
) -> None:
    engine.store.connection = cast(apsw.Connection, OnceInTheWay(engine.store.connection, error("for now")))
    with pytest.raises(Outage):
        await engine.commit(Step(events=[received(1)]))
    await engine.commit(Step(events=[received(2)]))
    assert [each.id for each in await engine.scan(tuple(Topic), START, 10)] == [received(2).id]
