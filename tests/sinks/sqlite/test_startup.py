"""What keeps an engine from starting, and what its reader is told to do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from schemas.errors import Outage
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.sqlite.connection import FILE, PAGE_BYTES
from sinks.sqlite.engine import SqliteEngine, open_engine
from sinks.sqlite.errors import Damaged, FolderInUse, NewerFile
from tests.contracts.samples import FixedClock, received
from tests.support.paths import ROOT

HOLD = """
import asyncio, sys
from pathlib import Path
from sinks.sqlite.engine import open_engine
from tests.contracts.samples import FixedClock

async def hold():
    engine = await open_engine(Path(sys.argv[1]), clock=FixedClock())
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        yield holder
        holder.kill()


async def test_a_folder_in_use_is_refused_and_the_process_named(
    holder: "subprocess.Popen[bytes]", folder: Path
) -> None:
    with pytest.raises(FolderInUse, match=f"process {holder.pid}") as refused:
        await open_engine(folder, clock=FixedClock())
    assert refused.value.pid == holder.pid


async def test_a_killed_process_leaves_the_folder_free(
    holder: "subprocess.Popen[bytes]", folder: Path
) -> None:
    holder.kill()
    holder.wait()
    engine = await open_engine(folder, clock=FixedClock())
    await engine.close()


async def test_a_folder_is_free_once_the_engine_is_closed(engine: SqliteEngine, folder: Path) -> None:
    with pytest.raises(FolderInUse):
        await open_engine(folder, clock=FixedClock())
    await engine.close()
    again = await open_engine(folder, clock=FixedClock())
    await again.close()


async def test_a_closed_engine_says_so(engine: SqliteEngine) -> None:
    await engine.close()
    await engine.close()
    with pytest.raises(Outage, match="closed"):
        await engine.commit(Step(events=[received(1)]))
    with pytest.raises(Outage, match="closed"):
        await engine.scan([Topic.INTERACTIONS], START, 1)


@pytest.fixture
def no_database(folder: Path) -> Path:
    folder.mkdir()
    (folder / FILE).write_bytes(b"not a database " * 1000)
    return folder


async def test_a_file_that_is_no_database_is_named_as_damaged(no_database: Path) -> None:
    with pytest.raises(Damaged, match="restore a backup"):
        await open_engine(no_database, clock=FixedClock())


def overwrite_pages(file: Path) -> None:
    """Damages the second half of the file: events, not what tells how to read them."""
    content = bytearray(file.read_bytes())
    pages = len(content) // PAGE_BYTES
    for page in range(pages // 2, pages):
        content[page * PAGE_BYTES : page * PAGE_BYTES + 8] = b"\xff" * 8
    file.write_bytes(content)


async def test_a_file_whose_pages_were_overwritten_is_an_outage_and_found(
    engine: SqliteEngine, folder: Path
) -> None:
    await engine.commit(Step(events=[received(number, text="x" * 1000) for number in range(200)]))
    await engine.close()
    overwrite_pages(folder / FILE)
    engine = await open_engine(folder, clock=FixedClock())
    try:
        with pytest.raises(Outage, match="restore"):
            await engine.scan([Topic.INTERACTIONS], START, 1000)
        assert [fault async for fault in engine.check()]
    finally:
        await engine.close()


async def test_a_file_of_a_later_version_is_left_alone(engine: SqliteEngine, folder: Path) -> None:
    await engine.close()
    connection = apsw.Connection(str(folder / FILE))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(NewerFile, match="99"):
        await open_engine(folder, clock=FixedClock())


async def test_a_folder_that_cannot_be_made_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Outage, match="file"):
        await open_engine(tmp_path / "file" / "data", clock=FixedClock())


async def test_another_program_that_writes_is_waited_for_and_then_an_outage(
    engine: SqliteEngine, folder: Path
) -> None:
    engine.store.connection.set_busy_timeout(1)
    other = apsw.Connection(str(folder / FILE))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Outage, match="another program"):
        await engine.commit(Step(events=[received(1)]))
    other.close()
    await engine.commit(Step(events=[received(1)]))
