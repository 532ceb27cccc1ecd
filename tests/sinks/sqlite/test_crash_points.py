"""A crash at each named point of the engine: afterwards each step is there wholly or not at all, and all acknowledged ones are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.crash import CRASH_POINTS, Crashed, arm, set_hook
from schemas.errors import HubbubError
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import START, Blob, References, Step
from schemas.topics import Topic
from sinks.sqlite import writer
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock, case, entry, received

POINTS = [point for point in CRASH_POINTS if point.startswith("engine.")]
STEPS = 8


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    set_hook(None)


def step(number: int) -> Step:
    content = f"{number}".encode() * 70_000
    return Step(
        events=[received(number), received(100 + number)],
        blobs=[Blob(BlobRef(sha256=sha256(content), size=len(content)), content)],
        documents=[(case(str(number)), 0)],
        entries=[entry(number, str(number))],
    )


async def state_of(engine: SqliteEngine, number: int) -> str:
    """whole, absent, or what is only partly there."""
    written = step(number)
    events = {record.id for record in await engine.scan([Topic.INTERACTIONS], START, 1000)}
    document = written.documents[0][0]
    found = await engine.load(
        References(handled={written.entries[0].id}, documents={type(document): {document.id}})
    )
    there = [event.id in events for event in written.events] + [bool(found.handled), bool(found.documents)]
    try:
        there.append(await engine.blob(written.blobs[0].ref) == written.blobs[0].content)
    except HubbubError:
        there.append(False)
    return "whole" if all(there) else "absent" if not any(there) else f"in part {there}"


@pytest.mark.parametrize("passage", [1, 3])
@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_leaves_steps_whole_or_absent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, point: str, passage: int
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 1)
    engine = await open_engine(folder, clock=FixedClock())
    arm(point, passage)
    results = [
        (await asyncio.gather(engine.commit(step(number)), return_exceptions=True))[0]
        for number in range(STEPS)
    ]
    set_hook(None)
    await engine.close()
    assert any(isinstance(result, Crashed) for result in results) or point == "engine.before-checkpoint"

    engine = await open_engine(folder, clock=FixedClock())
    states = [await state_of(engine, number) for number in range(STEPS)]
    assert set(states) <= {"whole", "absent"}
    assert all(state == "whole" for state, result in zip(states, results, strict=True) if result is None)
    assert [fault async for fault in engine.check()] == []
    absent = [number for number, state in enumerate(states) if state == "absent"]
    await asyncio.gather(*(engine.commit(step(number)) for number in absent))
    assert [await state_of(engine, number) for number in range(STEPS)] == ["whole"] * STEPS
    await engine.close()


async def test_a_crash_after_the_commit_is_not_a_loss(folder: Path) -> None:
    engine = await open_engine(folder, clock=FixedClock())
    arm("engine.after-commit")
    with pytest.raises(Crashed):
        await engine.commit(step(1))
    await engine.close()
    engine = await open_engine(folder, clock=FixedClock())
    assert await state_of(engine, 1) == "whole"
    await engine.close()
