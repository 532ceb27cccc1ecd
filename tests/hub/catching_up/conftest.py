"""A plain client of the database, as mongodump has one."""

from collections.abc import Iterator
from typing import Any

import pymongo
import pytest

from tests.support.servers import server


@pytest.fixture
def client() -> Iterator[pymongo.MongoClient[Any]]:
    with pymongo.MongoClient[Any](server("nx-27017").url) as connected:
        yield connected
