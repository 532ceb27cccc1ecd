"""A server as a process of its own: started on a port and a folder, waited for, stopped."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 15.0
PROGRESS_SECONDS = 5.0
HERE = Path(__file__).resolve().parent


class CannotStart(Exception):
    """Says what to do: what is missing, or what the server said last."""


@dataclass
class Running:
    """A server that accepts connections at `url`."""

    name: str
    url: str
    port: int
    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def kill(self) -> None:
        """As a power cut would end it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


def home() -> Path:
    """Where downloads are kept: HUBBUB_SERVERS, else the user's cache."""
    named = os.environ.get("HUBBUB_SERVERS")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubbub" / "servers"


def free_port() -> int:
    """One that nothing listens on now.

    It is outside the range from which connections are given theirs (32768 and above on Linux): none takes it before the server does.
    """
    while True:
        port = random.choice(range(20_000, 32_000))  # noqa: S311
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port


def program(name: str, cure: str) -> str:
    """The path of a program that a server is built or run with."""
    found = shutil.which(name)
    if found is None:
        raise CannotStart(f"{name} is not installed: {cure}")
    return found


def tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def run(command: Sequence[str], folder: Path, what: str, counts: str = "") -> None:
    """Runs a command that takes a while, says so, and says what it said when it fails.

    Every few seconds it says how far it is: how long it takes, and how often the command has said `counts`.
    """
    tell(f"{what} …")
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            while not _ends_within(process, PROGRESS_SECONDS):
                done = f", {_said(said).count(counts)} files" if counts else ""
                tell(f"{what}: {time.monotonic() - began:.0f} s{done} …")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            raise CannotStart(f"{what} failed:\n{_said(said)[-3000:]}")
    tell(f"{what}: done in {time.monotonic() - began:.0f} s")


def _ends_within(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return True
    return False


def _said(file: IO[bytes]) -> str:
    """All of it. The command writes at the place where the file stands, so that place is left alone."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode("utf-8", "replace")


def start(
    name: str,
    command: Sequence[str],
    folder: Path,
    port: int,
    url: str,
    environment: Mapping[str, str] | None = None,
) -> Running:
    """Starts it in a process group of its own; returns once it accepts connections. Raises CannotStart with what it said.

    `environment` comes beside the variables that are set.
    """
    log = folder / f"{name}.log"
    with log.open("ab") as said:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    running = Running(name, url, port, folder, process)
    deadline = time.monotonic() + START_SECONDS
    while not _accepts(port):
        ended = process.poll()
        if ended is not None or time.monotonic() > deadline:
            running.kill()
            why = f"does not listen after {START_SECONDS:.0f} s" if ended is None else f"ended with {ended}"
            raise CannotStart(f"{name} {why}:\n{log.read_text('utf-8', 'replace')[-3000:]}")
        time.sleep(0.05)
    return running


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 0.5):
        return True
    return False


@contextlib.contextmanager
def stopping(running: Running) -> Iterator[Running]:
    try:
        yield running
    finally:
        running.stop()
