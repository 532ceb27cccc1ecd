"""Timelines of every engine: their order, their pages, and what became of an entry."""

from typing import Any

from schemas.cases import CaseState
from schemas.documents import EntryKind
from schemas.outbound import DeliveryState
from schemas.ports import Engine
from schemas.steps import EntryChange, References, Step
from tests.contracts.samples import NOON, case, entry, name


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
