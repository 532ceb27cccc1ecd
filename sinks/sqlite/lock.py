"""One process writes a data folder. The lock is the kernel's (flock), so it ends with the process, however that ends."""

import fcntl
import os
from pathlib import Path

from sinks.sqlite.errors import FolderInUse

LOCK_FILE = "hub.lock"


class FolderLock:
    """Held from `acquire` to `release`. The file names the holder's process id for whoever is refused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises FolderInUse, naming the holder, when another process has the folder."""
        descriptor = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).split()
            os.close(descriptor)
            raise FolderInUse(
                self.folder, int(holder[0]) if holder and holder[0].isdigit() else None
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None
