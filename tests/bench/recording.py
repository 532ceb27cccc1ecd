"""What the hub asks of SQLite, word for word: recorded while it runs, and executed again by a bare loop on a fresh copy.

The bare loop is the limit of the parts: it reads the same bytes, validates each interaction and each document that is loaded,
and executes the same statements in the same transactions under the same pragmas, and decides, encodes and hands over nothing.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import apsw

from schemas.codec import decode
from schemas.collections import COLLECTIONS
from schemas.interactions import InteractionReceived
from sinks.sqlite.connection import open_reader, open_writer
from sinks.sqlite.documents import load_sql
from sinks.sqlite.log import READ
from sinks.sqlite.tables import Table
from tests.bench.measuring import Timed

STATEMENTS_A_CHUNK = 5_000
READS_LOG = f"SELECT {READ} FROM "  # noqa: S608  compared with, not executed
VALUE = READ.split(", ").index("log.value")
READS_DOCUMENTS: dict[str, Table] = {load_sql(table): table for table in map(Table, COLLECTIONS)}


@dataclass(frozen=True, slots=True)
class Array:
    """The argument of carray(): ids or texts, or integers."""

    values: tuple[Any, ...]

    def bound(self) -> object:
        if isinstance(self.values[0], int):
            return apsw.carray(
                memoryview(b"".join(each.to_bytes(8, "little") for each in self.values)).cast("q")
            )
        return apsw.carray(self.values)


Statement = tuple[int, str, Any]
"""Connection (0 writes), SQL, arguments."""


class Recorder:
    """Writes each statement of each connection opened meanwhile to a file, in the order of execution."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._chunk: list[Statement] = []
        self._numbers: dict[apsw.Connection, int] = {}
        self._arrays: dict[int, tuple[object, Array]] = {}
        self.is_on = False

    def opened(self, connection: apsw.Connection) -> None:
        self._numbers[connection] = len(self._numbers)
        connection.exec_trace = self._trace

    def array(self, carray: Callable[..., object]) -> Callable[..., object]:
        """Stands for apsw.carray, whose arguments cannot be read back."""

        def remembered(values: Any) -> object:
            bound = carray(values)
            self._arrays[id(bound)] = (bound, Array(tuple(values)))
            return bound

        return remembered

    def _trace(self, cursor: apsw.Cursor, sql: str, arguments: Any) -> bool:
        plain = tuple(self._plain(each) for each in arguments) if arguments else None
        if self.is_on:
            self._chunk.append((self._numbers[cursor.connection], sql, plain))
            if sql == "COMMIT" and len(self._chunk) >= STATEMENTS_A_CHUNK:
                self.flush()
        return True

    def _plain(self, value: object) -> object:
        known = self._arrays.pop(id(value), None)  # each is bound once
        return known[1] if known else value

    def flush(self) -> None:
        chunk, self._chunk = self._chunk, []
        pickle.dump(chunk, self._file)


@contextmanager
def recording(path: Path) -> Iterator[Recorder]:
    """Records, once `is_on`, what connections opened within do."""
    with path.open("wb") as file:
        recorder = Recorder(file)
        carray = apsw.carray
        apsw.carray = recorder.array(carray)  # type: ignore[assignment]
        apsw.connection_hooks.append(recorder.opened)
        try:
            yield recorder
        finally:
            apsw.connection_hooks.remove(recorder.opened)
            apsw.carray = carray
            recorder.flush()


def replay(path: Path, folder: Path) -> Timed:
    """The bare loop. Only executing, fetching and validating is timed; reading the record is not."""
    timed = Timed()
    connections = [open_writer(folder)]
    with path.open("rb") as file:
        for chunk in _chunks(file):
            for number in {number for number, _, _ in chunk if number >= len(connections)}:
                connections += [open_reader(folder) for _ in range(number + 1 - len(connections))]
            prepared = [(connections[number].execute, sql, _bound(plain)) for number, sql, plain in chunk]
            with timed.section():
                _execute(prepared)
    for connection in connections:
        connection.close()
    return timed


def _chunks(file: BinaryIO) -> Iterator[list[Statement]]:
    while True:
        try:
            yield pickle.load(file)  # noqa: S301  written by ourselves a moment ago
        except EOFError:
            return


def _bound(plain: Any) -> Any:
    return tuple(each.bound() if isinstance(each, Array) else each for each in plain) if plain else None


def _execute(prepared: list[Any]) -> None:
    for execute, sql, arguments in prepared:
        rows = execute(sql, arguments).fetchall()
        if sql.startswith(READS_LOG):
            for row in rows:
                decode(InteractionReceived.type, row[VALUE])
        elif sql in READS_DOCUMENTS:
            for (document,) in rows:
                READS_DOCUMENTS[sql].decode(document)
