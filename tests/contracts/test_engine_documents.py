"""What every engine does with documents, timelines, counts and blobs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.documents import Case, Document, EntryKind
from schemas.errors import Conflict, Invalid, Never, Unknown
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.outbound import DeliveryState
from schemas.ports import Engine
from schemas.steps import Blob, EntryChange, Query, QueueCount, References, Step, Where
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


@pytest.mark.parametrize("size", [0, 10, 70_000, 1_000_000])
async def test_a_blob_is_had_in_parts(engine: Engine, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    ref = await engine.put_blob(content, "application/octet-stream")
    parts = [part async for part in engine.blob_parts(ref)]
    assert b"".join(parts) == content
    assert all(len(part) <= 300_000 for part in parts)
    with pytest.raises(Unknown):
        await anext(engine.blob_parts(BlobRef(sha256="f" * 64, size=3)), b"")


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_blob_that_is_removed_is_gone_and_may_come_again(engine: Engine, size: int) -> None:
    ref = await engine.put_blob(b"x" * size, "text/plain")
    kept = await engine.put_blob(b"y" * size, "text/plain")
    for _ in range(2):  # again is nothing
        await engine.remove_blob(ref)
    with pytest.raises(Unknown):
        await engine.blob(ref)
    assert await engine.blob(kept) == b"y" * size
    assert [fault async for fault in engine.check()] == []
    assert await engine.put_blob(b"x" * size, "text/plain") == ref
    assert await engine.blob(ref) == b"x" * size


@pytest.mark.parametrize("few", [2000, 0])
async def test_queues_are_counted(engine: Engine, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.mongo.tally.FEW", few)
    await many(engine)
    orders = QueueCount("orders", open=3, unassigned=2, overdue=1, oldest_waiting=minutes(1))
    billing = QueueCount("billing", snoozed=1)
    assert list(await engine.tally(None, NOON)) == [billing, orders]
    assert list(await engine.tally(["orders", "empty"], NOON)) == [orders, QueueCount("empty")]
    assert list(await engine.tally([], NOON)) == []


async def test_a_timeline_comes_newest_first_by_page(engine: Engine) -> None:
    await engine.commit(
        Step(documents=[(case("one"), 0)], entries=[entry(number) for number in (3, 1, 5, 2, 4)])
    )
    await engine.commit(Step(entries=[entry(6, "two")]))
    page = await engine.timeline(cases=[case("one").id], limit=2)
    await engine.commit(Step(entries=[entry(7)]))
    read = list(page.items)
    while page.next:
        page = await engine.timeline(cases=[case("one").id], limit=2, after=page.next)
        read += page.items
    assert read == [entry(number) for number in (5, 4, 3, 2, 1)]


async def test_entries_of_one_moment_go_by_sequence(engine: Engine) -> None:
    await engine.commit(Step(entries=[entry(number, occurred_at=NOON) for number in (2, 1, 3)]))
    page = await engine.timeline(cases=[case("one").id])
    assert [each.sequence for each in page.items] == [3, 2, 1]


async def test_a_timeline_joins_cases_and_handles(engine: Engine) -> None:
    await engine.commit(Step(entries=[entry(1, "one"), entry(2, "two"), entry(3, "three"), entry(4, "one")]))
    page = await engine.timeline(
        cases=[name("case", "one")], handles=[name("handle", "one"), name("handle", "two")]
    )
    assert [each.sequence for each in page.items] == [4, 2, 1]
    assert list((await engine.timeline(handles=[name("handle", "nobody")])).items) == []


async def test_entries_of_a_merged_case_are_seen_by_who_reads_where_it_went(engine: Engine) -> None:
    merged = case("one", state=CaseState.MERGED, merged_into=case("two").id)
    once_more = case("two", queue="billing", state=CaseState.MERGED, merged_into=case("three").id)
    home, other = case("three", queue="legal"), case("four", queue="orders", handle=merged.handle)
    entries = [entry(1), entry(2, "two"), entry(3, "three"), entry(4, "four", handle=merged.handle)]
    await engine.commit(Step(documents=[(merged, 0), (once_more, 0), (home, 0), (other, 0)], entries=entries))

    async def seen(*queues: str) -> list[int]:
        of = [each.id for each in (merged, once_more, home, other)]
        return [each.sequence for each in (await engine.timeline(cases=of, queues=queues)).items]

    assert await seen("legal") == [3, 2, 1]
    assert await seen("billing") == [2, 1]
    assert await seen("orders") == [4, 1]
    assert await seen("sales") == []
    theirs = await engine.timeline(handles=[merged.handle], queues=["legal"])
    assert [each.sequence for each in theirs.items] == [1]


async def test_a_timeline_is_narrowed(engine: Engine) -> None:
    entries = [entry(1), entry(2, kind=EntryKind.NOTE), entry(3, channel="webform"), entry(4, "two")]
    await engine.commit(
        Step(documents=[(case("one"), 0), (case("two", queue="billing"), 0)], entries=entries)
    )
    cases = [case("one").id, case("two").id]

    async def sequences(**narrowed: Any) -> list[int]:
        return [each.sequence for each in (await engine.timeline(cases=cases, **narrowed)).items]

    assert await sequences(kinds=[EntryKind.NOTE]) == [2]
    assert await sequences(channel="webform") == [3]
    assert await sequences(queues=["billing"]) == [4]
    assert await sequences(queues=["billing", "orders"]) == [4, 3, 2, 1]
    assert await sequences(queues=[]) == []
    await engine.commit(Step(documents=[(case("one", queue="billing", revision=2), 1)]))
    assert await sequences(queues=["orders"]) == []


async def test_an_entry_written_again_is_one_entry(engine: Engine) -> None:
    await engine.commit(Step(entries=[entry(3, text="first")]))
    await engine.commit(Step(entries=[entry(3, text="again")]))
    await engine.commit(Step(entries=[entry(3, text="older", sequence=1)]))
    assert [each.text for each in (await engine.timeline(cases=[case("one").id])).items] == ["again"]


async def test_a_delivery_shows_the_latest_change_only(engine: Engine) -> None:
    reply = entry(3, kind=EntryKind.REPLY, delivery=DeliveryState.QUEUED)
    await engine.commit(
        Step(
            entries=[reply],
            changes=[
                EntryChange(reply.id, 5, DeliveryState.FAILED, "550 no such user"),
                EntryChange(reply.id, 4, DeliveryState.SENT),
                EntryChange(name("absent"), 4, DeliveryState.SENT),
            ],
        )
    )
    await engine.commit(Step(entries=[reply]))
    failed = reply.model_copy(
        update={"delivery": DeliveryState.FAILED, "delivery_reason": "550 no such user"}
    )
    assert (await engine.load(References(entries={reply.id}))).entries == {reply.id: failed}
    assert list((await engine.timeline(handles=[reply.handle])).items) == [failed]


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 300_000])
async def test_a_blob_comes_back(engine: Engine, reopen: Reopen, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    ref = await engine.put_blob(content, "image/png")
    assert ref == BlobRef(sha256=sha256(content), size=size, media_type="image/png")
    assert await engine.put_blob(content, "image/png") == ref
    other = content + b"!"
    in_step = BlobRef(sha256=sha256(other), size=size + 1)
    await engine.commit(Step(blobs=[Blob(in_step, other)]))
    engine = await reopen()
    assert await engine.blob(ref) == content
    assert await engine.blob(in_step) == other


@pytest.mark.parametrize("digest", ["0" * 64, "../../hub.sqlite", "", "Z" * 64, "a" * 63])
async def test_a_blob_that_is_not_there_is_unknown(engine: Engine, digest: str) -> None:
    with pytest.raises(Unknown):
        await engine.blob(BlobRef(sha256=digest, size=1))


async def test_a_blob_that_is_not_what_its_name_says_is_refused(engine: Engine) -> None:
    with pytest.raises(Never):
        await engine.commit(Step(blobs=[Blob(BlobRef(sha256=sha256(b"a"), size=1), b"b")]))


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
