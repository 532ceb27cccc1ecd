"""Real SIGKILLs under load: at named points, and at any moment. What was acknowledged is there, once, and in order."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.lives import World, world

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
PAIRS = 25
LIVES_A_FOLDER = 5
LONGEST_LIFE_SECONDS = 3.0
STARTS_CUT = 5


async def concluded(made: World) -> None:
    """Check the books, and print what the run did so that it can be done again."""
    faults = await made.conclude()
    print(made.report(faults))
    assert faults == [], made.report(faults)


async def test_nothing_is_lost_or_doubled_by_kills_at_crash_points(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    async with world(tmp_path / "count", seed) as made:
        counts = await made.count_passages()
        await concluded(made)
    points = sorted(counts)
    chance.shuffle(points)
    chosen = [points[number % len(points)] for number in range(PAIRS)]
    pairs = [(point, chance.randint(1, max(1, counts[point] // 2))) for point in chosen]
    for start in range(0, PAIRS, LIVES_A_FOLDER):
        async with world(tmp_path / f"from-{start}", seed + start) as made:
            for point, passage in pairs[start : start + LIVES_A_FOLDER]:
                await made.killed_at(point, passage)
            await concluded(made)


async def test_nothing_is_lost_or_doubled_by_kills_at_any_moment(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    chance = Random(seed + 1)
    for start in range(0, fault_count, LIVES_A_FOLDER):
        async with world(tmp_path / f"from-{start}", seed + start) as made:
            for _ in range(min(LIVES_A_FOLDER, fault_count - start)):
                if chance.randrange(STARTS_CUT) == 0:
                    await made.killed_while_it_starts(chance.uniform(0.3, 1.1))
                else:
                    await made.killed_after(chance.uniform(0, LONGEST_LIFE_SECONDS))
            await concluded(made)
