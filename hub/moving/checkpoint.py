"""How far a move is, and where on the new log each event is, in a file beside what is moved. What it says is durable."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw

from schemas.steps import Record
from schemas.topics import Topic
from sinks.kafka.offsets import Partition, to_place

FILE = "move.sqlite"
DIGEST_BYTES = 16
SCHEMA = """
CREATE TABLE IF NOT EXISTS said (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    part INTEGER NOT NULL,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS places_on_target ON places (topic, part, at);
"""


def digest(key: str, id: str, type: str, value: bytes) -> bytes:
    """Of what an event is on any log."""
    parts = [key.encode(), id.encode(), type.encode(), value]
    lengths = ",".join(str(len(part)) for part in parts).encode()
    return hashlib.sha256(lengths + b"".join(parts)).digest()[:DIGEST_BYTES]


def digest_of(record: Record) -> bytes:
    return digest(record.key, str(record.id), record.type, record.value)


def forget(folder: Path) -> None:
    """A move from there begins anew."""
    for ending in ("", "-wal", "-shm"):
        (folder / f"{FILE}{ending}").unlink(missing_ok=True)


class Checkpoint:
    """Opened where there is one, else made. `move` names this move."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._connection = apsw.Connection(str(self.path))
        self._connection.pragma("journal_mode", "wal")
        self._connection.execute("PRAGMA synchronous = FULL")
        with self._connection:
            self._connection.execute(SCHEMA)
        if self.get("move") is None:
            self.set("move", secrets.token_hex(16))
        self.move = self.get("move") or ""

    def get(self, name: str) -> str | None:
        row: Any = self._connection.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO said VALUES (?, ?)", (name, value))

    def moved(self, after: str, places: Iterable[tuple[Record, Partition, int]]) -> None:
        """These events are there; the next to move lie beyond `after`."""
        rows = [
            (record.place, str(topic), part, at, digest_of(record)) for record, (topic, part), at in places
        ]
        with self._connection:
            self._connection.executemany(
                "INSERT INTO places (source, topic, part, at, digest) VALUES (?, ?, ?, ?, ?)", rows
            )
            self.set("events", after)

    def place_of(self, source: str) -> str | None:
        """Where an event of the old log is on the new one."""
        row: Any = self._connection.execute(
            "SELECT topic, part, at FROM places WHERE source = ?", (source,)
        ).fetchone()
        return None if row is None else to_place(Topic(row[0]), row[1], row[2])

    def source_at(self, number: int) -> str:
        """The place on the old log of the event that was moved as the so-manieth, from 1."""
        row: Any = self._connection.execute(
            "SELECT source FROM places WHERE number = ?", (number,)
        ).fetchone()
        return str(row[0])

    def offsets_after(self, number: int, topics: Sequence[Topic]) -> dict[Partition, int]:
        """Where on the new log stands who has passed the first so many events, and nothing beyond them."""
        return self._ends("WHERE number <= ?", (number,), topics)

    def ends(self) -> dict[Partition, int]:
        return self._ends("", (), tuple(Topic))

    def _ends(self, where: str, values: tuple[int, ...], topics: Sequence[Topic]) -> dict[Partition, int]:
        sql = f"SELECT topic, part, max(at) FROM places {where} GROUP BY topic, part"  # noqa: S608  no value is in it
        rows: Any = self._connection.execute(sql, values)
        return {(Topic(topic), part): at + 1 for topic, part, at in rows if topic in topics}

    def count(self) -> int:
        row: Any = self._connection.execute("SELECT count(*) FROM places").fetchone()
        return int(row[0])

    def told(self, partition: Partition, first: int, last: int) -> dict[int, tuple[int, bytes]]:
        """Offset -> the number and the digest of the event that was put there."""
        rows: Any = self._connection.execute(
            "SELECT at, number, digest FROM places WHERE topic = ? AND part = ? AND at >= ? AND at < ?",
            (str(partition[0]), partition[1], first, last),
        )
        return {at: (number, told) for at, number, told in rows}

    def close(self) -> None:
        self._connection.close()
