"""Large blobs in GridFS on real servers, read in pieces: nx-27017 puts all that is asked for into one answer, however large."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from sinks.mongo.driver import FILES, MongoDatabase, open_database
from tests.support.servers import server

LARGEST_ANSWER_BYTES = 48_000_000
"""Of which a server tells that it takes them; the drivers take no more from it, either."""
pytestmark = pytest.mark.xdist_group("servers")


@asynccontextmanager
async def database(name: str, driver: str = "motor") -> AsyncIterator[MongoDatabase]:
    made = open_database(f"{server(name).url}files_{uuid4().hex[:10]}?driver={driver}")
    yield made
    await made.close()


@pytest.mark.server("nx-27017")
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_file_is_read_that_is_larger_than_an_answer_may_be(driver: str) -> None:
    async with database("nx-27017", driver) as store:
        content = uuid4().bytes * (LARGEST_ANSWER_BYTES // 16 + 100_000)
        await store.put_file("large", content)
        await store.put_file("other", b"other")
        assert await store.get_file("large") == content
        assert await store.get_file("other") == b"other"
        assert await store.get_file("none") is None
        await store.remove_file("large")
        assert await store.get_file("large") is None


@pytest.mark.server("ferretdb")
async def test_a_file_that_lost_a_piece_is_not_what_was_put() -> None:
    async with database("ferretdb") as store:  # nx-27017 keeps pieces where they cannot be taken away
        await store.put_file("torn", b"x" * 600_000)
        assert await store.collection(f"{FILES}.chunks").delete_all({"n": 1}) == 1
        assert await store.get_file("torn") == b"x" * (600_000 - 255 * 1024)
