"""Whether the company of a data folder lives elsewhere now: a file says so, and no hub starts on the folder by mistake."""

import json
from pathlib import Path

from schemas.errors import Refused

FILE = "moved"


def say_moved(folder: Path, log: str, at: str) -> None:
    (folder / FILE).write_text(json.dumps({"log": log, "at": at}) + "\n", "utf-8")


def refuse_moved(folder: Path) -> None:
    """Raises Refused, with what to set, where the company was moved away."""
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
        where = f"to {told['log']}, {told['at'][:10]}"
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        where = "elsewhere"
    raise Refused(
        f"the company of {folder} was moved {where}: set `log` and `store` in the settings. What is in this folder is as it was "
        f"then; to go on from there all the same, remove {folder / FILE}"
    )
