"""`hubbub`, with checkpoints so often that a short run passes them; counts passages of crash points where asked to.

FAULTS_COUNT names the file that gets, at the end, how often each point was passed.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path

from hub.cli import main
from schemas.crash import set_hook
from sinks.sqlite import writer

COUNT = "FAULTS_COUNT"
CHECKPOINT_PAGES = 300


def count_passages(path: Path) -> None:
    passed: Counter[str] = Counter()

    def count(name: str) -> None:
        passed[name] += 1

    set_hook(count)
    atexit.register(lambda: path.write_text(json.dumps(passed)))


if __name__ == "__main__":
    vars(writer)["CHECKPOINT_PAGES"] = CHECKPOINT_PAGES
    vars(writer)["IMPATIENT_PAGES"] = 8 * CHECKPOINT_PAGES
    if COUNT in os.environ:
        count_passages(Path(os.environ[COUNT]))
    main()
