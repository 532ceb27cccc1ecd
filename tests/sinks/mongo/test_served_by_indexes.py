"""What is asked for all day is read from an index: what the database looks at grows with the page, not with the company.

On the stand-in of MongoDB, which chooses indexes as MongoDB does and tells what it looked at as MongoDB's profiler does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count, islice
from typing import Any
from uuid import uuid4

import pymongo
import pytest

from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.configuration import Priority
from schemas.documents import Case
from schemas.steps import Query, SearchText, Where
from sinks.mongo.documents import find, to_fields
from sinks.mongo.driver import MongoDatabase, open_database
from sinks.mongo.entries import Selection, entry_writes, timeline
from sinks.mongo.layout import ENTRIES, SEARCH, make_indexes
from sinks.mongo.port import DocumentDatabase
from sinks.mongo.search import search, search_writes
from sinks.mongo.tally import tally
from tests.contracts.samples import case, entry, minutes, name
from tests.support.servers import server

pytestmark = [pytest.mark.server("mongo-standin"), pytest.mark.xdist_group("servers")]

COMPANY = 1_200
"""Cases, and twice as many entries."""
PAGE = 20
FEW = 8 * PAGE
"""Of so many documents at most a page may be made."""
QUEUES = [f"queue-{number}" for number in range(6)]
OPEN = tuple(map(str, (CaseState.OPEN, CaseState.SNOOZED)))
Notes = list[dict[str, Any]]
Ask = Callable[[DocumentDatabase], Awaitable[Any]]


def a_case(number: int) -> Case:
    states = (CaseState.OPEN, CaseState.OPEN, CaseState.SNOOZED, CaseState.RESOLVED)
    return case(
        str(number),
        state=states[number % 4],
        queue=QUEUES[number % 6],
        assignee=None if number % 3 else f"agent-{number % 8}",
        priority=list(Priority)[number % len(Priority)],
        updated_at=minutes(number),
        waiting_since=minutes(number) if number % 5 else None,
        due_at=minutes(number) if number % 7 else None,
    )


@pytest.fixture(scope="module")
def store() -> str:
    return f"{server('mongo-standin').url}pages_{uuid4().hex[:8]}"


@pytest.fixture
async def database(store: str) -> AsyncIterator[MongoDatabase]:
    made = open_database(store)
    if not await made.collection(CASES.name).count({}):
        await make_indexes(made)
        await fill(made)
    yield made
    await made.close()


async def fill(database: MongoDatabase) -> None:
    cases = [a_case(number) for number in range(COMPANY)]
    await database.collection(CASES.name).insert_new(
        [{"_id": str(each.id), "n": at, **to_fields(each)} for at, each in enumerate(cases)]
    )
    entries = [entry(number, str(number // 2)) for number in range(2 * COMPANY)]
    texts = [
        SearchText(
            each.id, each.case, a_case(at // 2).number, "Mara", "Invoice", f"word{at}", each.occurred_at
        )
        for at, each in enumerate(entries)
    ]
    numbers = count(1)
    for name_, writes in (
        (ENTRIES, entry_writes(entries, lambda: next(numbers))),
        (SEARCH, search_writes(texts, lambda: next(numbers))),
    ):
        await database.collection(name_).update_each(writes, upsert=True)


async def looked_at(database: MongoDatabase, store: str, ask: Ask) -> Notes:
    """What the profiler noted of all that was asked."""
    with pymongo.MongoClient[Any](store) as client:
        notes = client.get_default_database()
        before = notes["system.profile"].count_documents({})
        notes.command("profile", 2)
        try:
            await ask(database)
        finally:
            notes.command("profile", 0)
        return list(islice(notes["system.profile"].find(), before, None))


def listed(*where: Where, order: str = "waits_from", after: bool = False) -> Ask:
    """A page of a list, or the one after it."""

    async def ask(database: DocumentDatabase) -> None:
        query = Query(CASES, where, tuple(order.split()), PAGE)
        page = await find(database, query)
        assert len(page.items) == PAGE
        if after:
            following = Query(CASES, where, tuple(order.split()), PAGE, page.next)
            assert len((await find(database, following)).items) == PAGE

    return ask


IN_QUEUE, STILL_OPEN = Where("queue", "=", "queue-1"), Where("state", "in", OPEN)
PAGES: dict[str, Ask] = {
    "a queue": listed(IN_QUEUE, STILL_OPEN),
    "a queue, further on": listed(IN_QUEUE, STILL_OPEN, after=True),
    "all that is open": listed(STILL_OPEN, after=True),
    "several queues": listed(Where("queue", "in", QUEUES[:4]), STILL_OPEN, after=True),
    "nobody's": listed(Where("queue", "in", QUEUES), STILL_OPEN, Where("assignee", "null")),
    "mine": listed(Where("assignee", "=", "agent-1"), STILL_OPEN),
    "resolved, the latest first": listed(IN_QUEUE, Where("state", "=", "resolved"), order="-updated_at"),
    "a timeline": lambda database: timeline(
        database, Selection([name("case", "7")], [], None, None, ()), PAGE, None
    ),
    "a customer's": lambda database: timeline(
        database, Selection([], [name("handle", "7")], QUEUES, None, ()), PAGE, None
    ),
    "a rare word": lambda database: search(database, "word77", None, PAGE, None),
    "a number": lambda database: search(database, a_case(5).number, QUEUES, PAGE, None),
}


async def test_what_two_processes_inserted_at_one_moment_is_on_one_page(
    store: str,
) -> None:
    other = open_database(f"{store}_moment")
    try:
        cases = [case(f"moment {number}", queue="moments") for number in range(7)]
        await other.collection(CASES.name).insert_new(
            [{"_id": str(each.id), "n": at // 2, **to_fields(each)} for at, each in enumerate(cases)]
        )
        page = await find(other, Query(CASES, (), ("waits_from",), 3))
        read = [*page.items]
        while page.next:
            page = await find(other, Query(CASES, (), ("waits_from",), 3, page.next))
            read += page.items
        assert {each.id for each in read} == {each.id for each in cases}
        assert len(read) == len(cases)
    finally:
        await other.close()


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_made_of_few_documents(database: MongoDatabase, store: str, page: str) -> None:
    notes = await looked_at(database, store, PAGES[page])
    assert notes
    for note in notes:
        assert note["docsExamined"] <= FEW, (note["planSummary"], note["docsExamined"], note["command"])
        assert note["planSummary"] != "COLLSCAN", note["command"]


async def test_a_word_that_is_everywhere_is_found_without_looking_everywhere(
    database: MongoDatabase, store: str
) -> None:
    for words in ("invoice", "inv", "invoice mara"):
        notes = await looked_at(database, store, lambda asked: search(asked, words, None, PAGE, None))  # noqa: B023
        assert sum(note["docsExamined"] for note in notes) <= COMPANY / 2, words


@pytest.mark.parametrize("queues", [QUEUES, None])
async def test_counts_look_at_no_document_but_the_first_of_each_queue(
    database: MongoDatabase, store: str, queues: list[str] | None
) -> None:
    notes = await looked_at(database, store, lambda asked: tally(asked, queues, minutes(COMPANY)))
    assert sum(note["docsExamined"] for note in notes) == len(QUEUES)
