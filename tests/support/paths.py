"""Where the project is, and where the real inputs are that it does not carry."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPORA_ABSENT = "the corpora are not here"


def corpora() -> Path | None:
    """The folder of real inputs: HUBBUB_CORPORA, else `corpora` beside the project or in a folder beside it."""
    if named := os.environ.get("HUBBUB_CORPORA"):
        return Path(named)
    beside = ROOT.parent
    candidates = [beside / "corpora", *sorted(beside.glob("*/corpora"))]
    return next((each for each in candidates if (each / "README.md").is_file()), None)


def corpus_absent(name: str) -> str:
    """Why a test that reads a corpus is skipped."""
    return f"{CORPORA_ABSENT}: {name}; put them beside the project or name their folder in HUBBUB_CORPORA"
