"""A power cut while Kafka is down: what sources were told is kept is in the spool, whole, and reaches the log in its order.

The recording and the model of the disk are those of tests/sinks/sqlite/power: sectors are torn, names are lost.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from schemas.errors import HubbubError
from schemas.steps import Found, References, Step
from sinks.spool.settings import SpoolSettings
from sinks.spool.spool import Spool
from tests.contracts.samples import FixedClock
from tests.sinks.spool_worker import CONVERSATIONS, ON_THE_LOG, item
from tests.sinks.sqlite.power.recording import compiled, record
from tests.sinks.sqlite.power.replay import Disk, Record, cuts
from tests.support.waiting import eventually

pytestmark = pytest.mark.server("cc")
ITEMS = 160
FEW = 15
NUMBERS = {item(number).events[0].id: number for number in range(ITEMS)}


class Log:
    """Takes everything; `numbers` are those of the items that it has, in the order in which they came first."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = list(dict.fromkeys(numbers))
        self.altered: list[int] = []

    async def commit(self, step: Step) -> None:
        for event in step.events:
            number = NUMBERS[event.id]
            if number not in self.numbers:
                self.numbers.append(number)
            if not set(item(number).blobs) <= set(step.blobs) or event != item(number).events[0]:
                self.altered.append(number)

    async def load(self, references: References) -> Found:
        return Found(asked=references)


def record_run(folder: Path, weakened: str = "nothing") -> list[Record]:
    data = folder / "data"
    data.mkdir()
    return record(compiled(folder), data, "tests.sinks.spool_worker", [str(data), str(ITEMS), weakened])


async def faults_after_cuts(records: list[Record], folder: Path, count: int, chance: Random) -> list[str]:
    faults: list[str] = []
    for moment, disk in cuts(records, count, chance):
        after = folder / "after"
        disk.write_after_a_cut(after, chance)
        faults += [f"cut at {moment}: {each}" for each in await _faults(after, disk)]
        shutil.rmtree(after, ignore_errors=True)
    return faults


async def _faults(folder: Path, disk: Disk) -> list[str]:
    """Starts a process on what the disk kept, with Kafka up, and looks for what sources were told."""
    told = {mark for mark in disk.acknowledged if mark < ON_THE_LOG}
    log = Log([mark - ON_THE_LOG for mark in disk.acknowledged if mark >= ON_THE_LOG])
    spool = Spool(log, SpoolSettings(folder=folder / "spool"), FixedClock())
    try:
        await spool.start()
        await eventually(lambda: spool.figures().items == spool.figures().stuck)
    except HubbubError as error:
        return [f"cannot be opened: {error}"]
    finally:
        stuck = spool.figures().stuck
        await spool.stop()
    faults = [f"item {number} is lost" for number in sorted(told - set(log.numbers))]
    faults += [f"item {number} was altered" for number in log.altered]
    for first in range(CONVERSATIONS):
        came = [number for number in log.numbers if number % CONVERSATIONS == first]
        if came != sorted(came):
            faults.append(f"conversation {first} came as {came}")
    return faults + [f"{stuck} items cannot be handed on"] * bool(stuck)


async def test_nothing_that_a_spool_kept_is_lost_in_a_power_cut(tmp_path: Path, seed: int) -> None:
    records = record_run(tmp_path)
    marks = [each.number for each in records if each.kind == "A"]
    assert sum(mark < ON_THE_LOG for mark in marks) == ITEMS
    assert sum(mark >= ON_THE_LOG for mark in marks) > ITEMS / 8, "some were handed on meanwhile"
    assert await faults_after_cuts(records, tmp_path, FEW, Random(seed)) == []


@pytest.mark.faults
async def test_nothing_that_a_spool_kept_is_lost_in_many_power_cuts(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    assert await faults_after_cuts(record_run(tmp_path), tmp_path, 4 * fault_count, Random(seed + 1)) == []


@pytest.mark.parametrize("weakened", ["NORMAL", "OFF"])
async def test_a_spool_that_syncs_less_is_seen_to_lose(tmp_path: Path, seed: int, weakened: str) -> None:
    faults = await faults_after_cuts(record_run(tmp_path, weakened), tmp_path, FEW, Random(seed))
    assert any("lost" in each for each in faults), faults
