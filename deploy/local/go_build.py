"""Builds a server from sources of ours in Go, with the modules that its go.sum pins."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.local.server import program, run


def build(target: Path, sources: Iterable[Path], saying: str) -> None:
    """Puts the program at `target`, whole or not at all. Raises CannotStart where Go is missing or refuses."""
    go = program("go", "install Go 1.24 or newer, see https://go.dev/doc/install")
    building = target.parent / "source"
    building.mkdir(parents=True, exist_ok=True)
    for each in sources:
        shutil.copy(each, building / each.name)
    made = building / "made"
    run([go, "build", "-mod=readonly", "-o", str(made), "."], building, saying)
    made.rename(target)
