"""Two versions with different columns on one store: what the older one wrote is found by the newer one's columns, in time."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from schemas.collections import HANDLES
from schemas.columns import Collection
from schemas.documents import Handle
from schemas.ids import derive
from sinks.mongo.documents import columns_of, document_faults, is_settled, to_fields
from sinks.mongo.driver import MongoDatabase, open_database
from sinks.mongo.filling import AGAIN_MICROS, SETTLED_MICROS, Filling
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("nx-27017"),
    pytest.mark.server("ferretdb"),
    pytest.mark.server("mongo-standin"),
    pytest.mark.xdist_group("servers"),
]
OLDER = replace(HANDLES, columns={name: each for name, each in HANDLES.columns.items() if name != "domain"})


class Now:
    micros = AGAIN_MICROS

    def __call__(self) -> int:
        return self.micros


@pytest.fixture(params=["nx-27017", "ferretdb", "mongo-standin"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[MongoDatabase]:
    made = open_database(f"{server(request.param).url}filling_{uuid4().hex[:10]}")
    await made.ping()
    yield made
    await made.close()


async def write(database: MongoDatabase, number: int, by: Collection = HANDLES) -> None:
    handle = Handle(
        id=derive("handle", str(number)),
        revision=1,
        scheme="email",
        value=f"ann@a{number}.example",
        first_seen_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    fields = {**to_fields(handle), "columns": columns_of(by, handle), "n": number}
    await database.collection("handles").insert_new([{"_id": str(handle.id), **fields}])


async def domains(database: MongoDatabase) -> set[str]:
    return {
        name
        for name in (f"a{number}.example" for number in range(1, 5))
        if await database.collection("handles").find({"columns.domain": name}, ("_id",))
    }


async def test_what_an_older_version_wrote_is_filled_until_none_can_be_left(database: MongoDatabase) -> None:
    now = Now()
    older, newer = Filling(database, now, [OLDER]), Filling(database, now, [HANDLES])
    await older.begin()
    assert await is_settled(database), "a new store lacks nothing"
    await write(database, 1, OLDER)
    await newer.begin()
    assert not await is_settled(database)
    assert await newer.look() == 1
    await write(database, 2, OLDER)
    await write(database, 3)
    assert await newer.look() == 0, "not so soon again"
    assert [each async for each in document_faults(database)] == [], "they are being filled"
    now.micros += AGAIN_MICROS
    assert (await newer.look(), await newer.look()) == (1, 0), "one process does it"
    assert await domains(database) == {"a1.example", "a2.example", "a3.example"}
    now.micros += SETTLED_MICROS
    await write(database, 4, OLDER)
    assert await newer.look() == 1
    assert not await is_settled(database), "an older process is still there"
    now.micros += AGAIN_MICROS
    assert await newer.look() == 0
    assert await is_settled(database)
    await newer.begin()
    assert await is_settled(database)
    assert [each async for each in document_faults(database)] == []
    await older.begin()
    assert not await is_settled(database), "who goes back makes it due again"


async def test_a_column_that_lacks_when_all_is_settled_is_a_fault(database: MongoDatabase) -> None:
    await Filling(database, Now()).begin()
    await write(database, 1, OLDER)
    (fault,) = [each async for each in document_faults(database)]
    assert "is not what its columns say" in fault
