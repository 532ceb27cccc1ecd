# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""What the engine can see by itself of damage to the log and the store: each fault in a sentence, none when all is whole."""

import struct
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import apsw

from schemas.errors import Never
from schemas.ids import sha256
from schemas.topics import TOPICS
from sinks.sqlite.blobs import BlobFiles
from sinks.sqlite.documents import Tables
from sinks.sqlite.entries import STORED, decode_entry
from sinks.sqlite.log import READ, Names, read_head, seal_row
from sinks.sqlite.tables import Table

MOST_PROBLEMS = 100


def faults(connection: apsw.Connection, names: Names, tables: Tables, files: BlobFiles) -> Iterator[str]:
    """Looks at everything in one snapshot. Reads the whole file and every blob; takes minutes on a large one."""
    parts = (
        _file_faults(connection),
        _log_faults(connection, names),
        *(_document_faults(connection, table) for table in tables.values()),
        _entry_faults(connection),
        _blob_faults(connection, files),
    )
    for part in parts:
        try:
            yield from part
        except (apsw.CorruptError, apsw.NotADBError) as error:
            yield f"file: cannot be read further: {error}"


def _file_faults(connection: apsw.Connection) -> Iterator[str]:
    for (problem,) in connection.execute(f"PRAGMA integrity_check({MOST_PROBLEMS})"):
        if problem != "ok":
            yield f"file: {problem}"


def _log_faults(connection: apsw.Connection, names: Names) -> Iterator[str]:
    """Every event from the first to the head is there, and sealed as it was written."""
    head, last, digest = read_head(connection), 0, bytes(16)
    removed = connection.execute("SELECT seq, topic, digest FROM removed ORDER BY seq")
    rows = connection.execute(f"SELECT {READ} FROM log ORDER BY seq")
    for row in _merged(rows, removed):
        seq = row[0]
        if seq != last + 1:
            yield _missing(last + 1, seq - 1)
        if len(row) == 3:
            yield from _removed_faults(names, row)
        elif seq == last + 1 and not _is_sealed(names, digest, row):
            yield f"log: event {seq} was altered"
        last, digest = seq, row[-1]
    if last < head.seq:
        yield _missing(last + 1, head.seq)
    elif last > head.seq:
        yield f"log: events {head.seq + 1} to {last} were added behind the end"
    elif digest != head.digest:
        yield f"log: the end is not what was written: event {last} has another digest than the head"


def _is_sealed(names: Names, previous: bytes, row: Any) -> bool:
    try:
        return bool(seal_row(names, previous, row) == row[-1])
    except (TypeError, ValueError, AttributeError, struct.error):
        return False  # not even of the types that were written


def _missing(first: int, last: int) -> str:
    return f"log: event {first} is missing" if first == last else f"log: events {first} to {last} are missing"


def _merged(rows: Iterator[Any], removed: Iterator[Any]) -> Iterator[Any]:
    """Events and the traces of removed ones, by seq."""
    trace = next(removed, None)
    for row in rows:
        while trace is not None and trace[0] < row[0]:
            yield trace
            trace = next(removed, None)
        yield row
    while trace is not None:
        yield trace
        trace = next(removed, None)


def _removed_faults(names: Names, row: Any) -> Iterator[str]:
    seq, topic, _ = row
    if topic not in names.topic or TOPICS[names.topic[topic]].retention_days is None:
        yield f"log: event {seq} was removed, but its topic keeps events for ever"


def _document_faults(connection: apsw.Connection, table: Table) -> Iterator[str]:
    columns = ", ".join(["id", "revision", *table.quoted_columns, "document"])
    rows: Any = connection.execute(f"SELECT {columns} FROM {table.name}")
    yield from _of_each(rows, table.collection.name, partial(_document_fault, table))


def _document_fault(table: Table, row: Any) -> str:
    id, revision, *values, stored = row
    document = table.decode(stored, id)
    if (document.id.bytes, document.revision, table.values(document)) != (id, revision, tuple(values)):
        return f"{table.collection.name}: {document.id} is not what its columns say"
    return ""


def _entry_faults(connection: apsw.Connection) -> Iterator[str]:
    sql = (
        f"SELECT {STORED}, entries.id, cases.id, refs.id FROM entries LEFT JOIN refs ON refs.number = case_ref"
        " LEFT JOIN cases ON cases.id = refs.id"
    )
    rows: Any = connection.execute(sql)
    yield from _of_each(rows, "entry", _entry_fault)


def _entry_fault(row: Any) -> str:
    *columns, id, case, ref = row
    entry = decode_entry(columns)
    if (entry.id.bytes, entry.case.bytes) != (id, ref):
        return f"entry: {entry.id} is not what its columns say"
    if case is None:
        return f"entry: {entry.id} belongs to case {entry.case}, which is missing"
    return ""


def _blob_faults(connection: apsw.Connection, files: BlobFiles) -> Iterator[str]:
    rows: Any = connection.execute("SELECT sha256, size, content FROM blobs")
    yield from _of_each(rows, "blob", partial(_blob_fault, files))


def _blob_fault(files: BlobFiles, row: Any) -> str:
    digest, size, stored = row
    name = digest.hex()
    content = stored if stored is not None else files.read(name)
    if content is None:
        return f"blob: {name} is missing"
    return f"blob: {name} was altered" if len(content) != size or sha256(content) != name else ""


def _of_each(rows: Iterable[Any], kind: str, fault: Callable[[Any], str]) -> Iterator[str]:
    """What is wrong with each row. A damaged file may hold anything in any column: that is a fault too, and ends nothing."""
    for row in rows:
        try:
            found = fault(row)
        except Never as error:
            found = str(error)
        except (TypeError, ValueError, AttributeError) as error:
            found = f"{kind}: a row holds what was never written there: {error}"
        if found:
            yield found
