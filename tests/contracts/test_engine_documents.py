"""What every engine does with documents and counts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.collections import CASES
from schemas.documents import Case, Document
from schemas.errors import Conflict, Invalid
from schemas.ports import Engine
from schemas.steps import Query, QueueCount, References, Step, Where
from tests.contracts.conftest import Reopen
from tests.contracts.samples import NOON, case, entry, minutes, name


async def load(engine: Engine, *labels: str) -> list[Document]:
    wanted = [name("case", label) for label in labels]
    found = await engine.load(References(documents={Case: set(wanted)}))
    return [found.documents[id] for id in wanted if id in found.documents]


async def test_a_document_is_loaded_at_the_revision_it_carries(engine: Engine, reopen: Reopen) -> None:
    await engine.commit(Step(documents=[(case("one", revision=4), 0)]))
    engine = await reopen()
    assert await load(engine, "one", "absent") == [case("one", revision=4)]


async def test_a_revision_that_is_not_above_becomes_the_next(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one", revision=0), 0)]))
    await engine.commit(Step(documents=[(case("one", revision=1, subject="second"), 1)]))
    assert await load(engine, "one") == [case("one", revision=2, subject="second")]


async def test_a_document_is_written_only_at_the_revision_it_was_decided_on(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one", revision=3), 0)]))
    for expected in (0, 2, 4):
        with pytest.raises(Conflict, match="is at revision 3"):
            await engine.commit(Step(documents=[(case("one", revision=9), expected)]))
    with pytest.raises(Conflict, match="is at revision 0"):
        await engine.commit(Step(documents=[(case("two", revision=9), 1)]))


async def test_a_step_may_write_a_document_twice_in_a_row(engine: Engine) -> None:
    await engine.commit(
        Step(documents=[(case("one", revision=1), 0), (case("one", revision=2, subject="later"), 1)])
    )
    assert await load(engine, "one") == [case("one", revision=2, subject="later")]


async def test_a_deleted_document_may_be_written_anew(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one"), 0)]))
    await engine.commit(Step(deletions=[(Case, case("one").id), (Case, case("absent").id)]))
    assert await load(engine, "one") == []
    await engine.commit(Step(documents=[(case("one"), 0)]))
    assert await load(engine, "one") == [case("one")]


async def test_a_case_is_found_by_its_number(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one"), 0)]))
    found = await engine.load(References(numbers={case("one").number, "00000-00000"}))
    assert found.numbers == {case("one").number: case("one").id}


async def many(engine: Engine) -> dict[str, Case]:
    cases = {
        "a": case("a", queue="orders", waiting_since=minutes(1), assignee="ada"),
        "b": case("b", queue="orders", waiting_since=None, priority="high"),
        "c": case("c", queue="billing", waiting_since=minutes(3), state="snoozed"),
        "d": case("d", queue="orders", waiting_since=minutes(1), due_at=minutes(-5)),
        "e": case("e", queue="orders", waiting_since=minutes(2), state="resolved"),
    }
    await engine.commit(Step(documents=[(each, 0) for each in cases.values()]))
    return cases


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([("queue", "=", "orders")], "abde"),
        ([("queue", "in", ("billing", "none"))], "c"),
        ([("queue", "in", ())], ""),
        ([("assignee", "null", None)], "bcde"),
        ([("assignee", "set", None)], "a"),
        ([("assignee", "=", None)], "bcde"),
        ([("waiting_since", "<=", minutes(1))], "ad"),
        ([("waiting_since", ">", minutes(1)), ("state", "=", "resolved")], "e"),
        ([("waiting_since", ">=", minutes(2)), ("waiting_since", "<", minutes(3))], "e"),
        ([("priority", "=", 1)], "b"),
        ([("handle", "=", name("handle", "d"))], "d"),
    ],
)
async def test_documents_are_found_and_counted_by_columns(
    engine: Engine, tests: Sequence[tuple[str, str, Any]], expected: str
) -> None:
    cases = await many(engine)
    query = Query(CASES, tuple(Where(*each) for each in tests))
    page = await engine.find(query)
    assert list(page.items) == [cases[label] for label in expected]
    assert await engine.count(query) == len(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), "abcde"),
        (("waiting_since",), "badec"),
        (("-waiting_since",), "ceadb"),
        (("queue", "-waiting_since"), "ceadb"),
        (("-queue", "waiting_since"), "badec"),
        (("assignee", "-priority"), "acdeb"),
    ],
)
async def test_pages_follow_the_order_with_ties_by_insertion(
    engine: Engine, order: tuple[str, ...], expected: str
) -> None:
    cases = await many(engine)
    if order == ("assignee", "-priority"):
        expected = "cdeba"  # nobody comes first
    for limit in (1, 2, 5):
        query = Query(CASES, order=order, limit=limit)
        read: list[Document] = []
        while True:
            page = await engine.find(query)
            assert len(page.items) <= limit
            read += page.items
            if page.next is None:
                break
            query = replace(query, after=page.next)
        assert read == [cases[label] for label in expected]


async def test_pages_stay_stable_while_documents_come_in(engine: Engine) -> None:
    cases = await many(engine)
    query = Query(CASES, order=("-waiting_since",), limit=2)
    first = await engine.find(query)
    await engine.commit(Step(documents=[(case("new", waiting_since=minutes(99)), 0)]))
    second = await engine.find(replace(query, after=first.next))
    assert [*first.items, *second.items] == [cases[label] for label in "cead"]


@pytest.mark.parametrize(
    "query",
    [
        Query(CASES, (Where("password", "=", "x"),)),
        Query(CASES, (Where("state", "like", "x"),)),
        Query(CASES, (Where("waiting_since", "<", "yesterday"),)),
        Query(CASES, order=("subject; DROP TABLE cases",)),
        Query(CASES, after="bm90IG91cnM"),
        Query(CASES, after="🙂"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(engine: Engine, query: Query) -> None:
    with pytest.raises(Invalid):
        await engine.find(query)


async def test_a_state_made_anew_keeps_its_revision(engine: Engine) -> None:
    stored = case("one", revision=3)
    await engine.commit(Step(documents=[(stored, 0), (case("two"), 0)]))
    remade = stored.model_copy(update={"queue": "billing"})
    await engine.commit(Step(remade=[remade]))
    found = await engine.find(Query(CASES, (Where("queue", "=", "billing"),)))
    assert list(found.items) == [remade]
    await engine.commit(Step(documents=[(case("one", revision=4), 3)]))
    for gone in (remade, case("three")):
        with pytest.raises(Conflict):
            await engine.commit(Step(remade=[gone, case("two", queue="sales")]))
    assert (await engine.find(Query(CASES, (Where("queue", "=", "sales"),)))).items == []


@pytest.mark.parametrize("few", [2000, 0])
async def test_queues_are_counted(engine: Engine, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.mongo.tally.FEW", few)
    await many(engine)
    orders = QueueCount("orders", open=3, unassigned=2, overdue=1, oldest_waiting=minutes(1))
    billing = QueueCount("billing", snoozed=1)
    assert list(await engine.tally(None, NOON)) == [billing, orders]
    assert list(await engine.tally(["orders", "empty"], NOON)) == [orders, QueueCount("empty")]
    assert list(await engine.tally([], NOON)) == []


async def test_times_are_kept_to_the_microsecond(engine: Engine) -> None:
    exact = NOON + timedelta(microseconds=123_457)
    await engine.commit(Step(documents=[(case("one", updated_at=exact), 0)]))
    page = await engine.find(Query(CASES, (Where("updated_at", "=", exact),)))
    assert list(page.items) == [case("one", updated_at=exact)]


async def test_a_step_of_many_documents_is_one_step(engine: Engine) -> None:
    cases = [case(f"many {number}") for number in range(150)]
    await engine.commit(Step(documents=[(each, 0) for each in cases]))
    later = [each.model_copy(update={"revision": 2, "subject": "later"}) for each in cases]
    entries = [entry(number, f"many {number}") for number in range(150)]
    await engine.commit(Step(documents=[(each, 1) for each in later], entries=entries))
    found = await engine.load(
        References(documents={Case: {each.id for each in cases}}, entries={each.id for each in entries})
    )
    assert found.documents == {each.id: each for each in later}
    assert len(found.entries) == 150
