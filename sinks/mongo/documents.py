"""Documents with their declared columns: `{_id, revision, n, columns: {…}, body}`, the body as JSON text.

`n` is when it was inserted: ties in an order go by it. A document at revision 0 is not there yet: a step holds its place.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from schemas.collections import BY_DOCUMENT, COLLECTIONS
from schemas.columns import Collection
from schemas.documents import Document
from schemas.errors import Invalid, Never
from schemas.steps import Page, Query, Where
from sinks.mongo.layout import TIES
from sinks.mongo.port import NOTHING, DocumentDatabase, Fields
from sinks.mongo.values import TO_VALUE, Value, from_cursor, to_cursor
from sinks.unreadable import readable

COMPARISONS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
IS_THERE = {"revision": {"$gt": 0}}
LAYOUTS, COLUMNS = "layouts", "columns"
"""The collection and its document that say whether all documents have all columns (sinks/mongo/filling.py)."""


def to_fields(document: Document) -> Fields:
    """What is stored of a document that carries its revision. Without `_id` and `n`."""
    collection = BY_DOCUMENT[type(document)]
    return {
        "revision": document.revision,
        "columns": columns_of(collection, document),
        "body": document.__pydantic_serializer__.to_json(document).decode(),
    }


def columns_of(collection: Collection, document: Document) -> dict[str, Value]:
    return {
        name: None if (value := column.value(document)) is None else TO_VALUE[column.type](value)
        for name, column in collection.columns.items()
    }


def decode(collection: Collection, fields: Mapping[str, Any]) -> Document:
    """Raises Never when what is stored does not fit the schema."""
    try:
        return collection.document.__pydantic_validator__.validate_json(fields["body"])  # type: ignore[no-any-return]
    except (ValueError, KeyError) as error:
        raise Never(f"{collection.name}: {fields.get('_id')} fits no schema: {error}") from error


async def load_documents(
    database: DocumentDatabase, wanted: Mapping[type[Document], set[UUID]]
) -> dict[UUID, Document]:
    found: dict[UUID, Document] = {}
    for kind, ids in wanted.items():
        if ids:
            collection = BY_DOCUMENT[kind]
            rows = await database.collection(collection.name).find(
                {"_id": {"$in": [str(id) for id in ids]}}, ("revision", "body")
            )
            for row in rows:
                if row["revision"]:
                    document = decode(collection, row)
                    found[document.id] = document
    return found


async def case_numbers(database: DocumentDatabase, numbers: set[str]) -> dict[str, UUID]:
    if not numbers:
        return {}
    rows = await database.collection("cases").find(
        {"columns.number": {"$in": sorted(numbers)}, **IS_THERE}, ("columns",)
    )
    return {row["columns"]["number"]: UUID(row["_id"]) for row in rows}


def condition(collection: Collection, tests: Sequence[Where]) -> list[Fields]:
    """All tests. Raises Invalid for a column or a test that is not declared."""
    return [_test(collection, each) for each in tests]


def _test(collection: Collection, where: Where) -> Fields:
    column = _column(collection, where.column)
    if where.test == "null":
        return {column: NOTHING}
    if where.test == "set":
        return {column: {"$ne": None}}
    if where.test == "in":
        if not isinstance(where.value, list | tuple | set | frozenset):
            raise Invalid(f"{where.column}: `in` takes a list")
        return {column: {"$in": [_value(collection, where.column, each) for each in where.value]}}
    value = _value(collection, where.column, where.value)
    if where.test == "=":
        return {column: {"$eq": value}}
    if where.test not in COMPARISONS:
        raise Invalid(f"{where.test!r} is not a test; use one of =, in, <, <=, >, >=, null, set")
    return {column: {COMPARISONS[where.test]: value}}


def _column(collection: Collection, name: str) -> str:
    if name not in collection.columns:
        raise Invalid(f"{collection.name} has no column {name!r}; it has {', '.join(collection.columns)}")
    return f"columns.{name}"


def _value(collection: Collection, column: str, value: object) -> Value:
    if value is None:
        return None
    kind = collection.columns[column].type
    try:
        return TO_VALUE[kind](value)
    except (TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"{column} is a {kind.value}, not {value!r}") from error


async def find(database: DocumentDatabase, query: Query) -> Page[Document]:
    """A page of documents. Ties go by insertion; what has no value comes first going up and last going down."""
    collection = query.collection
    order = [
        (_column(collection, name.removeprefix("-")), -1 if name[0] == "-" else 1) for name in query.order
    ]
    keys = [*order, (TIES, 1)]
    clauses = [IS_THERE, *condition(collection, query.where)]
    if query.after is not None:
        clauses.append(beyond(keys, from_cursor(query.after, len(keys))))
    rows = await database.collection(collection.name).find(
        {"$and": clauses}, order=keys, limit=query.limit + 1
    )
    if len(rows) <= query.limit:
        return Page(readable(rows, lambda row: decode(collection, row)))
    places = [[_get(row, name) for name, _ in keys] for row in rows]
    end = _end(places)
    return Page(readable(rows[:end], lambda row: decode(collection, row)), to_cursor(*places[end - 1]))


def _end(places: Sequence[Sequence[Value]]) -> int:
    """Where a page ends that goes on: not between two of one place, which two processes may have inserted in one microsecond."""
    end = len(places) - 1
    while end and places[end - 1] == places[-1]:
        end -= 1
    return end or len(places) - 1


def beyond(keys: Sequence[tuple[str, int]], values: Sequence[Value]) -> Fields:
    """What comes after the document that has these values: greater in one key, equal in all before it.

    Where the first key has a value it is bounded once more, for an index to begin there.
    """
    ways = []
    for place, ((name, direction), value) in enumerate(zip(keys, values, strict=True)):
        after = _after(name, direction, value)
        if after is not None:
            equal: list[Fields] = [
                {earlier: {"$eq": known}} for (earlier, _), known in zip(keys[:place], values, strict=False)
            ]
            ways.append({"$and": [*equal, after]})
    (first, direction), value = keys[0], values[0]
    if direction > 0 and value is not None:
        return {first: {"$gte": value}, "$or": ways}
    return {"$or": ways}


def _after(name: str, direction: int, value: Value) -> Fields | None:
    if value is None:
        return {name: {"$ne": None}} if direction > 0 else None
    if direction > 0:
        return {name: {"$gt": value}}
    return {"$or": [{name: {"$lt": value}}, {name: NOTHING}]}


def _get(row: Mapping[str, Any], name: str) -> Value:
    found: Any = row
    for part in name.split("."):
        found = found.get(part)
    return found  # type: ignore[no-any-return]


async def count(database: DocumentDatabase, query: Query) -> int:
    clauses = [IS_THERE, *condition(query.collection, query.where)]
    return await database.collection(query.collection.name).count({"$and": clauses})


async def is_settled(database: DocumentDatabase) -> bool:
    """Every document has every column; else what an older version wrote is being filled."""
    found = await database.collection(LAYOUTS).find({"_id": COLUMNS})
    return bool(found and found[0]["is_settled"])


async def document_faults(database: DocumentDatabase, at_once: int = 1000) -> AsyncIterator[str]:
    """Documents that are not what their columns say. One may lack some while they are being filled."""
    may_lack = not await is_settled(database)
    for collection in COLLECTIONS:
        rows_after = ""
        while rows := await database.collection(collection.name).find(
            {"_id": {"$gt": rows_after}, **IS_THERE}, order=(("_id", 1),), limit=at_once
        ):
            rows_after = rows[-1]["_id"]
            for fault in _faults(collection, rows, may_lack):
                yield fault


def _faults(collection: Collection, rows: Iterable[Fields], may_lack: bool) -> Iterable[str]:
    for row in rows:
        try:
            document = decode(collection, row)
        except Never as error:
            yield str(error)
            continue
        expected = columns_of(collection, document)
        said = {name: value for name, value in row["columns"].items() if name in expected}
        if may_lack:
            expected = {name: value for name, value in expected.items() if name in said}
        if (row["_id"], row["revision"], said) != (str(document.id), document.revision, expected):
            yield f"{collection.name}: {document.id} is not what its columns say"
