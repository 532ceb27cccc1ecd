"""A few threads that read, each with a connection of its own. Every call sees one consistent snapshot."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from schemas.errors import Outage
from sinks.sqlite.connection import open_reader
from sinks.sqlite.errors import outages

THREADS = 3
P = ParamSpec("P")
T = TypeVar("T")


class Readers:
    """Runs functions that take a connection. `run` is for reading, `do` for file work without a connection."""

    def __init__(self, folder: Path, threads: int = THREADS) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hubbub-sqlite-reader")
        self._local = threading.local()
        self._connections: list[apsw.Connection] = []
        self._closed = False

    async def run(
        self, read: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Raises Outage when the file cannot be read."""
        return await self.do(self._in_snapshot, lambda connection: read(connection, *args, **kwargs))

    def begin(
        self, read: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T] | None:
        """For a thread that does not wait for it. None when the engine is closed."""
        try:
            return self._pool.submit(self._in_snapshot, lambda connection: read(connection, *args, **kwargs))
        except RuntimeError:  # it is shut down; only submitting says so without a race
            return None

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise Outage("the engine is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))

    def _in_snapshot(self, read: Callable[[apsw.Connection], T]) -> T:
        with outages():
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return read(connection)
            finally:
                connection.execute("COMMIT")

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._folder)
            self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Waits for what is being read. Blocks; call it off the loop."""
        self._closed = True
        self._pool.shutdown(wait=True)
        for connection in self._connections:
            connection.close()
