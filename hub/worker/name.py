"""The name by which Kafka knows a worker again (static membership, KIP-345): its partitions wait for it while it restarts.

Where the settings give none it is the machine's name, a few letters for the data folder, and the first number in that folder
that no living process has. The number is held by a lock of the system, which ends with the process however that ends: so the one that is started again after
a kill is the same one to Kafka, and goes on at once.
"""

import fcntl
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

MOST = 1000


@dataclass
class WorkerName:
    """`text` None: Kafka is to treat it as a new one each time."""

    text: str | None
    lock: int | None = None

    @classmethod
    def taken(cls, given: str | None, folder: Path) -> "WorkerName":
        if given is not None:
            return cls(given)
        for number in range(1, MOST):
            try:
                lock = _locked(folder / f"worker-{number}.lock")
            except OSError:
                return cls(None)  # a folder in which nothing can be written holds no number
            if lock is not None:
                return cls(f"{socket.gethostname()}-{_letters(folder)}-{number}", lock)
        return cls(None)

    def release(self) -> None:
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def _letters(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:6]


def _locked(path: Path) -> int | None:
    """An open file that this process has locked; None where another has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise
    return file
