# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Documents: compare-and-set on revisions, deletion, and look-up by id. One query a collection for any number of them.

The rule of revisions: a document is written when the stored revision equals the one that it was decided on (0: there is
none). It is then stored at the revision that it carries, if that is above the one decided on (a case: the sequence of its
last event), else at one more than that. What is loaded carries the stored revision.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import apsw

from schemas.documents import Document
from schemas.errors import Conflict, Never
from schemas.ids import from_bytes
from sinks.sqlite.tables import Table
from sinks.sqlite.values import Row, id_array, insert_rows

Tables = Mapping[type[Document], Table]


def write_documents(
    connection: apsw.Connection, tables: Tables, documents: Sequence[tuple[Document, int]]
) -> None:
    """Raises Conflict, saying which document moved on, when one is not at the revision that it was decided on."""
    by_type: dict[type[Document], list[tuple[Document, int]]] = {}
    for document, expected in documents:
        by_type.setdefault(type(document), []).append((document, expected))
    for kind, changed in by_type.items():
        _write(connection, tables[kind], changed)


def _write(connection: apsw.Connection, table: Table, changed: Sequence[tuple[Document, int]]) -> None:
    sql = f"SELECT {table.stored} FROM carray(?) AS wanted CROSS JOIN {table.name} ON id = wanted.value"
    found: Any = connection.execute(sql, (id_array({document.id for document, _ in changed}),))
    stored: dict[bytes, Row] = {row[0]: row for row in found}
    revisions: dict[bytes, Any] = {id: row[2] for id, row in stored.items()}
    rows: dict[bytes, Row] = {}
    for document, expected in changed:
        id = document.id.bytes
        current = revisions.get(id, 0)
        if current != expected:
            raise Conflict(
                f"{table.collection.name}: {document.id} is at revision {current}, the step was decided on {expected}"
            )
        revision = max(document.revision, expected + 1)
        revisions[id] = revision
        carried = (
            document if document.revision == revision else document.model_copy(update={"revision": revision})
        )
        rows[id] = table.row(carried)
    insert_rows(connection, table.insert_into, [row for id, row in rows.items() if id not in stored])
    updates: dict[str, list[Row]] = {}
    for id, row in rows.items():
        if id in stored:
            sql, arguments = table.update(stored[id], row)
            updates.setdefault(sql, []).append(arguments)
    for sql, several in updates.items():
        connection.executemany(sql, several)


def write_remade(connection: apsw.Connection, tables: Tables, documents: Iterable[Document]) -> None:
    """Writes each at the revision that it carries. Raises Conflict when that is not the stored one."""
    for document in documents:
        table = tables[type(document)]
        stored: Row | None = connection.execute(
            f"SELECT {table.stored} FROM {table.name} WHERE id = ?", (document.id.bytes,)
        ).fetchone()
        if stored is None or stored[2] != document.revision:
            raise Conflict(
                f"{table.collection.name}: {document.id} is not at revision {document.revision} any more"
            )
        connection.execute(*table.update(stored, table.row(document)))


def delete_documents(
    connection: apsw.Connection, tables: Tables, deletions: Iterable[tuple[type[Document], UUID]]
) -> None:
    """Deletes what is there; what is not there is deleted already."""
    for kind, id in deletions:
        connection.execute(f"DELETE FROM {tables[kind].name} WHERE id = ?", (id.bytes,))


def load_sql(table: Table) -> str:
    return f"SELECT document FROM carray(?) AS wanted CROSS JOIN {table.name} ON id = wanted.value"


def load_documents(connection: apsw.Connection, table: Table, ids: set[UUID]) -> dict[UUID, Document]:
    """The documents that exist of those asked for."""
    if not ids:
        return {}
    rows: list[Any] = connection.execute(load_sql(table), (id_array(ids),)).fetchall()
    try:
        documents = [table.decode(stored) for (stored,) in rows]
    except Never:
        return {
            id: table.decode(stored, id.bytes) for id in ids if (stored := _stored(connection, table, id))
        }
    return {document.id: document for document in documents}


def _stored(connection: apsw.Connection, table: Table, id: UUID) -> bytes | None:
    document: bytes | None = connection.execute(
        f"SELECT document FROM {table.name} WHERE id = ?", (id.bytes,)
    ).get
    return document


def case_numbers(connection: apsw.Connection, numbers: set[str]) -> dict[str, UUID]:
    """Case number -> case, of those that exist."""
    if not numbers:
        return {}
    sql = "SELECT cases.number, id FROM carray(?) AS wanted CROSS JOIN cases ON cases.number = wanted.value"
    rows: Any = connection.execute(sql, (apsw.carray(tuple(numbers)),))
    return {number: from_bytes(id) for number, id in rows}
