"""Runs a program while its writes below one folder are recorded."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.sinks.sqlite.power.replay import Record, read_journal
from tests.support.needs import SERVERS
from tests.support.paths import ROOT

SOURCE = Path(__file__).with_name("recorder.c")
SECONDS = 50


def compiled(folder: Path) -> Path:
    """The recorder as a library in this folder."""
    library = folder / "recorder.so"
    compiler = SERVERS["cc"].program()
    assert compiler
    flags = ["-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
    subprocess.run([compiler, *flags], check=True)
    return library


def record(library: Path, root: Path, module: str, arguments: Sequence[str]) -> list[Record]:
    """What `python -m module` wrote below the root, in order."""
    journal = root.with_name(f"{root.name}.journal")
    under = {"LD_PRELOAD": str(library), "POWER_ROOT": str(root), "POWER_JOURNAL": str(journal)}
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **under}, timeout=SECONDS)
    return read_journal(journal)
