"""Servers of deploy/local for tests: each started once a process that runs tests, when the first test asks for it."""

import atexit
import shutil
import tempfile
from pathlib import Path

from deploy.local.server import Running
from deploy.local.servers import SERVERS

_running: dict[str, Running] = {}


def server(name: str) -> Running:
    """The server, empty when it was started; tests keep apart by prefixes and names of databases."""
    if name not in _running:
        folder = Path(tempfile.mkdtemp(prefix=f"hubbub-{name}-"))
        running = SERVERS[name].open(folder)
        _running[name] = running
        atexit.register(_end, running)
    return _running[name]


def _end(running: Running) -> None:
    running.kill()  # nothing in it is kept
    shutil.rmtree(running.folder, ignore_errors=True)
