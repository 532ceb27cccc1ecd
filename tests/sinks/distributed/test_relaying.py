"""Steps and requests while the log does not answer, and the relay that publishes what was left."""

from collections.abc import Sequence

import pytest

from schemas.errors import Conflict, Outage
from schemas.steps import Step
from sinks.distributed import journal
from sinks.distributed.committing import Committer
from sinks.kafka.codec import Message
from sinks.mongo.layout import STEP_PARTS, STEPS
from tests.contracts.samples import case, name, noted
from tests.sinks.distributed.desk import SECOND, Desk, Log, run, told
from tests.sinks.distributed.fakes import FakeDatabase, one_by_one


async def test_requests_are_answered_while_the_log_is_down_and_published_in_turn_by_the_relay() -> None:
    desk = Desk(log=Log(is_up=False))
    for revision, tag in enumerate(("first", "second", "third"), start=1):
        await desk.commit(told("a", tag, revision), may_publish_later=True)
        assert await desk.tags("a") == (tag,)
    desk.clock.micros += 3 * SECOND
    with pytest.raises(Outage):
        await desk.other().committer.relay()
    with pytest.raises(Outage):
        await desk.commit(told("a", "a worker's", revision=4))
    desk.log.is_up = True
    assert await desk.other().committer.relay() == 3
    assert desk.said() == ["first", "second", "third"]
    await desk.commit(told("a", "fourth", revision=4))
    assert desk.said() == ["first", "second", "third", "fourth"]
    assert desk.held() == []
    assert desk.database.collection(STEPS).documents == {}


async def test_what_is_behind_is_published_behind_whoever_begins() -> None:
    desk = Desk(log=Log(is_up=False))
    for revision, tag in enumerate(("first", "second", "third"), start=1):
        await desk.commit(told("a", tag, revision), may_publish_later=True)
    desk.log.is_up = True
    last = max(desk.database.collection(STEPS).documents)
    await desk.other().committer.finish(last)
    assert desk.said() == ["first", "second", "third"]
    assert desk.held() == []


async def test_a_worker_goes_on_when_the_log_is_back_behind_all_requests() -> None:
    desk = Desk(log=Log(is_up=False))
    for revision, tag in enumerate(("first", "second"), start=1):
        await desk.commit(told("a", tag, revision), may_publish_later=True)
    desk.log.is_up = True
    desk.clock.micros += 3 * SECOND
    await desk.other().commit(told("a", "a worker's", revision=3))
    assert desk.said() == ["first", "second", "a worker's"]


async def test_a_request_that_was_decided_on_less_is_told_though_the_log_is_down() -> None:
    desk = Desk(log=Log(is_up=False))
    await desk.commit(told("a", "first"), may_publish_later=True)
    with pytest.raises(Conflict, match="is at revision 1, the step was decided on 0"):
        await desk.commit(told("a", "other"), may_publish_later=True)
    losing = told("a", "second", revision=2)
    losing.documents.append((case("b", revision=9), 5))
    with pytest.raises(Conflict, match="the step was decided on 5"):
        await desk.commit(losing, may_publish_later=True)
    desk.log.is_up = True
    assert await desk.tags("a") == ("first",)
    desk.clock.micros += 3 * SECOND
    assert await desk.committer.relay() == 1
    assert desk.held() == [], "what was taken over was given back"
    assert desk.said() == ["first"]


def test_a_step_that_its_process_left_unwritten_is_written_before_others_go_behind_it(
    passed: list[str],
) -> None:
    desk = Desk(FakeDatabase(), Log(is_up=False))
    dead = desk.commit(told("a", "first"), may_publish_later=True)
    while "distributed.after-decision" not in passed:
        dead.send(None)
    dead.close()
    desk.clock.micros += 3 * SECOND
    with pytest.raises(Conflict, match="is at revision 1"):
        run(desk.other().commit(told("a", "other"), may_publish_later=True))
    run(desk.other().commit(told("a", "second", revision=2), may_publish_later=True))
    desk.log.is_up = True
    desk.clock.micros += 3 * SECOND
    run(desk.other().committer.relay())
    assert desk.said() == ["first", "second"]
    assert desk.held() == []


async def test_a_worker_is_told_that_the_log_is_down() -> None:
    desk = Desk(log=Log(is_up=False))
    with pytest.raises(Outage):
        await desk.commit(told("a", "first"))
    desk.log.is_up = True
    desk.clock.micros += 3 * SECOND
    assert await desk.committer.relay() == 1
    assert desk.held() == []


async def test_a_step_that_cannot_be_finished_keeps_no_other_from_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "PART_BYTES", 100)
    desk = Desk(log=Log(is_up=False))
    await desk.commit(told("a", "torn"), may_publish_later=True)
    desk.database.collection(STEP_PARTS).documents.popitem()
    await desk.commit(told("b", "whole"), may_publish_later=True)
    desk.clock.micros += 3 * SECOND
    desk.log.is_up = True
    assert await desk.other().committer.relay() == 1
    assert desk.said() == ["whole"]
    assert "cannot be finished" in caplog.text


async def test_what_was_left_is_handed_to_no_producer_while_the_log_does_not_answer() -> None:
    """An outage of half a minute put three copies of each event on the log: one of each process that tried meanwhile."""
    desk, tried = Desk(), []

    async def publish(messages: Sequence[Message]) -> None:
        tried.append(len(messages))
        await desk.log.publish(messages)

    async def reach() -> None:
        if not desk.log.is_up:
            raise Outage("the log is down")

    desk.log.is_up = False
    id = name("case", "one")
    await desk.commit(Step(documents=[(case("one"), 0)], events=[noted(id, 1)]), may_publish_later=True)
    desk.clock.micros += 30 * SECOND
    other = Committer(
        desk.database, publish, desk.clock.now, desk.clock.pause, at_once=one_by_one, reach=reach
    )
    with pytest.raises(Outage):
        await other.relay()
    assert tried == []
    desk.log.is_up = True
    assert await other.relay() == 1
    assert tried == [1]
    assert desk.held() == []
