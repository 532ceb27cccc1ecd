"""Indexes on a real server: declared in one place, told before they are made, made once.

nx-27017 0.8 makes them and does not tell the direction of their fields, so it cannot be asked.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from sinks.mongo.driver import MongoDatabase, open_database
from sinks.mongo.indexing import Change, PlannedIndex, apply, plan
from sinks.mongo.layout import indexes
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("ferretdb"),
    pytest.mark.server("mongo-standin"),
    pytest.mark.xdist_group("servers"),
]


@pytest.fixture(params=[("ferretdb", "motor"), ("ferretdb", "pymongo"), ("mongo-standin", "motor")])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[MongoDatabase]:
    name, driver = request.param
    made = open_database(f"{server(name).url}indexes_{uuid4().hex[:10]}?driver={driver}")
    yield made
    await made.close()


async def test_an_empty_store_needs_all_that_are_declared_and_then_none(database: MongoDatabase) -> None:
    planned = await plan(database)
    assert len(planned) == sum(map(len, indexes().values()))
    told: list[PlannedIndex] = []
    await apply(database, planned, told.append)
    assert told == planned
    assert await plan(database) == []


async def test_one_that_nothing_declares_is_told_and_left(database: MongoDatabase) -> None:
    await apply(database, await plan(database))
    await database.make_index("cases", (("columns.colour", 1),))
    (unknown,) = await plan(database)
    assert (unknown.change, unknown.what) == (Change.UNKNOWN, "columns.colour")
    await apply(database, [unknown])
    assert await plan(database) == [unknown]
