"""A backup made while the engine is written to, and back again."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import HubbubError, Invalid
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.sqlite.backup import MANIFEST, restore_backup
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine, open_engine
from sinks.sqlite.errors import Damaged
from tests.contracts.samples import FixedClock, case, entry, received

LARGE = b"large" * 20_000
NAME = sha256(LARGE)


async def fill(engine: SqliteEngine) -> BlobRef:
    await engine.commit(
        Step(events=[received(number) for number in range(50)], documents=[(case(), 0)], entries=[entry(1)])
    )
    return await engine.put_blob(LARGE, "text/plain")


def file_of(folder: Path) -> Path:
    return folder / "blobs" / NAME[:2] / NAME[2:4] / NAME


async def test_a_backup_made_while_writing_comes_back_whole(engine: SqliteEngine, tmp_path: Path) -> None:
    ref = await fill(engine)
    writes = [engine.commit(Step(events=[received(number)])) for number in range(100, 200)]
    await asyncio.gather(engine.backup(str(tmp_path / "backup")), *writes)
    assert restore_backup(tmp_path / "backup", tmp_path / "restored") == []
    restored = await open_engine(tmp_path / "restored", clock=FixedClock())
    try:
        assert [fault async for fault in restored.check()] == []
        assert len(await restored.scan([Topic.INTERACTIONS], START, 1000)) >= 50
        assert await restored.blob(ref) == LARGE
        await restored.commit(Step(events=[received(300)]))
    finally:
        await restored.close()


async def test_a_backup_goes_into_an_empty_folder_only(engine: SqliteEngine, folder: Path) -> None:
    with pytest.raises(Invalid, match="not empty"):
        await engine.backup(str(folder))


async def test_a_backup_is_restored_into_an_empty_folder_only(
    engine: SqliteEngine, folder: Path, tmp_path: Path
) -> None:
    await engine.backup(str(tmp_path / "backup"))
    with pytest.raises(Invalid, match="not empty"):
        restore_backup(tmp_path / "backup", folder)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda backup: (backup / MANIFEST).unlink(),
    "a torn manifest": lambda backup: (backup / MANIFEST).write_text("{"),
    "another file": lambda backup: (backup / FILE).write_bytes((backup / FILE).read_bytes()[:-4096]),
    "no file": lambda backup: (backup / FILE).unlink(),
    "a blob missing": lambda backup: file_of(backup).unlink(),
    "a blob altered": lambda backup: file_of(backup).write_bytes(b"x" * len(LARGE)),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_backup_that_is_not_whole_is_not_restored(
    engine: SqliteEngine, tmp_path: Path, damage: str
) -> None:
    await fill(engine)
    await engine.backup(str(tmp_path / "backup"))
    DAMAGES[damage](tmp_path / "backup")
    with pytest.raises(HubbubError):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


async def test_a_restore_that_was_interrupted_is_started_anew(engine: SqliteEngine, tmp_path: Path) -> None:
    await fill(engine)
    await engine.backup(str(tmp_path / "backup"))
    file_of(tmp_path / "backup").rename(tmp_path / "kept")
    with pytest.raises(Damaged):
        restore_backup(tmp_path / "backup", tmp_path / "restored")
    (tmp_path / "kept").rename(file_of(tmp_path / "backup"))
    assert restore_backup(tmp_path / "backup", tmp_path / "restored") == []


async def test_one_lost_blob_does_not_stand_in_the_way_of_backups(
    engine: SqliteEngine, folder: Path, tmp_path: Path
) -> None:
    await fill(engine)
    file_of(folder).write_bytes(b"damaged")
    await engine.backup(str(tmp_path / "backup"))
    assert json.loads((tmp_path / "backup" / MANIFEST).read_text())["faults"] == [f"blob {NAME} is altered"]
    assert restore_backup(tmp_path / "backup", tmp_path / "restored") == [f"blob {NAME} is missing"]
