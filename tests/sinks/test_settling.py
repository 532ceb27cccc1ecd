"""What is unknown is settled by the channel: found there it is sent, proven absent it goes again, else a person decides."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from schemas.documents import Delivery
from schemas.events import Actor
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.outbound import DeliverySent, DeliveryState, OutboundMessage
from schemas.ports import Receipt, ReceiptStatus
from schemas.steps import START, References, Step
from schemas.topics import Topic
from sinks.outbound_settling import ASKED_FOR, Settling
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.support.clock import StandingClock

ID = derive("message")


class Channel:
    """A deliverer that can be asked."""

    channel = "chat"

    def __init__(self, *answers: Receipt | None) -> None:
        self.answers = list(answers)
        self.asked: list[datetime] = []

    async def deliver(self, message: OutboundMessage) -> Receipt:
        raise AssertionError("nothing is sent by settling")

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        self.asked.append(tried_at)
        return self.answers.pop(0) if self.answers else None


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: StandingClock) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=clock)
    message = OutboundMessage(
        message=ID,
        case=derive("case"),
        channel="chat",
        account="acme",
        brand="default",
        conversation="chat:1",
        recipients=(Participant(role=Role.TO, scheme="chat", value="ann"),),
        text="Hello",
        author=Actor(kind="agent", id="mia"),
        queued_at=clock.now(),
    )
    unknown = Delivery(
        id=ID,
        message=message,
        state=DeliveryState.UNKNOWN,
        attempts=1,
        next_attempt_at=clock.now(),
        changed_at=clock.now(),
    )
    await made.commit(Step(documents=[(unknown, 0)]))
    yield made
    await made.close()


async def state(engine: SqliteEngine) -> Delivery:
    found = (await engine.load(References(documents={Delivery: {ID}}))).documents[ID]
    assert isinstance(found, Delivery)
    return found


async def test_what_the_channel_has_is_sent_and_told(engine: SqliteEngine, clock: StandingClock) -> None:
    found = Receipt(ReceiptStatus.SENT, external_id="chat:9", may_change=True)
    assert await Settling(engine, clock, {"chat": Channel(found)}).once() == 1
    assert (await state(engine)).state is DeliveryState.SENT
    (record,) = await engine.scan((Topic.DELIVERIES,), START, 10)
    assert record.event is not None and isinstance(record.event.data, DeliverySent)
    assert record.event.data.external_id == "chat:9" and record.event.data.may_change


async def test_what_is_proven_absent_is_queued_again(engine: SqliteEngine, clock: StandingClock) -> None:
    absent = Receipt(ReceiptStatus.RETRY, reason="not there")
    assert await Settling(engine, clock, {"chat": Channel(absent)}).once() == 1
    assert (await state(engine)).state is DeliveryState.QUEUED


async def test_while_the_channel_cannot_tell_it_is_asked_less_and_less_often(
    engine: SqliteEngine, clock: StandingClock
) -> None:
    channel = Channel()
    settling = Settling(engine, clock, {"chat": channel})
    for _ in range(120):
        await settling.once()
        clock.time += timedelta(seconds=5)
    assert 4 <= len(channel.asked) <= 8
    assert (await state(engine)).state is DeliveryState.UNKNOWN


async def test_after_a_day_it_is_left_to_a_person(engine: SqliteEngine, clock: StandingClock) -> None:
    channel = Channel()
    clock.time += ASKED_FOR + timedelta(seconds=1)
    await Settling(engine, clock, {"chat": channel}).once()
    assert channel.asked == []
