"""What every engine does with steps, the log and consumers."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.errors import Conflict
from schemas.ports import Engine
from schemas.steps import START, Outcome, OutcomeKind, References, Step
from schemas.topics import Topic
from tests.contracts.conftest import Reopen
from tests.contracts.samples import case, entry, name, noted, received


async def test_what_was_committed_is_there_after_a_restart(engine: Engine, reopen: Reopen) -> None:
    written = replace(
        noted(name("case", "one"), 1),
        causation=name("cause"),
        configuration=3,
        late=True,
        correlation=name("first"),
    )
    await engine.commit(Step(events=[received(1), written]))
    engine = await reopen()
    records = await engine.scan(list(Topic), START, 10)
    assert [record.event for record in records] == [received(1), written]
    assert [record.topic for record in records] == [Topic.INTERACTIONS, Topic.CASES]
    assert await engine.tail() == records[-1].position


async def test_a_consumer_reads_its_topics_in_log_order_from_where_it_stands(engine: Engine) -> None:
    events = [received(1), noted(name("case", "one"), 1), received(2), received(3)]
    await engine.commit(Step(events=events))
    batch = await engine.read("cases", [Topic.INTERACTIONS, Topic.COMMANDS], 2)
    assert [record.id for record in batch.records] == [received(1).id, received(2).id]
    assert batch.before == START
    await engine.commit(Step(consumer="cases", before=batch.before, position=batch.position))
    after = await engine.read("cases", [Topic.INTERACTIONS, Topic.COMMANDS], 10)
    assert [record.id for record in after.records] == [received(3).id]
    assert after.before == batch.position
    assert await engine.positions() == {"cases": batch.position}


async def test_topics_are_merged_in_the_order_of_the_log(engine: Engine) -> None:
    one = name("case", "one")
    events = [noted(one, 1), received(1), noted(one, 2), noted(one, 3), received(2), noted(one, 4)]
    await engine.commit(Step(events=events))
    batch = await engine.read("all", [Topic.CASES, Topic.INTERACTIONS], 5)
    assert [record.event for record in batch.records] == events[:5]


async def test_an_empty_read_stays_where_it_is(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1)]))
    batch = await engine.read("cases", [Topic.COMMANDS], 10)
    assert list(batch.records) == []
    assert batch.position == batch.before == START


async def test_a_position_moves_only_from_where_it_was(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1), received(2)]))
    first, second = [record.position for record in await engine.scan([Topic.INTERACTIONS], START, 10)]
    await engine.commit(Step(consumer="cases", before=START, position=first))
    with pytest.raises(Conflict, match="cases"):
        await engine.commit(Step(consumer="cases", before=START, position=second, events=[received(3)]))
    assert await engine.positions() == {"cases": first}
    assert len(await engine.scan([Topic.INTERACTIONS], START, 10)) == 2


async def test_a_step_that_conflicts_leaves_nothing(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one"), 0)]))
    tail = await engine.tail()
    losing = Step(
        events=[received(9)],
        claims={"thread:9": name("case", "two")},
        documents=[(case("two"), 0), (case("one", revision=2, subject="changed"), 5)],
        entries=[entry(9)],
    )
    with pytest.raises(Conflict, match="revision 1"):
        await engine.commit(losing)
    wanted = References(
        handled={entry(9).id},
        threads={"thread:9"},
        documents={type(case()): {case("two").id, case("one").id}},
    )
    found = await engine.load(wanted)
    assert (found.handled, found.threads, list(found.documents.values())) == (set(), {}, [case("one")])
    assert await engine.tail() == tail


async def test_of_steps_committed_together_only_the_conflicting_one_fails(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("one"), 0)]))
    steps = [Step(events=[received(number)]) for number in range(40)]
    steps[7].documents.append((case("one", revision=2), 4))
    results = await asyncio.gather(*(engine.commit(step) for step in steps), return_exceptions=True)
    assert [number for number, result in enumerate(results) if result is not None] == [7]
    assert isinstance(results[7], Conflict)
    written = {record.id for record in await engine.scan([Topic.INTERACTIONS], START, 100)}
    assert written == {received(number).id for number in range(40) if number != 7}


async def test_of_two_that_race_for_a_document_one_wins(engine: Engine) -> None:
    racing = [engine.commit(Step(documents=[(case("one", subject=who), 0)])) for who in ("ada", "bob", "cyd")]
    results = await asyncio.gather(*racing, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "NoneType"]


async def test_a_claim_is_kept_by_the_first_and_named_to_the_loser(engine: Engine) -> None:
    await engine.commit(Step(claims={"thread:<1@example.org>": name("case", "one")}))
    await engine.commit(Step(claims={"thread:<1@example.org>": name("case", "one")}))
    with pytest.raises(Conflict, match=r"<1@example\.org> is claimed by"):
        await engine.commit(
            Step(claims={"other": name("case", "two"), "thread:<1@example.org>": name("case", "two")})
        )
    found = await engine.load(References(threads={"thread:<1@example.org>", "other"}))
    assert found.threads == {"thread:<1@example.org>": name("case", "one")}


async def test_long_references_are_claims_of_their_own(engine: Engine) -> None:
    first, second = "x" * 5000 + "1", "x" * 5000 + "2"
    await engine.commit(Step(claims={first: name("case", "one"), second: name("case", "two")}))
    assert (await engine.load(References(threads={first, second}))).threads == {
        first: name("case", "one"),
        second: name("case", "two"),
    }


async def test_handled_are_those_with_an_entry_or_ignored(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1)], entries=[entry(1)]))
    place = (await engine.scan([Topic.INTERACTIONS], START, 1))[0].place
    outcomes = [
        Outcome("cases", place, name("ignored"), OutcomeKind.IGNORED, "own mail"),
        Outcome("cases", place, name("dead"), OutcomeKind.DEAD_LETTERED, "bad"),
        Outcome("cases", place, name("parked"), OutcomeKind.PARKED),
    ]
    await engine.commit(Step(outcomes=outcomes))
    asked = {entry(1).id, entry(2).id, *(each.event for each in outcomes)}
    assert (await engine.load(References(handled=asked))).handled == {entry(1).id, name("ignored")}


async def test_outcomes_are_read_in_order_and_never_twice(engine: Engine) -> None:
    await engine.commit(Step(events=[received(number) for number in range(3)]))
    places = [record.place for record in await engine.scan([Topic.INTERACTIONS], START, 3)]
    outcomes = [
        Outcome("cases", places[0], received(0).id, OutcomeKind.DUPLICATE, "again"),
        Outcome("cases", places[1], received(1).id, OutcomeKind.PARKED, "waits"),
        Outcome("cases", places[1], received(1).id, OutcomeKind.RELEASED),
        Outcome("cases", places[2], received(2).id, OutcomeKind.IGNORED, "own"),
    ]
    await engine.commit(
        Step(outcomes=[*outcomes, Outcome("search", places[0], received(0).id, OutcomeKind.IGNORED)])
    )
    await engine.commit(Step(outcomes=outcomes))
    read = list(await engine.outcomes("cases", START, 2))
    while more := await engine.outcomes("cases", read[-1].position, 2):
        read += more
    assert read == outcomes


async def test_scan_keeps_one_key_where_asked(engine: Engine) -> None:
    await engine.commit(
        Step(events=[received(1, "a"), received(2, "b"), received(3, "a"), noted(name("case", "a"), 1)])
    )
    records = await engine.scan([Topic.INTERACTIONS, Topic.CASES], START, 10, key="a")
    assert [record.id for record in records] == [received(1).id, received(3).id]
    rest = await engine.scan([Topic.INTERACTIONS, Topic.CASES], records[0].position, 10, key="a")
    assert [record.id for record in rest] == [received(3).id]


async def test_a_record_is_read_by_its_place(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1), received(2)]))
    second = (await engine.scan([Topic.INTERACTIONS], START, 10))[1]
    found = await engine.record(second.place)
    assert found is not None
    assert replace(found, position=second.position) == second
    assert await engine.record("") is None
    assert await engine.record(second.place + "0") is None


async def test_a_place_is_the_same_for_all_who_read_it(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1), noted(name("case", "one"), 1), received(2)]))
    everything = await engine.scan(list(Topic), START, 10)
    interactions = await engine.scan([Topic.INTERACTIONS], START, 10)
    assert [record.place for record in interactions] == [everything[0].place, everything[2].place]


async def test_the_order_rises_within_a_key(engine: Engine) -> None:
    for number in range(3):
        await engine.commit(Step(events=[received(number, "a"), received(number + 10, "b")]))
    records = await engine.scan([Topic.INTERACTIONS], START, 10, key="a")
    orders = [record.order for record in records]
    assert len(orders) == 3
    assert orders == sorted(set(orders))


async def test_a_position_covers_what_was_read_before_it(engine: Engine) -> None:
    await engine.commit(Step(events=[received(number, f"key {number}") for number in range(6)]))
    records = await engine.scan([Topic.INTERACTIONS], START, 10)
    for read, reader in enumerate(records):
        covered = [engine.covers(reader.position, each.place) for each in records]
        assert covered == [True] * (read + 1) + [False] * (len(records) - read - 1)
        assert engine.covers(await engine.tail(), reader.position)
    assert not engine.covers(START, records[0].place)
    assert not engine.covers(START, records[0].position)
    assert engine.covers(START, START)


async def test_lag_counts_what_a_consumer_has_before_it(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1), noted(name("case", "one"), 1), received(2)]))
    assert await engine.lag("cases", [Topic.INTERACTIONS, Topic.CASES]) == 3
    batch = await engine.read("cases", [Topic.INTERACTIONS], 1)
    await engine.commit(Step(consumer="cases", before=START, position=batch.position))
    assert await engine.lag("cases", [Topic.INTERACTIONS]) == 1


async def test_wait_ends_when_an_event_is_durable(engine: Engine) -> None:
    tail = await engine.tail()
    assert not await engine.wait(tail, 0.01)
    waiting = asyncio.create_task(engine.wait(tail, 30))
    await asyncio.sleep(0)
    await engine.commit(Step(events=[received(1)]))
    assert await waiting
    assert await engine.wait(tail, 30)


async def test_who_waits_is_let_go_when_the_engine_closes(engine: Engine) -> None:
    waiting = [asyncio.create_task(engine.wait(START, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    await engine.close()
    assert await asyncio.gather(*waiting) == [False, False, False]


async def test_the_same_event_may_be_on_the_log_twice(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1)]))
    await engine.commit(Step(events=[received(1)]))
    records = await engine.scan([Topic.INTERACTIONS], START, 10)
    assert [record.event for record in records] == [received(1), received(1)]
    assert records[0].position != records[1].position
    assert records[0].place != records[1].place


async def test_an_engine_that_was_written_rightly_has_no_fault(engine: Engine) -> None:
    await engine.commit(Step(events=[received(1), received(2)], documents=[(case(), 0)], entries=[entry(1)]))
    await engine.put_blob(b"x" * 100_000, "text/plain")
    assert [fault async for fault in engine.check()] == []


async def test_a_time_names_a_place_behind_all_that_was_before_it(engine: Engine) -> None:
    async def append(number: int) -> datetime:
        await engine.commit(Step(events=[replace(received(number), time=datetime.now(UTC))]))
        await asyncio.sleep(0.05)  # a server stamps what comes by its own clock
        return datetime.now(UTC)

    begin = datetime.now(UTC) - timedelta(minutes=1)
    moments = [begin, *[await append(number) for number in (1, 2, 3)]]
    for passed, moment in enumerate(moments):
        records = await engine.scan([Topic.INTERACTIONS], await engine.position_at(moment), 10)
        assert [each.id for each in records] == [received(each).id for each in (1, 2, 3)[passed:]]


async def test_what_is_appended_late_hides_nothing_that_is_looked_for_by_time(engine: Engine) -> None:
    now = datetime.now(UTC)
    old = replace(received(1), time=now - timedelta(days=3), late=True)
    await engine.commit(Step(events=[replace(received(number), time=now) for number in (2, 3)]))
    await engine.commit(Step(events=[old, *[replace(old, id=name(each)) for each in range(40)]]))
    records = await engine.scan(
        [Topic.INTERACTIONS], await engine.position_at(now - timedelta(seconds=5)), 100
    )
    assert {received(2).id, received(3).id} <= {each.id for each in records}
