"""Promise 8: durable means fsync. What was acknowledged before a power cut is there afterwards, whole.

`kill -9` shows nothing of that, because the kernel keeps what a process wrote. So a run is recorded below the C library,
and afterwards the power is cut in the recording, at many moments, each time losing other parts of what was not synced.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from schemas.errors import HubbubError, Never
from schemas.steps import START, References
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from sinks.sqlite.entries import decode_entry
from tests.contracts.samples import FixedClock, case
from tests.sinks.sqlite.power.recording import compiled, record
from tests.sinks.sqlite.power.replay import Record, cuts
from tests.sinks.sqlite.power.worker import step

pytestmark = pytest.mark.server("cc")
STEPS = 120
FEW = 15


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("recorder"))


def record_run(recorder: Path, folder: Path, weakened: str = "nothing") -> list[Record]:
    """What a run of the worker wrote, in order; it makes its folder `hub`."""
    data = folder / "data"
    data.mkdir(parents=True)
    return record(
        recorder, data, "tests.sinks.sqlite.power.worker", [str(data / "hub"), str(STEPS), weakened]
    )


async def faults_after_cuts(records: list[Record], folder: Path, count: int, random: Random) -> list[str]:
    """Everything that was acknowledged and is not whole after one of the cuts."""
    faults = []
    for moment, disk in cuts(records, count, random):
        target = folder / "after"
        disk.write_after_a_cut(target, random)
        faults += [
            f"cut at {moment}: {fault}"
            for fault in [each async for each in _faults(target / "hub", disk.acknowledged)]
        ]
        shutil.rmtree(target, ignore_errors=True)
    return faults


async def _faults(folder: Path, acknowledged: list[int]) -> AsyncIterator[str]:
    try:
        engine = await open_engine(folder, clock=FixedClock())
    except HubbubError as error:
        yield f"cannot be opened: {error}"
        return
    try:
        async for fault in engine.check():
            yield fault
        for number in acknowledged:
            async for fault in _lost(engine, number):
                yield fault
    except HubbubError as error:
        yield f"cannot be read: {error}"
    finally:
        await engine.close()


async def _lost(engine: SqliteEngine, number: int) -> AsyncIterator[str]:
    """What of an acknowledged step is not there."""
    written = step(number)
    found = await engine.load(
        References(
            handled={written.entries[0].id},
            threads=set(written.claims),
            documents={type(case()): {written.documents[0][0].id}},
        )
    )
    if not (found.handled and found.threads and found.documents):
        yield f"states of step {number} are lost"
    if not await engine.scan([Topic.INTERACTIONS], START, 1, key=written.events[0].key):
        yield f"event of step {number} is lost"
    if not (await engine.search(f"word{number}")).items:
        yield f"words of step {number} are lost"
    for blob in written.blobs:
        if await engine.blob(blob.ref) != blob.content:
            yield f"blob of step {number} is lost"


async def test_nothing_acknowledged_is_lost_in_a_power_cut(recorder: Path, tmp_path: Path, seed: int) -> None:
    records = record_run(recorder, tmp_path)
    assert sum(record.kind == "A" for record in records) == STEPS
    assert await faults_after_cuts(records, tmp_path, FEW, Random(seed)) == []


@pytest.mark.faults
async def test_nothing_acknowledged_is_lost_in_many_power_cuts(
    recorder: Path, tmp_path: Path, seed: int, fault_count: int
) -> None:
    records = record_run(recorder, tmp_path)
    assert await faults_after_cuts(records, tmp_path, 4 * fault_count, Random(seed + 1)) == []


@pytest.mark.parametrize("weakened", ["synchronous=NORMAL", "synchronous=OFF", "blobs"])
async def test_less_than_fsync_is_seen_to_lose(
    recorder: Path, tmp_path: Path, seed: int, weakened: str
) -> None:
    records = record_run(recorder, tmp_path, weakened)
    faults = await faults_after_cuts(records, tmp_path, FEW, Random(seed))
    expected = "blob" if weakened == "blobs" else "step"
    assert any(expected in fault for fault in faults)


@pytest.mark.parametrize("document", [None, b"", b"\x00" * 40, 7])
def test_an_entry_that_a_damaged_file_gives_is_told_and_ends_nothing(document: object) -> None:
    with pytest.raises(Never, match="a timeline entry fits no schema"):
        decode_entry((0, None, "", document))
