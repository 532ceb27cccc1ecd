# ruff: noqa: S608  names in SQL are the test's own
"""Somebody who changes a store behind the hub's back, and seals the log again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from sinks.sqlite.log import READ, Names, read_head, seal_row

FILE = "hub.sqlite"


class Vandal:
    """Somebody with a SQLite shell."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def run(self, sql: str, *values: Any) -> None:
        before = self.connection.total_changes()
        self.connection.execute(sql, values)
        assert self.connection.total_changes() > before, "there was nothing to damage"

    def one(self, sql: str, *values: Any) -> Any:
        row: Any = self.connection.execute(sql, values).fetchone()
        return row[0]

    def place(self, type: str, which: str = "max") -> int:
        """The place of the last (or first: `min`) event of a type on the log."""
        seq = self.one(
            f"SELECT {which}(seq) FROM log WHERE type = (SELECT number FROM names WHERE name = ?)",
            f"hubbub.{type}",
        )
        assert seq
        return int(seq)

    def double(self, seq: int) -> None:
        """The event once more, behind the last one."""
        columns = (
            "topic, type, id, key_hash, key, time, source, correlation, causation, sequence, chain, "
            "configuration, late, digest, value"
        )
        copy = f"INSERT INTO log (seq, {columns}) SELECT (SELECT max(seq) + 1 FROM log), {columns} FROM log"
        self.run(f"{copy} WHERE seq = ?", seq)

    def edit(self, table: str, where: str, change: Callable[[Any], None], column: str = "document") -> None:
        """Changes the JSON of one row."""
        row = self.one(f"SELECT rowid FROM {table} WHERE {where}")
        content = json.loads(self.one(f"SELECT {column} FROM {table} WHERE rowid = ?", row))
        change(content)
        self.run(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", json.dumps(content).encode(), row)

    def seal(self) -> None:
        """Makes the chain of digests good again, as only somebody who knows it could."""
        names, digest, last = Names(self.connection), bytes(16), 0
        rows: list[Any] = self.connection.execute(f"SELECT {READ} FROM log ORDER BY seq").fetchall()
        for row in rows:
            digest, last = seal_row(names, digest, row), row[0]
            self.connection.execute("UPDATE log SET digest = ? WHERE seq = ?", (digest, last))
        self.connection.execute("UPDATE head SET seq = ?, digest = ?", (last, digest))
        assert read_head(self.connection).seq == last


@contextmanager
def vandal(folder: Path) -> Iterator[Vandal]:
    connection = apsw.Connection(str(folder / FILE))
    try:
        yield Vandal(connection)
    finally:
        connection.close()


def set_to(name: str, value: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        assert content[name] != value
        content[name] = value

    return change
