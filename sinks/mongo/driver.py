"""The one module that knows a MongoDB driver: motor, or PyMongo's own asynchronous client, by a switch.

    mongodb://host:27017/hubbub                      motor
    mongodb://host:27017/hubbub?driver=pymongo       pymongo.AsyncMongoClient

All other options of the address are the driver's own; TLS and the user may stand in the settings instead. Writes are acknowledged by a majority and journalled.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pymongo
from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from schemas.errors import Invalid, Outage, Unreachable
from sinks.mongo.port import Fields, Filter, Order
from sinks.mongo.settings import MongoSettings
from sinks.tls import client_context

DRIVERS = ("motor", "pymongo")
DUPLICATE_KEY = 11000
SELECTION_MILLISECONDS = 5_000
SOCKET_MILLISECONDS = 20_000
INSERTS_A_REQUEST = 1000
UPDATES_A_REQUEST = 500
"""So a slow server still answers within the time of a socket."""
UPDATES_A_REQUEST_OF_FERRETDB = 40
"""FerretDB 1.24 on SQLite keeps a connection of its pool of 50 for each update of a request, and stands still for ever when
there are more. What is not known yet counts as one."""
FERRETDB = "ferretdbVersion"
FILES = "blob_files"
PIECES_A_REQUEST = 32
"""Of 255 KiB each."""
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
NOT_YET_OR_NO_LONGER = frozenset({6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436})
"""What a server says while it starts, stops or loses its part as the primary: the codes of "state change" and network errors,
https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/server-discovery-and-monitoring.md"""
HUNG_UP = (
    "connection closed",
    "connection is closed",
    "connection is already closed",
    "reset by peer",
    "broken pipe",
    "eof",
)
"""What the drivers and the system say of it, in small letters."""
AS_THE_ADDRESS_SAYS = MongoSettings()


@contextmanager
def outages() -> Iterator[None]:
    """Turns errors of the driver into Outage; Unreachable where waiting may be all that it takes."""
    try:
        yield
    except OperationFailure as error:
        kind = Unreachable if error.code in NOT_YET_OR_NO_LONGER else Outage
        raise kind(_refused(error)[:500]) from error
    except (PyMongoError, OSError) as error:
        raise _not_reached(error) from error


def _refused(error: OperationFailure) -> str:
    if error.code == AUTHENTICATION_FAILED:
        return (
            "mongodb: the server does not know the user or refuses the password; set mongodb.user, mongodb.password and "
            "mongodb.authentication_database as the user was made"
        )
    if error.code == UNAUTHORIZED:
        said = (error.details or {}).get("errmsg", "")
        return (
            "mongodb: the server lets nobody do that without a user, or not this one; set mongodb.user, and give it the role "
            f"readWrite on the database of `store` ({said})"
        )
    return f"mongodb: the server refused: {error}"


def _not_reached(error: PyMongoError | OSError) -> Outage:
    """A server that hangs up may be one that starts, as well as one that is spoken to in the wrong way: it is waited for, and told why."""
    said = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        reason = said.partition("certificate verify failed: ")[2].partition(" (")[0] or "it is not known"
        return Outage(
            f"mongodb: the server's certificate is not believed ({reason}); set mongodb.tls.certificate_authorities to the "
            "authority that signed it, or write the name that it is for in `store`"
        )
    hangs_up = any(each in said.lower() for each in HUNG_UP)
    if "SSL handshake failed" in said or "[SSL" in said:
        kind = Outage if "[SSL" in said and not hangs_up else Unreachable
        return kind(
            f"mongodb: TLS fails; does the server speak it, and does it ask for mongodb.tls.certificate? {said}"[
                :500
            ]
        )
    if not isinstance(error, ConnectionFailure | OSError):
        return Outage(f"mongodb: {type(error).__name__}: {said}"[:500])
    if hangs_up:
        return Unreachable(f"mongodb: the server hangs up; does it want mongodb.tls? {said}"[:500])
    return Unreachable(f"mongodb: {type(error).__name__}: {said}"[:500])


class MongoCollection:
    """Implements sinks.mongo.port.DocumentCollection on a collection of either driver."""

    def __init__(self, collection: Any, updates_a_request: int) -> None:
        self._collection = collection
        self._at_once = updates_a_request

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
        for first in range(0, len(changes), self._at_once):
            part = changes[first : first + self._at_once]
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

    async def count_each(self, filter: Filter, field: str) -> dict[Any, int]:
        """The one aggregation there is: all servers know it (FerretDB's $group knows $sum, and neither $min nor $max)."""
        grouped = [{"$match": filter}, {"$group": {"_id": f"${field}", "count": {"$sum": 1}}}]
        with outages():
            cursor = self._collection.aggregate(grouped)
            if inspect.isawaitable(cursor):
                cursor = await cursor
            return {each["_id"]: int(each["count"]) for each in await cursor.to_list(None)}


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
        self._collections: dict[str, MongoCollection] = {}
        self._updates_a_request = UPDATES_A_REQUEST_OF_FERRETDB

    def collection(self, name: str) -> MongoCollection:
        found = self._collections.get(name)
        if found is None:
            made = MongoCollection(self._database[name], self._updates_a_request)
            found = self._collections[name] = made
        return found

    async def make_index(self, collection: str, fields: Order) -> None:
        with outages():
            await self._database[collection].create_index(list(fields))

    async def indexes(self, collection: str) -> list[list[tuple[str, int]]]:
        """Those that are there, without the one that each collection has by itself."""
        with outages():
            found = await self._database[collection].index_information()
        return [
            [(field, int(direction)) for field, direction in each["key"]]
            for name, each in found.items()
            if name != "_id_"
        ]

    async def put_file(self, name: str, content: bytes) -> None:
        """Two who put the same at once leave two files of one name, which are the same."""
        files = self.collection(f"{FILES}.files")
        if await files.find({"filename": name, "length": len(content)}, ("_id",), limit=1):
            return
        with outages():
            await self._bucket().upload_from_stream(name, content)

    async def get_file(self, name: str) -> bytes | None:
        """A few pieces a request: not every server bounds its answers, and the drivers take none above 48 MB."""
        newest = await self.collection(f"{FILES}.files").find(
            {"filename": name}, ("length", "chunkSize"), (("uploadDate", -1),), 1
        )
        if not newest:
            return None
        pieces = self.collection(f"{FILES}.chunks")
        content = bytearray()
        for first in range(0, -(-newest[0]["length"] // newest[0]["chunkSize"]), PIECES_A_REQUEST):
            those = {"files_id": newest[0]["_id"], "n": {"$gte": first, "$lt": first + PIECES_A_REQUEST}}
            for each in await pieces.find(those, ("n", "data"), (("n", 1),)):
                content += each["data"]
        return bytes(content)

    async def remove_file(self, name: str) -> None:
        for each in await self.collection(f"{FILES}.files").find({"filename": name}, ("_id",)):
            with outages(), contextlib.suppress(NoFile):
                await self._bucket().delete(each["_id"])

    async def ping(self) -> None:
        """The first time it also learns what the server is."""
        with outages():
            if self._updates_a_request == UPDATES_A_REQUEST:
                await self._database.command("ping")
                return
            built = await self._database.command("buildInfo")
        if FERRETDB not in built:
            self._updates_a_request = UPDATES_A_REQUEST
            self._collections.clear()

    async def close(self) -> None:
        closing = self._client.close()
        if inspect.isawaitable(closing):
            await closing


def open_database(url: str, access: MongoSettings = AS_THE_ADDRESS_SAYS) -> MongoDatabase:
    """Nothing is connected yet. Raises Invalid for an address or a file of `access` that cannot be used."""
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
    settings = {name: value for name, value in settings.items() if name not in options} | _access(access)
    try:
        return _motor(address, name, settings) if driver == "motor" else _pymongo(address, name, settings)
    except (ConfigurationError, InvalidURI, ValueError) as error:
        raise Invalid(f"the address of the store cannot be used: {error}", {"store": str(error)}) from error


def _access(access: MongoSettings) -> dict[str, Any]:
    """https://www.mongodb.com/docs/languages/python/pymongo-driver/current/connect/connection-options/"""
    options: dict[str, Any] = {}
    if access.user is not None and access.password is not None:
        options |= {
            "username": access.user,
            "password": access.password.get_secret_value(),
            "authSource": access.authentication_database,
            "authMechanism": access.mechanism,
        }
    if access.tls is not None:
        client_context(access.tls, "mongodb.tls")  # its files can be used, or we say which cannot
        options["tls"] = True
        if access.tls.certificate_authorities is not None:
            options["tlsCAFile"] = str(access.tls.certificate_authorities)
        if access.tls.certificate is not None:
            options["tlsCertificateKeyFile"] = str(access.tls.certificate)
        if access.tls.key_password is not None:
            options["tlsCertificateKeyFilePassword"] = access.tls.key_password.get_secret_value()
    return options


def _motor(address: str, name: str, settings: dict[str, Any]) -> MongoDatabase:
    client: Any = AsyncIOMotorClient(address, **settings)
    database = client[name]
    return MongoDatabase(client, database, lambda: AsyncIOMotorGridFSBucket(database, bucket_name=FILES))


def _pymongo(address: str, name: str, settings: dict[str, Any]) -> MongoDatabase:
    client: Any = pymongo.AsyncMongoClient(address, **settings)
    database = client[name]
    return MongoDatabase(client, database, lambda: AsyncGridFSBucket(database, bucket_name=FILES))
