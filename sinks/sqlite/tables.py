# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""The table of a collection: made from what schemas/collections.py declares, remade when that changes."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import apsw

from schemas.columns import Collection, ColumnType
from schemas.documents import Document
from schemas.errors import Never
from sinks.sqlite.values import Row, Value, insert_rows, micros, quoted

SQL_TYPES = {
    ColumnType.TEXT: "TEXT",
    ColumnType.INTEGER: "INTEGER",
    ColumnType.TIME: "INTEGER",
    ColumnType.ID: "BLOB",
    ColumnType.BOOLEAN: "INTEGER",
}
TO_VALUE: dict[ColumnType, Callable[..., Value]] = {
    ColumnType.TEXT: str,
    ColumnType.INTEGER: int,
    ColumnType.TIME: micros,
    ColumnType.ID: lambda id: id.bytes,
    ColumnType.BOOLEAN: int,
}
REBUILD_ROWS = 1000
ROWS_WEIGHED = 400

log = logging.getLogger("hubbub.store")


class Table:
    """SQL and conversions of one collection. Columns: _row, id, revision, the declared ones, document."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.name = quoted(collection.name)
        self.columns = list(collection.columns)
        self._readers = [(each.value, TO_VALUE[each.type]) for each in collection.columns.values()]
        self.quoted_columns = [quoted(name) for name in self.columns]
        names = ["id", "revision", *self.quoted_columns, "document"]
        # qualified: a column may be called as one of carray's is (`value`)
        self.stored = ", ".join(
            f"{self.name}.{each}" for each in ["id", "_row", "revision", *self.quoted_columns]
        )
        self._updates: dict[tuple[str, ...], str] = {}
        self.insert_into = f"{self.name} ({', '.join(names)})"

    def values(self, document: Document) -> Row:
        """The declared columns of a document, as they are stored."""
        return tuple(
            [None if (value := read(document)) is None else convert(value) for read, convert in self._readers]
        )

    def row(self, document: Document) -> Row:
        """A whole row, for `insert_into`. The document carries its revision already."""
        return (document.id.bytes, document.revision, *self.values(document), to_json(document))

    def update(self, before: Row, after: Row) -> tuple[str, Row]:
        """SQL and arguments that make a stored row (its `stored` columns) the one that `row` gave.

        Only columns that changed are set: SQLite rewrites the entry of each index that a SET names, changed or not.
        """
        revision, *columns, document = after[1:]
        changed = [place for place, value in enumerate(columns) if value != before[place + 3]]
        names = tuple([self.quoted_columns[place] for place in changed])
        sql = self._updates.get(names)
        if sql is None:
            sets = ", ".join([f"{name} = ?" for name in ("revision", *names, "document")])
            sql = self._updates[names] = f"UPDATE {self.name} SET {sets} WHERE _row = ?"
        return sql, (revision, *[columns[place] for place in changed], document, before[1])

    def decode(self, document: bytes, id: bytes = b"") -> Document:
        """Raises Never when the bytes do not fit the schema; `id` names them then."""
        try:
            return self.collection.document.__pydantic_validator__.validate_json(document)  # type: ignore[no-any-return]
        except ValueError as error:
            which = UUID(bytes=id) if id else "a stored document"
            raise Never(f"{self.collection.name}: {which} fits no schema: {error}") from error

    def signature(self) -> str:
        """Changes with the declaration: then the table is remade from its documents."""
        columns = {name: column.type.value for name, column in self.collection.columns.items()}
        declared = {"columns": columns, "indexes": self.collection.indexes, "unique": self.collection.unique}
        return json.dumps(declared, sort_keys=True)

    def create(self, name: str) -> str:
        declared = "".join(
            f"{quoted(each)} {SQL_TYPES[self.collection.columns[each].type]}, " for each in self.columns
        )
        return (
            f"CREATE TABLE {name} (_row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
            f"revision INTEGER NOT NULL, {declared}document BLOB NOT NULL) STRICT"
        )

    def create_indexes(self) -> list[str]:
        kinds = [("INDEX", columns) for columns in self.collection.indexes]
        if self.collection.unique:
            kinds.append(("UNIQUE INDEX", self.collection.unique))
        return [
            f"CREATE {kind} {quoted('_'.join((self.collection.name, 'by', *columns)))} "
            f"ON {self.name} ({', '.join(map(quoted, columns))})"
            for kind, columns in kinds
        ]


def to_json(document: Document) -> bytes:
    return document.__pydantic_serializer__.to_json(document)


def weigh(connection: apsw.Connection, tables: Iterable[Table]) -> None:
    """SQLite learns what is in each table, to choose among indexes. Looks at a few rows of each index.

    Source: https://sqlite.org/lang_analyze.html, "Approximate ANALYZE For Large Databases".
    """
    connection.execute(f"PRAGMA analysis_limit = {ROWS_WEIGHED}")
    for table in tables:
        connection.execute(f"ANALYZE {table.name}")


def adapt(connection: apsw.Connection, table: Table) -> None:
    """Makes the table, or remakes it from its documents where columns or indexes were declared anew. Within a transaction."""
    name = f"collection {table.collection.name}"
    stored = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).get
    signature = table.signature()
    if stored == signature:
        return
    if stored is None:
        connection.execute(table.create(table.name))
    else:
        _remake(connection, table)
    for statement in table.create_indexes():
        connection.execute(statement)
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, signature))


def _values_of(connection: apsw.Connection, table: Table, id: bytes, document: bytes) -> Row:
    """The columns of a stored document; of one that fits no schema those that it has already, so that nothing stops the hub."""
    try:
        return table.values(table.decode(document, id))
    except Never as error:
        log.error("kept as it is: %s", error)
    before = {
        name
        for _, name, *_ in connection.execute("SELECT * FROM pragma_table_info(?)", (table.collection.name,))
    }
    names = [quoted(name) if name in before else "NULL" for name in table.columns]
    (row,) = connection.execute(f"SELECT {', '.join(names)} FROM {table.name} WHERE id = ?", (id,)).fetchall()
    return row


def _remake(connection: apsw.Connection, table: Table) -> None:
    """Rows keep their numbers, because ties in an order go by them. Dropping the old table drops its indexes."""
    new = quoted(f"new {table.collection.name}")
    connection.execute(table.create(new))
    columns = ", ".join(["_row", "id", "revision", *table.quoted_columns, "document"])
    last = 0
    while True:
        rows: list[Any] = connection.execute(
            f"SELECT _row, id, revision, document FROM {table.name} WHERE _row > ? ORDER BY _row LIMIT {REBUILD_ROWS}",
            (last,),
        ).fetchall()
        if not rows:
            break
        remade = [
            (*head, *_values_of(connection, table, head[1], document), document) for *head, document in rows
        ]
        insert_rows(connection, f"{new} ({columns})", remade)
        last = rows[-1][0]
    connection.execute(f"DROP TABLE {table.name}")
    connection.execute(f"ALTER TABLE {new} RENAME TO {table.name}")
