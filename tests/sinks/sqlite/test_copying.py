"""The write-ahead log is copied into the file beside the writing, and begins anew."""

from itertools import count, pairwise
from pathlib import Path

import apsw
import pytest

from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.sqlite import writer
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock, received
from tests.support.waiting import eventually

PAGES = 20


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", PAGES)


async def test_the_log_begins_anew_while_the_engine_writes(engine: SqliteEngine) -> None:
    numbers, sizes = count(), [0]

    def seen(connection: apsw.Connection, database: str, pages: int) -> int:
        sizes.append(pages)
        return told(connection, database, pages)

    told = engine._writer._on_wal  # what SQLite calls after each commit
    engine.store.connection.set_wal_hook(seen)

    async def began_anew() -> bool:
        await engine.commit(Step(events=[received(next(numbers), text="x" * 5000)]))
        return any(after < before for before, after in pairwise(sizes))

    await eventually(began_anew)
    written = await engine.scan([Topic.INTERACTIONS], START, 10_000)
    assert len(written) == next(numbers)
    assert [fault async for fault in engine.check()] == []


async def test_an_engine_that_closes_while_it_copies_leaves_one_whole_file(folder: Path) -> None:
    engine = await open_engine(folder, clock=FixedClock())
    for number in range(PAGES):
        await engine.commit(Step(events=[received(number, text="x" * 5000)]))
    await engine.close()
    assert not (folder / f"{FILE}-wal").exists()
    again = await open_engine(folder, clock=FixedClock())
    assert len(await again.scan([Topic.INTERACTIONS], START, 100)) == PAGES
    await again.close()
