"""Two versions at once, for real: an older commit's processes are replaced one by one under load, with kills, and one goes back.

    python -m tests.faults.two_versions COMMIT [SEED]

By hand, as it takes the history of this repository: docs/operators/upgrade.md says what was seen. Both run in this environment, so the
older one must get on with today's packages.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.faults.fleet import FRONT, WORKER, Fleet, concluded, fleet
from tests.support.paths import ROOT

SPLIT = {"front": FRONT, "one": (*WORKER, "one"), "two": (*WORKER, "two")}
ITEMS_A_STAGE = 15


def checked_out(commit: str, folder: Path) -> Path:
    """The tree of a commit."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    return folder


async def used(made: Fleet, chance: Random) -> None:
    """Under load, with a kill in the middle."""
    await made.loaded(ITEMS_A_STAGE)
    made.kill_one(chance)
    await made.loaded(ITEMS_A_STAGE)
    await made.all_up()


async def upgrade(folder: Path, old: Path, seed: int) -> None:
    chance = Random(seed)
    async with fleet(folder, seed, SPLIT, tree=old) as made:
        made.tell("all are old")
        await used(made, chance)
        for name in ("one", "two", "front"):
            await made.replace(name, ROOT)
            made.tell(f"{name} is new")
            await used(made, chance)
        await made.replace("two", old)
        made.tell("two is old again, beside the others that are new")
        await used(made, chance)
        await made.replace("two", ROOT)
        made.tell("all are new")
        await used(made, chance)
        await concluded(made)


def main() -> None:
    commit, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        old = checked_out(commit, Path(folder) / "old")
        (Path(folder) / "run").mkdir()
        asyncio.run(upgrade(Path(folder) / "run", old, seed))


if __name__ == "__main__":
    main()
