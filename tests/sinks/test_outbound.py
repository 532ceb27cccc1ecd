"""The sending state machine: sent once, in order, and never again by a machine when it may have arrived."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.outbound import DeliveryFailed, DeliverySent, DeliveryState, DeliveryUnknown, OutboundMessage
from schemas.ports import Receipt, ReceiptStatus
from schemas.steps import START, Query, Step
from schemas.topics import Topic
from sinks.outbound import GIVE_UP_AFTER, Dispatcher, backoff
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.support.clock import StandingClock

SENT = Receipt(ReceiptStatus.SENT, external_id="mail:x")


class Channel:
    """Answers what it was told to, message by message; the last answer stays."""

    channel = "email"

    def __init__(self) -> None:
        self.answers: list[Receipt] = [SENT]
        self.taken: list[str] = []
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def deliver(self, message: OutboundMessage) -> Receipt:
        self.taken.append(message.subject)
        self.called.set()
        await self.gate.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Sending:
    def __init__(self, engine: SqliteEngine, clock: StandingClock) -> None:
        self.engine, self.clock = engine, clock
        self.channel = Channel()
        self.dispatcher = Dispatcher(engine, clock, {"email": self.channel})
        self._order = 0

    async def queue(self, subject: str, conversation: str = "one", channel: str = "email") -> None:
        self._order += 1
        now = self.clock.now()
        message = OutboundMessage(
            message=derive(subject),
            channel=channel,
            account="support",
            brand="default",
            conversation=conversation,
            recipients=(Participant(role=Role.TO, scheme="email", value="ann@example.com"),),
            subject=subject,
            text="Hello",
            author=Actor(kind="agent", id="mia"),
            queued_at=now,
        )
        delivery = Delivery(
            id=message.message,
            revision=1,
            message=message,
            order=self._order,
            next_attempt_at=now,
            changed_at=now,
        )
        await self.engine.commit(Step(documents=[(delivery, 0)]))

    async def states(self) -> dict[str, DeliveryState]:
        page = await self.engine.find(Query(DELIVERIES, limit=100))
        return {each.message.subject: each.state for each in page.items if isinstance(each, Delivery)}

    async def told(self) -> list[Event]:
        records = await self.engine.scan((Topic.DELIVERIES,), START, 100)
        return [record.event for record in records if record.event is not None]


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    clock = StandingClock()
    engine = await open_engine(tmp_path, clock=clock)
    yield Sending(engine, clock)
    await engine.close()


async def test_a_message_is_sent_once_and_told(sending: Sending) -> None:
    await sending.queue("a")
    await sending.dispatcher.send_due()
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["a"]
    (event,) = await sending.told()
    assert isinstance(event.data, DeliverySent)
    assert await sending.states() == {"a": DeliveryState.SENT}


async def test_a_conversation_keeps_its_order_and_others_do_not_wait(sending: Sending) -> None:
    sending.channel.answers = [Receipt(ReceiptStatus.RETRY, reason="later"), SENT]
    await sending.queue("first")
    await sending.queue("second")
    await sending.dispatcher.send_due()
    await sending.queue("other", conversation="two")
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["first", "other"]
    sending.clock.time += timedelta(minutes=1)
    await sending.dispatcher.send_due()
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["first", "other", "first", "second"]


async def test_what_is_unknown_neither_repeats_nor_blocks(sending: Sending) -> None:
    sending.channel.answers = [Receipt(ReceiptStatus.UNKNOWN, reason="lost after the dot"), SENT]
    await sending.queue("first")
    await sending.queue("second")
    await sending.dispatcher.send_due()
    await sending.dispatcher.send_due()
    sending.clock.time += timedelta(days=2)
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["first", "second"]
    assert [type(event.data) for event in await sending.told()] == [DeliveryUnknown, DeliverySent]


async def test_what_was_being_sent_when_the_hub_stopped_is_unknown(sending: Sending) -> None:
    await sending.queue("a")
    sending.channel.gate.clear()
    task = asyncio.create_task(sending.dispatcher.send_due())
    await sending.channel.called.wait()
    task.cancel()
    again = Dispatcher(sending.engine, sending.clock, {"email": sending.channel})
    assert await again.recover() == 1
    assert await again.recover() == 0
    assert await again.send_due() == 0
    assert await sending.states() == {"a": DeliveryState.UNKNOWN}
    sending.channel.gate.set()


async def test_a_refusal_for_good_fails(sending: Sending) -> None:
    sending.channel.answers = [Receipt(ReceiptStatus.FAILED, reason="550 no such user")]
    await sending.queue("a")
    await sending.dispatcher.send_due()
    (event,) = await sending.told()
    assert isinstance(event.data, DeliveryFailed)
    assert "550" in event.data.reason


async def test_a_channel_that_nobody_serves_fails_and_says_so(sending: Sending) -> None:
    await sending.queue("a", channel="pigeon")
    await sending.dispatcher.send_due()
    assert await sending.states() == {"a": DeliveryState.FAILED}


async def test_after_days_of_refusals_it_is_given_up(sending: Sending) -> None:
    sending.channel.answers = [Receipt(ReceiptStatus.RETRY, reason="451 later")]
    await sending.queue("a")
    await sending.dispatcher.send_due()
    sending.clock.time += GIVE_UP_AFTER + timedelta(hours=1)
    await sending.dispatcher.send_due()
    (event,) = await sending.told()
    assert isinstance(event.data, DeliveryFailed)
    assert event.data.attempts == 2


async def test_an_account_that_is_refused_rests_with_all_its_messages(sending: Sending) -> None:
    sending.channel.answers = [Receipt(ReceiptStatus.RETRY, reason="535", stop_account=True), SENT]
    await sending.queue("a", conversation="one")
    await sending.dispatcher.send_due()
    await sending.queue("b", conversation="two")
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["a"]
    sending.clock.time += timedelta(minutes=1)
    while await sending.dispatcher.send_due():
        pass
    assert sorted(sending.channel.taken) == ["a", "a", "b"]


def test_backoff_doubles_up_to_an_hour_and_obeys_the_peer() -> None:
    assert [backoff(attempts, None).total_seconds() for attempts in (1, 2, 3, 20)] == [5, 10, 20, 3600]
    assert backoff(1, 42).total_seconds() == 42
