"""On real Kafka and a server of MongoDB's protocol, under load: each crash point of that engine, and kill -9 at any moment."""

import asyncio
import signal
from pathlib import Path
from random import Random

import pytest

from schemas.crash import CRASH_POINTS, DISTRIBUTED_CRASH_POINTS
from tests.faults.fleet import CRASH_AT, FRONT, WHOLE, WORKER, Fleet, concluded, fleet
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.timeout(3600),
]
POINTS = [
    *DISTRIBUTED_CRASH_POINTS,
    *(each for each in CRASH_POINTS if each.startswith(("runner.", "outbound.", "intake.before", "email."))),
]
HIGHEST_PASSAGE = 6
PASSED_SECONDS = 90.0
LONGEST_LIFE_SECONDS = 4.0


async def ended_at(made: Fleet, name: str, point: str, passage: int) -> None:
    """A life of this process ends at the point, wherever else it was when it was told to begin anew."""
    kept, at = made.kept[name], f"{point}:{passage}"
    kept.environment = {CRASH_AT: at, "HUBBUB_TESTING": "1"}
    kept.kill()
    try:
        await eventually(lambda: (at, -signal.SIGKILL) in kept.ends, PASSED_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"{at} was not passed within {PASSED_SECONDS:.0f} s") from error
    made.tell(f"{name} ended at {point}")


async def test_nothing_is_lost_or_doubled_by_the_end_of_a_process_at_each_point(
    tmp_path: Path, seed: int
) -> None:
    chance = Random(seed)
    async with fleet(tmp_path, seed, {"hub": WHOLE}) as made:
        for point in POINTS:
            await ended_at(made, "hub", point, chance.randint(1, HIGHEST_PASSAGE))
        await concluded(made)


async def test_nothing_is_lost_or_doubled_by_kills_of_any_process_at_any_moment(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    """As many kills as FAULTS says, 100 if it says nothing: then some ten minutes on two cores that do nothing else."""
    chance = Random(seed)
    processes = {"front": FRONT, "one": (*WORKER, "one"), "two": (*WORKER, "two")}
    async with fleet(tmp_path, seed, processes) as made:
        killed = 0
        while killed < fault_count:
            await made.loaded()
            await asyncio.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
            killed += made.kill_one(chance)
        await concluded(made)
        ends = [code for each in made.kept.values() for _, code in each.ends]
        assert ends.count(-signal.SIGKILL) >= fault_count
