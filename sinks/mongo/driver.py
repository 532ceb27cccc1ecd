"""The one module that knows a MongoDB driver: motor, or PyMongo's own asynchronous client, by a switch.

    mongodb://host:27017/hubbub                      motor
    mongodb://host:27017/hubbub?driver=pymongo       pymongo.AsyncMongoClient

All other options of the address are the driver's own. Writes are acknowledged by a majority and journalled.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pymongo
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import CorruptGridFile, NoFile
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from schemas.errors import Invalid, Outage
from sinks.mongo.port import Fields, Filter, Order

DRIVERS = ("motor", "pymongo")
DUPLICATE_KEY = 11000
SELECTION_MILLISECONDS = 5_000
SOCKET_MILLISECONDS = 20_000
INSERTS_A_REQUEST = 1000
UPDATES_A_REQUEST = 40
"""FerretDB 1.24 on SQLite keeps a connection of its pool of 50 for each update of a request, and stands still for ever when
there are more. And so a very slow server still answers within the time of a socket."""
FILES = "blob_files"


@contextmanager
def outages() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code in {13, 18}:
            raise Outage(f"mongodb: the hub's user may not do that: {error.details}") from error
        raise Outage(f"mongodb: the server refused: {error}"[:500]) from error
    except PyMongoError as error:
        raise Outage(f"mongodb: {type(error).__name__}: {error}"[:500]) from error


class MongoCollection:
    """Implements sinks.mongo.port.DocumentCollection on a collection of either driver."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    async def find(
        self, filter: Filter, fields: Sequence[str] = (), order: Order = (), limit: int = 0
    ) -> list[Fields]:
        with outages():
            cursor = self._collection.find(filter, dict.fromkeys(fields, 1) or None)
            if order:
                cursor = cursor.sort(list(order))
            if limit:
                cursor = cursor.limit(limit)
            found: list[Fields] = await cursor.to_list(None)
            return found

    async def insert_new(self, documents: Sequence[Fields]) -> set[str]:
        there: set[str] = set()
        for first in range(0, len(documents), INSERTS_A_REQUEST):
            part = documents[first : first + INSERTS_A_REQUEST]
            with outages():
                try:
                    await self._collection.insert_many(part, ordered=False)
                except BulkWriteError as error:
                    there |= {part[each["index"]]["_id"] for each in _duplicates(error)}
        return there

    async def update_each(self, changes: Sequence[tuple[Filter, Fields]], upsert: bool = False) -> int:
        found = 0
        for first in range(0, len(changes), UPDATES_A_REQUEST):
            part = changes[first : first + UPDATES_A_REQUEST]
            with outages():
                found += await (self._one(*part[0], upsert) if len(part) == 1 else self._many(part, upsert))
        return found

    async def _one(self, filter: Filter, change: Fields, upsert: bool) -> int:
        try:
            result = await self._collection.update_one(filter, change, upsert=upsert)
        except DuplicateKeyError:
            return 0
        return int(result.matched_count) + (result.upserted_id is not None)

    async def _many(self, changes: Sequence[tuple[Filter, Fields]], upsert: bool) -> int:
        requests = [pymongo.UpdateOne(filter, change, upsert=upsert) for filter, change in changes]
        try:
            result = (await self._collection.bulk_write(requests, ordered=False)).bulk_api_result
        except BulkWriteError as error:
            _duplicates(error)
            result = error.details
        return int(result["nMatched"]) + int(result["nUpserted"])

    async def update_all(self, filter: Filter, change: Fields) -> int:
        with outages():
            return int((await self._collection.update_many(filter, change)).matched_count)

    async def delete_all(self, filter: Filter) -> int:
        with outages():
            return int((await self._collection.delete_many(filter)).deleted_count)

    async def count(self, filter: Filter) -> int:
        with outages():
            return int(await self._collection.count_documents(filter))


def _duplicates(error: BulkWriteError) -> list[Any]:
    """The errors of a bulk write, if all of them say that a key was there; else raises it."""
    errors: list[Any] = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors") or any(each["code"] != DUPLICATE_KEY for each in errors):
        raise error
    return errors


class MongoDatabase:
    """Implements sinks.mongo.port.DocumentDatabase. Made by `open_database`."""

    def __init__(self, client: Any, database: Any, bucket: Callable[[], Any]) -> None:
        self._client = client
        self._database = database
        self._bucket = bucket

    def collection(self, name: str) -> MongoCollection:
        return MongoCollection(self._database[name])

    async def make_index(self, collection: str, fields: Order) -> None:
        with outages():
            await self._database[collection].create_index(list(fields))

    async def put_file(self, name: str, content: bytes) -> None:
        """Two who put the same at once leave two files of one name, which are the same."""
        files = self.collection(f"{FILES}.files")
        if await files.find({"filename": name, "length": len(content)}, ("_id",), limit=1):
            return
        with outages():
            await self._bucket().upload_from_stream(name, content)

    async def get_file(self, name: str) -> bytes | None:
        with outages():
            try:
                stream = await self._bucket().open_download_stream_by_name(name)
                content: bytes = await stream.read()
            except NoFile:
                return None
            except CorruptGridFile:
                return b""
            return content

    async def ping(self) -> None:
        with outages():
            await self._database.command("ping")

    async def close(self) -> None:
        closing = self._client.close()
        if inspect.isawaitable(closing):
            await closing


def open_database(url: str) -> MongoDatabase:
    """Nothing is connected yet. Raises Invalid for an address that cannot be read."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    driver = options.pop("driver", DRIVERS[0])
    name = parts.path.strip("/")
    if driver not in DRIVERS:
        raise Invalid(f"there is no driver {driver!r}", {"store": f"driver is one of {', '.join(DRIVERS)}"})
    if not name or "/" in name or "." in name or " " in name:
        raise Invalid("the address names no database", {"store": "write mongodb://host:27017/hubbub"})
    address = urlunsplit(parts._replace(query=urlencode(options)))
    settings = {
        "w": "majority",
        "journal": True,
        "appname": "hubbub",
        "serverSelectionTimeoutMS": SELECTION_MILLISECONDS,
        "socketTimeoutMS": SOCKET_MILLISECONDS,
        "uuidRepresentation": "standard",
    }
    settings = {name: value for name, value in settings.items() if name not in options}
    try:
        return _motor(address, name, settings) if driver == "motor" else _pymongo(address, name, settings)
    except (ConfigurationError, InvalidURI, ValueError) as error:
        raise Invalid(f"the address of the store cannot be used: {error}", {"store": str(error)}) from error


def _motor(address: str, name: str, settings: dict[str, Any]) -> MongoDatabase:
    client: Any = AsyncIOMotorClient(address, **settings)
    database = client[name]
    return MongoDatabase(client, database, lambda: AsyncIOMotorGridFSBucket(database, bucket_name=FILES))


def _pymongo(address: str, name: str, settings: dict[str, Any]) -> MongoDatabase:
    client: Any = pymongo.AsyncMongoClient(address, **settings)
    database = client[name]
    return MongoDatabase(client, database, lambda: AsyncGridFSBucket(database, bucket_name=FILES))
