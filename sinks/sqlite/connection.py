"""Connections to hub.sqlite: one that writes, a few that read, all with the same few pragmas."""

from pathlib import Path

import apsw

from sinks.sqlite.errors import Damaged

FILE = "hub.sqlite"
PAGE_BYTES = (
    4096  # half the bytes of 8192 where rows all over a table change; whole messages fit one page mostly
)
WRITER_CACHE_MIB = 64
READER_CACHE_MIB = 16
CHECKPOINT_PAGES = 8000  # 32 MiB of write-ahead log, then a checkpoint
BUSY_MILLISECONDS = 5000
SYNCHRONOUS = "FULL"
"""A commit returns after its fsync. tests/sinks/sqlite/test_power_cuts.py shows what any other value loses."""


def open_writer(folder: Path) -> apsw.Connection:
    """The connection that writes, and makes the file when there is none."""
    connection = apsw.Connection(str(folder / FILE), statementcachesize=200)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    mode = connection.pragma("journal_mode", "wal")
    if mode != "wal":
        connection.close()
        raise Damaged(
            f"{folder}: the file system does not support SQLite's write-ahead log; use a local disk"
        )
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {4 * CHECKPOINT_PAGES * PAGE_BYTES}")
    connection.execute(f"PRAGMA cache_size = {-WRITER_CACHE_MIB * 1024}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def open_reader(folder: Path) -> apsw.Connection:
    """A connection that cannot write. It sees what is durable and nothing else."""
    connection = apsw.Connection(str(folder / FILE), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=200)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = {-READER_CACHE_MIB * 1024}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
