"""Single turns of the commit protocol, one operation at a time."""

import contextlib
from collections.abc import Iterator

import pytest

from schemas.crash import set_hook
from schemas.documents import Case
from schemas.errors import Conflict, Never, Outage
from schemas.outbound import DeliveryState
from schemas.steps import EntryChange, Step
from sinks.distributed import journal
from sinks.distributed.journal import Journal, State
from sinks.distributed.plan import Redo, make_plan
from sinks.kafka.codec import to_message
from sinks.mongo.layout import CLAIMS, STEP_PARTS, STEPS
from tests.contracts.samples import case, name
from tests.sinks.distributed.desk import SECOND, Desk, Log, run, told
from tests.sinks.distributed.fakes import FakeDatabase, no_gate


async def test_a_conflict_leaves_nothing_held() -> None:
    desk = Desk()
    await desk.commit(told("a", "first"))
    losing = told("b", "second")
    losing.documents.append((case("a", revision=9), 5))
    losing.claims["thread"] = name("case", "b")
    with pytest.raises(Conflict, match="is at revision 1, the step was decided on 5"):
        await desk.commit(losing)
    assert desk.held() == []
    assert list(desk.database.collection("cases").documents) == [str(name("case", "a"))]
    assert desk.database.collection(CLAIMS).documents == {}
    assert desk.database.collection(STEPS).documents == {}


def test_a_step_that_was_taken_for_dead_never_happens(passed: list[str]) -> None:
    desk = Desk(FakeDatabase())
    slow = desk.commit(told("a", "slow"))
    while "distributed.after-holds" not in passed:
        slow.send(None)
    desk.clock.micros += 60 * SECOND
    run(desk.other().commit(told("a", "quick")))
    with pytest.raises(Conflict, match="others went on without it"):
        run(slow)
    cases = desk.database.collection("cases").documents
    assert [Case.model_validate_json(each["body"]).tags for each in cases.values()] == [("quick",)]
    assert desk.held() == []
    assert len(desk.log.messages) == 1


def test_a_step_that_holds_too_long_gives_up_by_itself() -> None:
    desk = Desk(FakeDatabase())
    step = told("a", "slow")
    step.documents.append((case("b"), 0))
    slow = desk.commit(step)
    while len(desk.held()) < 1:
        slow.send(None)
    desk.clock.micros += 60 * SECOND
    with pytest.raises(Conflict, match="others went on without it"):
        run(slow)
    assert desk.database.collection("cases").documents == {}
    assert desk.database.collection(STEPS).documents == {}


def test_a_process_does_not_take_itself_for_dead(passed: list[str]) -> None:
    desk = Desk(FakeDatabase())
    slow = desk.commit(told("a", "slow"))
    while "distributed.after-decision" not in passed:
        slow.send(None)
    desk.clock.micros += 60 * SECOND
    run(desk.committer.relay())
    assert desk.log.messages == []
    run(slow)
    assert len(desk.log.messages) == 1


def test_a_decided_step_is_finished_by_who_finds_it_in_the_way(passed: list[str]) -> None:
    desk = Desk(FakeDatabase())
    dead = desk.commit(told("a", "dead"))
    while "distributed.after-decision" not in passed:
        dead.send(None)
    dead.close()
    desk.clock.micros += 3 * SECOND
    with pytest.raises(Conflict, match="is at revision 1"):
        run(desk.commit(told("a", "other")))
    run(desk.commit(told("a", "next", revision=2)))
    assert [each.value.count(b"dead") for each in desk.log.messages] == [1, 0]
    assert desk.database.collection(STEPS).documents == {}


def test_a_claim_that_is_being_made_is_waited_for_even_by_its_owner(passed: list[str]) -> None:
    desk = Desk(FakeDatabase())
    claim = {"thread": name("case", "a")}
    first = desk.commit(Step(claims=claim, documents=[(case("a"), 0), (case("b"), 7)]))
    while not desk.database.collection(CLAIMS).documents:
        first.send(None)
    second = desk.commit(Step(claims=claim, documents=[(case("c"), 0)]))
    for _ in range(10):
        second.send(None)
    assert desk.database.collection(STEPS).documents == {}, (
        "it was decided on a claim that another may take back"
    )
    with pytest.raises(Conflict, match="is at revision 0"):
        run(first)
    run(second)
    assert [each["owner"] for each in desk.database.collection(CLAIMS).documents.values()] == [
        str(claim["thread"])
    ]


def test_a_request_that_ended_before_it_was_decided_gives_back_what_it_took_over(passed: list[str]) -> None:
    desk = Desk(FakeDatabase(), Log(is_up=False))
    desk.committer = desk.made()
    run(desk.commit(told("a", "first"), may_publish_later=True))
    passed.clear()
    dead = desk.commit(told("a", "second", revision=2), may_publish_later=True)
    while "distributed.after-holds" not in passed:
        dead.send(None)
    dead.close()
    desk.clock.micros += 60 * SECOND
    run(desk.other().commit(told("a", "third", revision=2), may_publish_later=True))
    desk.log.is_up = True
    desk.clock.micros += 3 * SECOND
    run(desk.other().committer.relay())
    assert desk.said() == ["first", "third"]
    assert desk.held() == []


async def test_finishing_what_is_over_changes_nothing() -> None:
    desk = Desk()
    await desk.commit(told("a", "first"))
    await desk.committer.finish("0000000000000001-gone")
    assert len(desk.log.messages) == 1


