"""Copying the write-ahead log into the file beside the thread that writes, so that nobody waits for most of it.

Nothing is promised by it: the log begins anew only when the thread that writes has copied what came meanwhile and SQLite has
synced the file. By then there is little left to copy and to sync: of 30 to 120 ms, for which every post waited, 1 to 12 remain.
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import apsw

from schemas.errors import Outage
from sinks.sqlite.connection import FILE, open_writer


class Copying:
    """Has a thread of its own, and a connection from the first copy on. `close` and `release` go round that of the writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hubbub-sqlite-copying")
        self._copy: Future[None] | None = None
        self._connection: apsw.Connection | None = None
        self._file: int | None = None

    def is_done(self) -> bool:
        """Whether the copy is over, well or not. Begins one where none was."""
        if self._copy is None:
            self._copy = self._thread.submit(self._run)
        return self._copy.done()

    def forget(self) -> None:
        """The next copy is another one."""
        self._copy = None

    def _run(self) -> None:
        with suppress(apsw.Error, OSError, Outage):  # the thread that writes will meet it, and tell
            if self._connection is None:
                self._connection = open_writer(self._folder)
            if self._file is None:
                self._file = os.open(self._folder / FILE, os.O_RDONLY)
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            os.fsync(self._file)

    def close(self) -> None:
        """Before the connection that writes: the last one empties the write-ahead log."""
        self._thread.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()

    def release(self) -> None:
        """After it: closing the file gives up all locks that this process has on it (fcntl(2))."""
        if self._file is not None:
            os.close(self._file)
