"""nx-27017, from PyPI: a server in Python over SQLite that speaks MongoDB's protocol."""

import shutil
import sys
from pathlib import Path

from deploy.local.server import LOOPBACK, CannotStart, Running, free_port, start

NAME = "nx-27017"
VERSION = "0.8.1"
CURE = f"{NAME} is not installed: .venv/bin/python -m pip install {NAME}=={VERSION}"


def _program() -> str | None:
    beside = Path(sys.executable).with_name(NAME)
    return str(beside) if beside.exists() else shutil.which(NAME)


def is_here() -> bool:
    return _program() is not None


def fetch() -> None:
    """`make setup` installs it with the other packages of the tests."""
    if not is_here():
        raise CannotStart(CURE)


def open_server(folder: Path, port: int | None = None) -> Running:
    """Starts it on what the folder holds; makes the folder when it is not there. A file for each database."""
    found = _program()
    if found is None:
        raise CannotStart(CURE)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [
        found, "--host", LOOPBACK, "--port", str(port), "--data-dir", str(data),
        "--log-file", str(folder / "requests.log"), "--pid-file", str(folder / "pid"),
    ]  # fmt: skip
    return start(NAME, command, folder, port, f"mongodb://{LOOPBACK}:{port}/")
