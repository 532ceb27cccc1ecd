"""The stand-in of MongoDB answers the same whether an index helps or not, in MongoDB's order, and refuses what it does not know."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from bson import Int64, MaxKey, MinKey, ObjectId
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.support.servers import server

pytestmark = [pytest.mark.server("mongo-standin"), pytest.mark.xdist_group("servers")]

IN_ORDER: list[Any] = [
    MinKey(), None, float("-inf"), -(2**63), -(2**53) - 1, -1.5, -1, 0, 1, 1.5, 2, 2**53, 2**53 + 1, 2**63 - 1, float("inf"),
    "", "\x00", "\x00a", "a", "a\x00", "a\x00b", "a\x01", "aa", "ä", "\U0010ffff", {}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": "x"}, {"a": "x", "b": 0},
    b"", b"a", b"b", b"aa", ObjectId("0" * 24), ObjectId("f" * 24), False, True,
    datetime(1969, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), MaxKey(),
]  # fmt: skip
"""https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/"""
INDEXES = (
    (("a", 1), ("b", -1), ("n", 1)),
    (("a", -1), ("n", 1)),
    (("b", 1), ("a", 1), ("c.d", -1), ("n", 1)),
    (("many", 1), ("n", -1)),
    (("n", -1),),
)


@pytest.fixture
def collection() -> Iterator[Collection[dict[str, Any]]]:
    with pymongo.MongoClient[dict[str, Any]](server("mongo-standin").url, tz_aware=True) as client:
        yield client[f"standin_{uuid4().hex[:8]}"]["things"]


@pytest.mark.parametrize("direction", [None, 1, -1])
def test_values_of_all_kinds_are_in_the_order_of_mongodb(
    collection: Collection[dict[str, Any]], direction: int | None
) -> None:
    places = list(range(len(IN_ORDER)))
    random.Random(7).shuffle(places)
    values = [Int64(each) if type(each) is int else each for each in IN_ORDER]
    collection.insert_many([{"_id": place, "value": values[place]} for place in places])
    if direction is not None:
        collection.create_index([("value", direction)])
    for wanted in (1, -1):
        found = [each["_id"] for each in collection.find().sort("value", wanted)]
        assert found == sorted(places, reverse=wanted < 0)


def test_what_is_found_is_the_same_with_indexes_and_without(collection: Collection[dict[str, Any]]) -> None:
    chosen = random.Random(11)
    plain = collection.database["plain"]
    for fields in INDEXES:
        collection.create_index(list(fields))
    documents = [a_document(chosen, number) for number in range(400)]
    for each in (collection, plain):
        each.insert_many(documents)
    for _ in range(300):
        wanted, order = a_filter(chosen), an_order(chosen)
        limit = chosen.choice([0, 3])
        found = [list(each.find(wanted).sort(order).limit(limit)) for each in (collection, plain)]
        assert found[0] == found[1], (wanted, order, limit)
        assert collection.count_documents(wanted) == plain.count_documents(wanted), wanted
    for _ in range(60):  # indexes follow what is changed and removed
        wanted = a_filter(chosen)
        change = {"$set": {"a": chosen.randrange(5), "many": ["x", "y"]}, "$unset": {"b": ""}}
        counts = [each.update_many(wanted, change).modified_count for each in (collection, plain)]
        assert counts[0] == counts[1]
        gone = {"n": {"$gte": chosen.randrange(300, 400)}, "a": chosen.randrange(5), "b": {"$eq": None}}
        assert collection.delete_many(gone).deleted_count == plain.delete_many(gone).deleted_count
    assert list(collection.find().sort("n")) == list(plain.find().sort("n"))
    for wanted in ({"a": 3}, {"many": "x"}, {"b": {"$ne": None}}):
        assert collection.count_documents(wanted) == plain.count_documents(wanted)


def a_document(chosen: random.Random, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {"_id": number, "n": number, "a": chosen.randrange(5)}
    if chosen.random() < 0.7:
        made["b"] = chosen.choice([None, "x", "y", 1, 2.5])
    if chosen.random() < 0.8:
        made["c"] = {"d": chosen.choice([None, 1, 2, "x"])}
    made["many"] = chosen.sample(["x", "xy", "y", "z", 1], chosen.randrange(4))
    return made


def a_filter(chosen: random.Random) -> dict[str, Any]:
    tests: list[dict[str, Any]] = [
        {"a": chosen.randrange(5)},
        {"a": {"$in": [0, 3, chosen.randrange(5)]}},
        {"a": {"$gte": chosen.randrange(5)}},
        {"b": {"$eq": None}},
        {"b": {"$ne": None}},
        {"b": {"$gt": chosen.choice(["", 1])}},
        {"c.d": {"$lte": chosen.choice([1, "x"])}},
        {"many": chosen.choice(["x", "y"])},
        {"many": {"$elemMatch": {"$gte": "x", "$lt": "xz"}}},
        {"n": {"$gte": chosen.randrange(400)}},
        {"n": {"$lt": chosen.randrange(400)}},
        {"$or": [{"a": 1, "b": "x"}, {"b": {"$gt": 1}}, {"$and": [{"a": 2}, {"n": {"$gt": 100}}]}]},
    ]
    return {"$and": chosen.sample(tests, chosen.randrange(1, 4))}


def an_order(chosen: random.Random) -> list[tuple[str, int]]:
    """Total, so that there is one right answer."""
    fields = chosen.sample(["a", "b", "c.d"], chosen.randrange(3))
    return [*((each, chosen.choice([1, -1])) for each in fields), ("n", chosen.choice([1, -1]))]


def test_a_key_that_is_there_is_told_with_its_index(collection: Collection[dict[str, Any]]) -> None:
    collection.create_index([("a", 1), ("b", -1)], unique=True)
    collection.insert_one({"a": 1, "b": "x"})
    with pytest.raises(DuplicateKeyError) as refused:
        collection.insert_one({"a": 1, "b": "x"})
    assert refused.value.details is not None
    assert refused.value.details["keyPattern"] == {"a": 1, "b": -1}
    assert refused.value.details["keyValue"] == {"a": 1, "b": "x"}
    assert collection.count_documents({}) == 1


def test_of_many_who_change_what_they_saw_one_wins(collection: Collection[dict[str, Any]]) -> None:
    collection.insert_one({"_id": 1, "revision": 0})
    won: list[int] = []
    ready = Barrier(4)

    def change() -> None:
        ready.wait()
        for revision in range(50):
            free = {"_id": 1, "revision": revision}
            change = collection.update_one(free, {"$set": {"revision": revision + 1}})
            won.extend([revision] * change.modified_count)

    threads = [Thread(target=change) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(won) == list(range(len(won)))
    found = collection.find_one({"_id": 1})
    assert found is not None
    assert found["revision"] == len(won)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (lambda things: things.find_one({"a": {"$regex": "x"}}), "regex"),
        (lambda things: things.find_one({"$where": "1"}), r"\$where"),
        (lambda things: things.find_one({"a.0": 1}), "a.0"),
        (lambda things: things.find_one({}, {"a.b": 1}), "a.b"),
        (lambda things: list(things.find().hint("a_1")), "hint"),
        (lambda things: list(things.aggregate([{"$lookup": {}}])), r"\$lookup"),
        (lambda things: list(things.aggregate([{"$group": {"_id": 1, "n": {"$max": "$a"}}}])), "group"),
        (lambda things: things.update_one({}, {"$inc": {"a": 1}}), r"\$inc"),
        (lambda things: things.update_one({}, {"$set": {"a.b": 1}}), "a.b"),
        (lambda things: things.create_index([("a", "text")]), "index"),
        (lambda things: things.create_index("a", expireAfterSeconds=1), "expireAfterSeconds"),
        (lambda things: things.database.command("mapReduce", "things"), "mapReduce"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(
    collection: Collection[dict[str, Any]], asked: Any, named: str
) -> None:
    collection.insert_one({"a": 1})
    with pytest.raises(OperationFailure, match=named):
        asked(collection)
