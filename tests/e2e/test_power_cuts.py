"""Power cuts under the whole hub: what was answered is there, what arrived is not sent again.

The recording and the model of the disk are those of tests/sinks/sqlite/power.
"""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from connectors.email.standin.mailbox import Mailbox, StoredMail
from hub.verify import Verification
from tests.e2e.whole_hub import Clock, World, work, world
from tests.faults.invariants import broken
from tests.faults.ledger import Ledger
from tests.faults.power_worker import ARRIVAL
from tests.sinks.sqlite.power.recording import compiled, record
from tests.sinks.sqlite.power.replay import Disk, Record, cuts

pytestmark = pytest.mark.server("cc")
FEW = 8


def record_run(folder: Path) -> list[Record]:
    """The hub's work, recorded."""
    (folder / "data").mkdir()
    return record(compiled(folder), folder / "data", "tests.faults.power_worker", [str(folder)])


async def faults_after(recorded: Path, disk: Disk, folder: Path, chance: Random) -> list[str]:
    """Starts a hub on what the disk kept, looks for what was answered, lets everybody ask again, and checks the books."""
    disk.write_after_a_cut(folder / "data", chance)
    answers = max((mark for mark in disk.acknowledged if mark < ARRIVAL), default=0)
    arrived = {mark - ARRIVAL for mark in disk.acknowledged if mark > ARRIVAL}
    async with world(folder) as made:
        made.clock = Clock(made.clock.time + timedelta(days=1))
        for mail in await _mails(recorded):
            if mail.number in arrived:
                await made.relay.mailbox.keep(mail.sender, mail.recipients, mail.content, mail.received_at)
        if answers:
            made.ledger = Ledger.from_json((recorded / f"ledger-{answers}.json").read_text())
        return await _second_life(made)


async def _second_life(made: World) -> list[str]:
    async with made.hub() as hub:
        found = Verification(hub.hub.engine).faults([UUID(item) for item in made.ledger.items])
        faults = [f"at the start: {each.promise}: {each.subject} {each.what}" async for each in found]
        await hub.settle()
        await work(hub)
        return faults + await broken(hub.hub.engine, made.ledger, await made.arrived())


async def _mails(recorded: Path) -> Sequence[StoredMail]:
    mailbox = Mailbox(recorded / "mailbox.sqlite")
    try:
        return list(reversed(await mailbox.list(limit=10**9)))
    finally:
        await mailbox.close()


async def cut_often(folder: Path, count: int, seed: int) -> list[str]:
    recorded = folder / "recorded"
    recorded.mkdir()
    chance, faults = Random(seed), []
    for moment, disk in cuts(record_run(recorded), count, chance):
        after = folder / "after"
        after.mkdir()
        faults += [f"cut at {moment}: {each}" for each in await faults_after(recorded, disk, after, chance)]
        shutil.rmtree(after)
    return faults


async def test_a_power_cut_loses_nothing_that_was_answered_and_sends_nothing_twice(
    tmp_path: Path, seed: int
) -> None:
    assert await cut_often(tmp_path, FEW, seed) == []


@pytest.mark.faults
async def test_many_power_cuts_lose_nothing_that_was_answered_and_send_nothing_twice(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    assert await cut_often(tmp_path, fault_count, seed + 2) == []
