"""The spool on disk: one SQLite file, in the order in which items came. An item is there once `append` has returned."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from schemas.crash import crash_point
from schemas.errors import Outage
from sinks.sqlite.errors import Damaged, as_outage
from sinks.sqlite.folders import make_folder, sync_folder
from sinks.sqlite.lock import FolderLock

FILE = "spool.sqlite"
SYNCHRONOUS = "FULL"
"""A commit returns after its fsync. tests/sinks/test_spool_power_cuts.py shows what any other value loses."""
SHRINK_BYTES = 64 * 1024**2
"""A file that is empty and larger than that gives its space back."""
BUSY_MILLISECONDS = 5000
PAGE_ITEMS, PAGE_BYTES = 100, 8 * 1024**2
"""Of a look at what waits."""
T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    body BLOB NOT NULL,
    problem TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS names (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_by_number ON names (number);
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What waits: how many items, their bytes, since when (microseconds), and how many cannot be handed on as they are."""

    items: int = 0
    size: int = 0
    oldest_at: int | None = None
    stuck: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One item. `is_whole`: its bytes are those that were written."""

    number: int
    body: bytes
    is_whole: bool = True


@dataclass(slots=True)
class Adding:
    """`names` are what the item is known by, each with a value that `named` gives back."""

    body: bytes
    at: int
    names: dict[str, bytes]
    error: Exception | None = None


@dataclass
class SpoolFile:
    """One process has it, by a lock on its folder. Everything may raise Outage."""

    folder: Path
    figures: Figures = Figures()
    _lock: FolderLock = field(init=False)
    _connection: apsw.Connection = field(init=False)
    _thread: ThreadPoolExecutor = field(init=False)
    _adding: deque[Adding] = field(default_factory=deque)

    @classmethod
    async def open(cls, folder: Path) -> "SpoolFile":
        """Makes the folder where there is none. Raises Outage where another process has it, or it cannot be written."""
        file = cls(folder)
        await asyncio.to_thread(file._open)
        return file

    def _open(self) -> None:
        try:
            make_folder(self.folder)
        except OSError as error:
            raise Outage(f"the spool {self.folder}: {error.strerror or error}") from error
        self._lock = FolderLock(self.folder)
        self._lock.acquire()
        self._thread = ThreadPoolExecutor(1, "hubbub-spool")
        try:
            self._thread.submit(self._guarded, self._connect).result()
        except BaseException:
            self._thread.shutdown()
            self._lock.release()
            raise

    def _connect(self) -> None:
        connection = apsw.Connection(str(self.folder / FILE))
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        if connection.pragma("journal_mode", "wal") != "wal":
            raise Damaged(f"{self.folder}: the file system does not support SQLite's write-ahead log")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            connection.execute(SCHEMA)
        sync_folder(self.folder)  # the name of the file is as durable as what is in it
        self._connection = connection
        self._count()

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except apsw.Error as error:
            outage = as_outage(error)
            if outage is None:
                raise
            raise Outage(str(outage).replace("hub.sqlite", str(self.folder / FILE))) from error

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, partial(self._guarded, work)
            )
        except RuntimeError as error:  # the pool is shut
            raise Outage("the spool is closed") from error

    async def append(self, body: bytes, at: int, names: dict[str, bytes]) -> None:
        """Durable when it returns, behind all that is there. Items that come at once share an fsync."""
        adding = Adding(body, at, names)
        self._adding.append(adding)
        await self._run(self._write)
        if adding.error is not None:
            raise adding.error

    def _write(self) -> None:
        """All that waits to be written; whoever comes later finds it done."""
        group = []
        while self._adding:
            group.append(self._adding.popleft())
        if not group:
            return
        try:
            with self._connection:
                for each in group:
                    self._insert(each)
                crash_point("spool.before-commit")
            crash_point("spool.after-commit")
        except Exception as error:  # noqa: BLE001  whatever it was, the others of the group must not take it for done
            known = _known(error)
            for each in group:
                each.error = known or Outage(f"{FILE}: {type(error).__name__}: {error}")
            return
        before = self.figures
        self.figures = Figures(
            before.items + len(group),
            before.size + sum(len(each.body) for each in group),
            min(each.at for each in group) if before.oldest_at is None else before.oldest_at,
            before.stuck,
        )

    def _insert(self, adding: Adding) -> None:
        digest = hashlib.sha256(adding.body).digest()
        self._connection.execute(
            "INSERT INTO items (at, digest, body) VALUES (?, ?, ?)", (adding.at, digest, adding.body)
        )
        number = self._connection.last_insert_rowid()
        self._connection.executemany(
            "INSERT INTO names VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(name, number, value) for name, value in adding.names.items()],
        )

    def _count(self) -> None:
        """All of them: once, as it takes as long as there are items."""
        row: Any = self._connection.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0), min(at), count(nullif(problem, '')) FROM items"
        ).fetchone()
        self.figures = Figures(*row)

    async def first(self, most: int, most_bytes: int = 1 << 62) -> list[Waiting]:
        """The items that came first, without those that are stuck; no more once they have so many bytes."""
        return await self._run(partial(_read, self._connection, most, most_bytes))

    async def named(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those names that an item here is known by, each with its value."""
        return await self._run(partial(self._find, names))

    def _find(self, names: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name in names:
            row: Any = self._connection.execute("SELECT value FROM names WHERE name = ?", (name,)).fetchone()
            if row is not None:
                found[name] = row[0]
        return found

    async def remove(self, numbers: Iterable[int]) -> None:
        """They are where they belong."""
        await self._run(partial(self._remove, list(numbers)))

    def _remove(self, numbers: list[int]) -> None:
        before, removed, size = self.figures, 0, 0
        with self._connection:
            for number in numbers:
                rows: Any = self._connection.execute(
                    "DELETE FROM items WHERE number = ? RETURNING length(body)", (number,)
                )
                for (length,) in rows:
                    removed, size = removed + 1, size + length
        oldest: Any = self._connection.execute("SELECT at FROM items ORDER BY number LIMIT 1").fetchone()
        self.figures = Figures(
            before.items - removed, before.size - size, oldest[0] if oldest else None, before.stuck
        )
        pages: Any = self._connection.pragma("page_count")
        if self.figures.items == 0 and pages * 4096 > SHRINK_BYTES:
            self._connection.execute("VACUUM")

    async def set_aside(self, number: int, problem: str) -> None:
        """It cannot be handed on as it is: it stays, and those behind it go on."""
        await self._run(partial(self._set_aside, number, problem))

    def _set_aside(self, number: int, problem: str) -> None:
        with self._connection:
            self._connection.execute("UPDATE items SET problem = ? WHERE number = ?", (problem, number))
        self._count()

    async def close(self) -> None:
        """What is being written is written. Calling it again does nothing."""
        with_it = self._thread.submit(self._connection.close)
        await asyncio.wrap_future(with_it)
        self._thread.shutdown()
        self._lock.release()


def _read(connection: apsw.Connection, most: int, most_bytes: int) -> list[Waiting]:
    rows: Any = connection.execute(
        "SELECT number, digest, body FROM items WHERE problem = '' ORDER BY number LIMIT ?", (most,)
    )
    found: list[Waiting] = []
    size = 0
    for number, digest, body in rows:
        found.append(Waiting(number, body, hashlib.sha256(body).digest() == digest))
        size += len(body)
        if size >= most_bytes:
            break
    rows.close(True)
    return found


def _known(error: BaseException | None) -> Outage | None:
    """Of a full disk SQLite has taken everything back already, and to take it back again is another error, behind which that one is."""
    while error is not None:
        known = as_outage(error) if isinstance(error, apsw.Error) else None
        if known is not None:
            return Outage(str(known).replace("hub.sqlite", FILE))
        error = error.__context__
    return None


@dataclass(frozen=True, slots=True)
class Seen:
    """An item as it lies there, whoever has the folder. `problem`: why it cannot be handed on."""

    number: int
    body: bytes
    is_whole: bool
    problem: str


def look(folder: Path) -> Iterator[Seen]:
    """All items, in their order; none where there is no spool. Few are in memory at once, however many wait.

    Each page is a look of its own, so that who has the folder goes on meanwhile: what comes in during it may be seen or not.
    """
    path = folder / FILE
    if not path.exists():
        return
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.execute("PRAGMA query_only = ON")
        last = 0
        while page := _page(connection, last):
            yield from page
            last = page[-1].number
    except apsw.Error as error:
        raise as_outage(error) or error from error
    finally:
        connection.close()


def _page(connection: apsw.Connection, last: int) -> list[Seen]:
    rows: Any = connection.execute(
        "SELECT number, digest, body, problem FROM items WHERE number > ? ORDER BY number LIMIT ?",
        (last, PAGE_ITEMS),
    )
    page: list[Seen] = []
    size = 0
    for number, digest, body, problem in rows:
        page.append(Seen(number, body, hashlib.sha256(body).digest() == digest, problem))
        size += len(body)
        if size >= PAGE_BYTES:
            break
    rows.close(True)
    return page
