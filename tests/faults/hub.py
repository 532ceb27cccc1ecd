"""`hubbub`, with checkpoints so often that a short run passes them; counts passages of crash points where asked to.

FAULTS_COUNT names the file that gets, at the end, how often each point was passed. FAULTS_CLOCK names one that says by how
many seconds the clock is wrong, now.
"""

import atexit
import json
import os
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from hub import wiring
from hub.cli import main
from hub.wiring import SystemClock
from schemas.crash import set_hook
from sinks.sqlite import writer

COUNT, CLOCK = "FAULTS_COUNT", "FAULTS_CLOCK"
CHECKPOINT_PAGES = 300


def count_passages(path: Path) -> None:
    passed: Counter[str] = Counter()

    def count(name: str) -> None:
        passed[name] += 1

    set_hook(count)
    atexit.register(lambda: path.write_text(json.dumps(passed)))


def turn_clock(path: Path) -> None:
    """The hub's clock, as somebody turns it while it runs."""
    tell = SystemClock.now

    def now(self: SystemClock) -> datetime:
        return tell(self) + timedelta(seconds=float(path.read_text() or "0"))

    vars(wiring)["SystemClock"] = type("SystemClock", (SystemClock,), {"now": now})


if __name__ == "__main__":
    vars(writer)["CHECKPOINT_PAGES"] = CHECKPOINT_PAGES
    vars(writer)["IMPATIENT_PAGES"] = 8 * CHECKPOINT_PAGES
    if CLOCK in os.environ:
        turn_clock(Path(os.environ[CLOCK]))
    if COUNT in os.environ:
        count_passages(Path(os.environ[COUNT]))
    main()
