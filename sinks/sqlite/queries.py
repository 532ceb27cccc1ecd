# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Documents by their declared columns, in pages that stay stable while rows come in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import apsw

from schemas.documents import Document
from schemas.errors import Invalid
from schemas.steps import Page, Query, Where
from sinks.sqlite.tables import TO_VALUE, Table
from sinks.sqlite.values import Value, from_cursor, quoted, to_cursor
from sinks.unreadable import readable

MOST_WAYS = 60
COMPARISONS = {"=": "IS", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    arguments: tuple[Value, ...] = ()


def condition(table: Table, tests: Sequence[Where]) -> Sql:
    """All tests together. Raises Invalid for a column or a test that is not declared."""
    parts = [_test(table, each) for each in tests]
    return Sql(
        " AND ".join([part.text for part in parts]) or "TRUE",
        tuple([each for part in parts for each in part.arguments]),
    )


def _test(table: Table, where: Where) -> Sql:
    column = _column(table, where.column)
    if where.test == "null":
        return Sql(f"{column} IS NULL")
    if where.test == "set":
        return Sql(f"{column} IS NOT NULL")
    if where.test == "in":
        if not isinstance(where.value, list | tuple | set | frozenset):
            raise Invalid(f"{where.column}: `in` takes a list")
        values = tuple([_value(table, where.column, each) for each in where.value])
        return Sql(f"{column} IN ({','.join('?' * len(values))})", values)
    if where.test not in COMPARISONS:
        raise Invalid(f"{where.test!r} is not a test; use one of =, in, <, <=, >, >=, null, set")
    return Sql(f"{column} {COMPARISONS[where.test]} ?", (_value(table, where.column, where.value),))


def _column(table: Table, name: str) -> str:
    if name not in table.collection.columns:
        raise Invalid(f"{table.collection.name} has no column {name!r}; it has {', '.join(table.columns)}")
    return quoted(name)


def _value(table: Table, column: str, value: object) -> Value:
    if value is None:
        return None
    try:
        return TO_VALUE[table.collection.columns[column].type](value)
    except (TypeError, ValueError, AttributeError) as error:
        raise Invalid(
            f"{column} is a {table.collection.columns[column].type.value}, not {value!r}"
        ) from error


def find(connection: apsw.Connection, table: Table, query: Query) -> Page[Document]:
    """A page of documents. Ties go by insertion; NULL comes first going up and last going down."""
    order = [(_column(table, name.removeprefix("-")), name.startswith("-")) for name in query.order]
    order.append(("_row", False))
    names = [name for name, _ in order]
    by = [f"{name} {'DESC' if down else 'ASC'}" for name, down in order]
    first = _first(table, query, order, ", ".join(by))
    rows: list[Any] = connection.execute(
        f"WITH first AS ({first.text} ORDER BY {', '.join(by)} LIMIT ?) "
        f"SELECT document, id, {', '.join(f'first.{name}' for name in names)} "
        f"FROM first CROSS JOIN {table.name} AS found ON found._row = first._row "
        f"ORDER BY {', '.join(f'first.{each}' for each in by)}",
        (*first.arguments, query.limit + 1),
    ).fetchall()
    following = to_cursor(*rows[query.limit - 1][2:]) if len(rows) > query.limit else None
    return Page(readable(rows[: query.limit], lambda row: table.decode(row[0], row[1])), following)


def _first(table: Table, query: Query, order: Sequence[tuple[str, bool]], by: str) -> Sql:
    """The keys of a page, and some that are not on it. Where a column may have one of some values, each is read for itself: in the
    order of an index, and no further than a page goes."""
    beyond = _beyond(order, query.after)
    parts, arguments = [], list[Value]()
    for tests in _ways(query.where):
        where = condition(table, tests)
        parts.append(
            f"SELECT * FROM (SELECT {', '.join(name for name, _ in order)} FROM {table.name} "
            f"WHERE {where.text} AND {beyond.text} ORDER BY {by} LIMIT {query.limit + 1})"
        )
        arguments += [*where.arguments, *beyond.arguments]
    return Sql(" UNION ALL ".join(parts), tuple(arguments))


def _ways(tests: Sequence[Where]) -> list[tuple[Where, ...]]:
    """One of some values is this value, or that: every combination as tests of its own, unless they are too many."""
    choices = [
        [replace(each, test="=", value=value) for value in dict.fromkeys(each.value)]
        if each.test == "in" and isinstance(each.value, list | tuple | set | frozenset) and each.value
        else [each]
        for each in tests
    ]
    return list(product(*choices)) if prod(map(len, choices)) <= MOST_WAYS else [tuple(tests)]


def _beyond(order: Sequence[tuple[str, bool]], after: str | None) -> Sql:
    """What comes after the row that the cursor names: greater in one column, equal in all before it."""
    if after is None:
        return Sql("TRUE")
    values = from_cursor(after, len(order))
    ways, arguments = [], []
    for place, ((name, down), value) in enumerate(zip(order, values, strict=True)):
        greater = _after_value(name, down, value)
        equal = [f"{earlier} IS ?" for earlier, _ in order[:place]]
        ways.append(" AND ".join([*equal, greater]))
        arguments += [*values[:place], *([value] if "?" in greater else [])]
    return Sql(f"({' OR '.join(ways)})", tuple(arguments))


def _after_value(name: str, down: bool, value: Value) -> str:
    if value is None:
        return "FALSE" if down else f"{name} IS NOT NULL"
    return f"({name} < ? OR {name} IS NULL)" if down else f"{name} > ?"


def count(connection: apsw.Connection, table: Table, query: Query) -> int:
    where = condition(table, query.where)
    return int(
        connection.execute(f"SELECT count(*) FROM {table.name} WHERE {where.text}", where.arguments).get
    )
