"""The process ends at each named crash point once, and starts again: nothing is lost, nothing is done twice.

What is done covers the hub: mail and a form in, cases, timeline, search, automatic and agents' answers out, a timer, a
backup and its restore. In the second life every sender comes again with everything, as one does who got no answer.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.crash import CRASH_POINTS, Crashed, arm, set_hook
from schemas.errors import Invalid, Outage
from sinks.sqlite import writer
from sinks.sqlite.backup import restore_backup
from sinks.sqlite.engine import open_engine
from tests.e2e.whole_hub import WholeHub, World, work, world
from tests.faults.invariants import broken

POINTS = [name for name in CRASH_POINTS if not name.startswith("imap.")]
"""Those of fetching need a mailbox on a server: tests/connectors/email/imap ends a hub there."""

STRIDE = 3


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Checkpoints after every few pages; no crash point armed afterwards."""
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 20)
    yield
    set_hook(None)


async def work_and_copy(hub: WholeHub) -> None:
    """Everything that the hub does, once; then a backup, and its restore."""
    await work(hub)
    await hub.hub.engine.backup(str(hub.world.folder / "backup"))
    restore_backup(hub.world.folder / "backup", hub.world.folder / "restored")


async def crash(made: World, point: str, passage: int) -> bool:
    """A life that ends at the passage of the point, wherever else it is at. Whether it got there."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def end(name: str) -> None:
        loop.call_soon_threadsafe(ended.set)
        raise Crashed(name)

    async with made.hub() as hub:
        arm(point, passage, end)
        try:
            await _while_it_lives(work_and_copy(hub), ended)
        finally:
            set_hook(None)
    return ended.is_set()


async def _while_it_lives(work: Coroutine[Any, Any, None], ended: asyncio.Event) -> None:
    """Work, until its process ends. What waits for a thread that died with it would wait for ever."""
    working, ending = asyncio.create_task(work), asyncio.create_task(ended.wait())
    await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    working.cancel()
    try:
        await working
    except (Crashed, Outage, asyncio.CancelledError):
        # an outage for who comes after the engine's own thread has ended
        await asyncio.sleep(0)
        assert ended.is_set()


async def live_again(made: World) -> list[str]:
    """The second life: everything is asked for again, then the books are checked; those of the restored copy too."""
    backup, restored = made.folder / "backup", made.folder / "restored"
    if backup.exists() and not (backup / "manifest.json").exists():
        with pytest.raises(Invalid, match="holds no whole backup"):
            restore_backup(backup, restored)
    for folder in (backup, restored):
        shutil.rmtree(folder, ignore_errors=True)
    async with made.hub() as hub:
        await hub.settle()
        await work_and_copy(hub)
        await hub.settle()
        faults = await broken(hub.hub.engine, made.ledger, await made.arrived())
    copy = await open_engine(restored, clock=made.clock)
    try:
        return faults + [
            f"restored: {fault}" for fault in await broken(copy, made.ledger, await made.arrived())
        ]
    finally:
        await copy.close()


async def test_nothing_happens_twice_when_all_is_asked_for_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as made:
        assert not await crash(made, "engine.after-commit", 10**9)
        assert await live_again(made) == []


@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_or_doubled_when_the_hub_ends_there(tmp_path: Path, point: str) -> None:
    async with world(tmp_path) as made:
        assert await crash(made, point, 1), f"{point} is never passed"
        assert await live_again(made) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_nothing_is_lost_or_doubled_wherever_the_hub_ends(tmp_path: Path, seed: int) -> None:
    """Every third passage of every point; which ones, the seed says: three seeds are all of them."""
    passed: Counter[str] = Counter()
    async with world(tmp_path / "count") as made, made.hub() as hub:
        set_hook(lambda name: passed.update([name]))
        await work_and_copy(hub)
        set_hook(None)
    assert passed.keys() == set(POINTS)
    for point, times in passed.items():
        for passage in range(1 + seed % min(STRIDE, times), times + 1, STRIDE):
            folder = tmp_path / f"{point}-{passage}"
            async with world(folder) as made:
                await crash(made, point, passage)
                assert await live_again(made) == [], f"{point}:{passage}"
            shutil.rmtree(folder)