async def test_what_dead_steps_hold_is_freed_in_time(passed: list[str]) -> None:
    desk = Desk(FakeDatabase())
    dead = desk.commit(told("a", "dead"))
    while "distributed.after-holds" not in passed:
        dead.send(None)
    dead.close()
    tidy = desk.committer
    desk.database._gate = no_gate
    for collection in desk.database.collections.values():
        collection._gate = no_gate
    assert await tidy.tidy(["cases", CLAIMS], 3600) == 0
    desk.clock.micros += 60 * SECOND
    assert await tidy.tidy(["cases", CLAIMS], 3600) == 1
    assert desk.held() == []
    desk.clock.micros += 7200 * SECOND
    assert await tidy.tidy(["cases", CLAIMS], 3600) == 1
    assert desk.database.collection(STEPS).documents == {}


async def test_a_step_of_any_size_is_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PART_BYTES", 100)
    desk = Desk(log=Log(is_up=False))
    with pytest.raises(Outage):
        await desk.commit(told("a", "first"))
    assert len(desk.database.collection(STEP_PARTS).documents) > 3
    desk.log.is_up = True
    desk.clock.micros += 3 * SECOND
    assert await desk.committer.relay() == 1
    assert desk.database.collection(STEP_PARTS).documents == {}
    assert await desk.tags("a") == ("first",)


async def test_a_part_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PART_BYTES", 100)
    desk = Desk()
    kept = Journal(desk.database)
    await kept.decide("1-x", make_plan(told("a", "first"), [], desk.clock.now).redo, 1)
    desk.database.collection(STEP_PARTS).documents.popitem()
    with pytest.raises(Never, match="parts of the decided step 1-x are missing"):
        await kept.read("1-x")


async def test_of_deciding_and_abandoning_one_wins() -> None:
    kept = Journal(FakeDatabase(no_gate))
    assert await kept.decide("1-x", Redo(), 1)
    assert not await kept.abandon("1-x", 2)
    assert await kept.abandon("2-y", 2)
    assert await kept.abandon("2-y", 3)
    assert not await kept.decide("2-y", Redo(), 4)
    assert [await kept.state(step) for step in ("1-x", "2-y", "3-z")] == [
        State.DECIDED,
        State.ABANDONED,
        State.UNDECIDED,
    ]


def test_what_a_step_writes_comes_back_from_its_bytes() -> None:
    step = told("a", "first")
    step.changes.append(EntryChange(name("entry"), 3, DeliveryState.SENT))
    step.deletions.append((Case, name("case", "z")))
    step.claims["thread"] = name("case", "a")
    redo = make_plan(step, [to_message(each, 5) for each in step.events], lambda: 7).redo
    assert Redo.from_bytes(redo.to_bytes()) == redo
    with pytest.raises(Never, match="cannot be read"):
        Redo.from_bytes(b"something else")


async def test_a_step_of_one_document_is_one_write(passed: list[str]) -> None:
    desk = Desk()
    await desk.commit(Step(documents=[(case("a"), 0)]))
    await desk.commit(Step(documents=[(case("a", revision=2, tags=("second",)), 1)]))
    with pytest.raises(Conflict):
        await desk.commit(Step(documents=[(case("a", revision=2), 1)]))
    assert await desk.tags("a") == ("second",)
    await desk.commit(Step(deletions=[(Case, case("a").id)]))
    assert desk.database.collection("cases").documents == {}
    assert passed == []


class Ended(BaseException):
    """A process ends by a kill."""


@contextlib.contextmanager
def killed_at(point: str) -> Iterator[None]:
    def end(name: str) -> None:
        if name == point:
            raise Ended

    set_hook(end)
    try:
        with pytest.raises(Ended):
            yield
    finally:
        set_hook(None)


@pytest.mark.parametrize("ahead_seconds", [0, 3600])
@pytest.mark.parametrize("point", ["distributed.after-holds", "distributed.after-decision"])
async def test_a_request_for_what_a_killed_worker_holds_is_done_or_refused_within_seconds(
    point: str, ahead_seconds: int
) -> None:
    """Whatever the clock of the worker said."""
    worker = Desk()
    desk = Desk(worker.database, worker.log)
    worker.clock.micros += ahead_seconds * SECOND
    with killed_at(point):
        await worker.commit(told("a", "first"))
    revision = 1 if point == "distributed.after-decision" else 0
    wanted = told("a", "second", revision + 1)
    began = desk.clock.micros
    waits: list[str] = []
    while not waits or waits[-1] == "asked again":
        asked = desk.clock.micros
        try:
            await desk.commit(wanted, may_publish_later=True)
        except Outage as outage:
            waits.append("asked again")
            await desk.clock.pause(outage.retry_after_seconds)
        else:
            waits.append("done")
        assert desk.clock.micros - asked < 8 * SECOND
    assert desk.clock.micros - began < 20 * SECOND
    assert await desk.tags("a") == ("second",)
    assert desk.held() == []


async def test_a_request_that_was_decided_before_the_same_was_seen_is_not_done_twice() -> None:
    """Its entries were looked for before another process wrote them, and the case was read after that."""
    desk = Desk()
    await desk.commit(told("a", "noted"), may_publish_later=True)
    again = told("a", "noted", revision=2)
    with pytest.raises(Conflict, match="asked for twice"):
        await desk.commit(again, may_publish_later=True)
    assert desk.said() == ["noted"]
    assert desk.held() == []
    await desk.commit(told("a", "other", revision=2), may_publish_later=True)
    assert desk.said() == ["noted", "other"]
