"""An older file becomes a file of today, wholly or not at all."""

from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from schemas.collections import CASES, COLLECTIONS
from schemas.columns import Collection, Column, ColumnType
from schemas.documents import Case
from schemas.steps import Query, Step, Where
from sinks.sqlite import queries
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine
from sinks.sqlite.schema import MIGRATIONS, migrate
from sinks.sqlite.tables import Table
from tests.contracts.samples import NOON, case


def with_cases(changed: Collection) -> list[Collection]:
    return [changed if each.name == "cases" else each for each in COLLECTIONS]


LANGUAGE = Column(ColumnType.TEXT, lambda case: case.language)
WIDER = replace(
    CASES, columns={**CASES.columns, "language": LANGUAGE}, indexes=(*CASES.indexes, ("language",))
)
NARROWER = replace(CASES, columns={"number": CASES.columns["number"]}, indexes=(("number",),))


@pytest.fixture
async def connection(engine: SqliteEngine, folder: Path) -> apsw.Connection:
    """A closed engine's file with three cases."""
    cases = [case("a", language="de"), case("b", language="en"), case("c", language="de")]
    await engine.commit(Step(documents=[(each, 0) for each in cases]))
    await engine.close()
    return apsw.Connection(str(folder / FILE))


def found(connection: apsw.Connection, collection: Collection, *tests: Where) -> list[str]:
    page = queries.find(connection, Table(collection), Query(collection, tests))
    return [each.conversation.removeprefix("thread-") for each in page.items if isinstance(each, Case)]


def indexes(connection: apsw.Connection) -> set[str]:
    return {str(row[1]) for row in connection.execute("PRAGMA index_list(cases)") if row[3] == "c"}


def test_a_new_column_is_filled_from_the_documents(connection: apsw.Connection) -> None:
    migrate(connection, with_cases(WIDER))
    assert found(connection, WIDER, Where("language", "=", "de")) == ["a", "c"]
    assert "cases_by_language" in indexes(connection)
    connection.close()


def test_columns_and_indexes_that_are_declared_no_more_go(connection: apsw.Connection) -> None:
    migrate(connection, with_cases(NARROWER))
    assert indexes(connection) == {"cases_by_number"}
    migrate(connection, COLLECTIONS)
    assert found(connection, CASES, Where("waiting_since", "=", NOON)) == ["a", "b", "c"]
    assert len(indexes(connection)) == len(CASES.indexes)
    connection.close()


def test_what_was_not_declared_anew_is_not_touched(connection: apsw.Connection) -> None:
    before = connection.execute("SELECT * FROM meta").fetchall(), connection.pragma("schema_version")
    migrate(connection, COLLECTIONS)
    assert (
        connection.execute("SELECT * FROM meta").fetchall(),
        connection.pragma("schema_version"),
    ) == before
    assert connection.pragma("user_version") == len(MIGRATIONS)
    connection.close()


def test_a_migration_that_fails_changes_nothing(connection: apsw.Connection) -> None:
    before = connection.execute("SELECT * FROM meta").fetchall()
    with pytest.raises(apsw.ConstraintError):
        migrate(connection, with_cases(replace(WIDER, unique=("queue",))))
    assert connection.execute("SELECT * FROM meta").fetchall() == before
    assert connection.execute("SELECT count(*) FROM cases").get == 3
    connection.close()


def test_a_document_that_fits_no_schema_is_kept_with_the_columns_that_it_had(
    connection: apsw.Connection,
) -> None:
    connection.execute("UPDATE cases SET document = x'7b7d' WHERE _row = 2")
    migrate(connection, with_cases(WIDER))
    assert found(connection, WIDER, Where("language", "=", "de")) == ["a", "c"]
    kept = connection.execute("SELECT queue, language, document FROM cases WHERE _row = 2").fetchone()
    assert kept == ("orders", None, b"{}")
    connection.close()
