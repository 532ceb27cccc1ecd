"""No account and no conversation stands before the others, and no fault of a channel stops anything."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.outbound import DeliveryState, OutboundMessage, OutboundQueued
from schemas.ports import Receipt, ReceiptStatus
from schemas.steps import Query, Record, Step
from schemas.topics import Topic
from sinks.outbound import GIVE_UP_AFTER, MOST_OF_AN_ACCOUNT, Dispatcher, queued
from sinks.outbound_due import MOST_AT_ONCE
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.sinks.test_outbound import SENT
from tests.support.clock import StandingClock
from tests.support.waiting import eventually

MANY = MOST_AT_ONCE + 50
REST = Receipt(ReceiptStatus.RETRY, reason="535", stop_account=True, retry_after_seconds=600)


class Accounts:
    """Answers each account as it was told to; one that hangs answers when it is let go."""

    channel = "email"

    def __init__(self) -> None:
        self.answers: dict[str, Receipt | Exception] = {}
        self.hangs: dict[str, asyncio.Event] = {}
        self.taken: list[str] = []

    async def deliver(self, message: OutboundMessage) -> Receipt:
        self.taken.append(message.subject)
        if message.account in self.hangs:
            await self.hangs[message.account].wait()
        answer = self.answers.get(message.account, SENT)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Sending:
    def __init__(self, engine: SqliteEngine, clock: StandingClock) -> None:
        self.engine, self.clock = engine, clock
        self.channel = Accounts()
        self.dispatcher = Dispatcher(engine, clock, {"email": self.channel})
        self._order = 0

    def message(self, subject: str, account: str) -> OutboundMessage:
        return OutboundMessage(
            message=derive(subject),
            channel="email",
            account=account,
            brand="default",
            conversation=subject.partition("/")[0],
            recipients=(Participant(role=Role.TO, scheme="email", value="ann@example.com"),),
            subject=subject,
            text="Hello",
            author=Actor(kind="agent", id="mia"),
            queued_at=self.clock.now(),
        )

    async def queue(self, subjects: Iterable[str], account: str = "support") -> None:
        now = self.clock.now()
        step = Step()
        for subject in subjects:
            self._order += 1
            message = self.message(subject, account)
            delivery = Delivery(
                id=message.message,
                revision=1,
                message=message,
                order=self._order,
                next_attempt_at=now,
                changed_at=now,
            )
            step.documents.append((delivery, 0))
        await self.engine.commit(step)

    async def delivery(self, subject: str) -> Delivery:
        page = await self.engine.find(Query(DELIVERIES, limit=1000))
        (found,) = [
            each for each in page.items if isinstance(each, Delivery) and each.message.subject == subject
        ]
        return found


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    clock = StandingClock()
    engine = await open_engine(tmp_path, clock=clock)
    yield Sending(engine, clock)
    await engine.close()


async def test_an_account_that_rests_holds_up_no_other(sending: Sending) -> None:
    sending.channel.answers["broken"] = REST
    await sending.queue(["first"], "broken")
    await sending.dispatcher.send_due()
    await sending.queue((f"b{number}" for number in range(MANY)), "broken")
    sending.clock.time += timedelta(seconds=1)
    await sending.queue(["other"])
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["first", "other"]
    sending.channel.answers.clear()
    sending.clock.time += timedelta(minutes=11)
    while await sending.dispatcher.send_due():
        pass
    assert len(sending.channel.taken) == MANY + 3


async def test_messages_behind_one_that_is_tried_again_hold_up_no_other_conversation(
    sending: Sending,
) -> None:
    sending.channel.answers["slow"] = Receipt(ReceiptStatus.RETRY, reason="451", retry_after_seconds=600)
    await sending.queue(["one/first"], "slow")
    await sending.dispatcher.send_due()
    await sending.queue((f"one/{number}" for number in range(MANY)), "slow")
    sending.clock.time += timedelta(seconds=1)
    await sending.queue(["two"])
    await sending.dispatcher.send_due()
    assert sending.channel.taken == ["one/first", "two"]


async def test_an_account_that_hangs_leaves_places_to_others(sending: Sending) -> None:
    let_go = sending.channel.hangs["hangs"] = asyncio.Event()
    await sending.queue((f"h{number}" for number in range(MANY)), "hangs")
    running = asyncio.create_task(sending.dispatcher.run())
    await eventually(lambda: len(sending.channel.taken) == MOST_OF_AN_ACCOUNT, every_seconds=0.01)
    sending.clock.time += timedelta(seconds=1)
    await sending.queue(["other"])
    sending.dispatcher.wake()
    await eventually(lambda: "other" in sending.channel.taken, every_seconds=0.01)
    assert len(sending.channel.taken) == MOST_OF_AN_ACCOUNT + 1
    let_go.set()
    await sending.dispatcher.stop(5)
    await running


async def test_a_fault_of_a_channel_leaves_it_unknown_and_blocks_nothing(sending: Sending) -> None:
    sending.channel.answers["support"] = RuntimeError("a defect")
    await sending.queue(["one/a", "one/b"])
    await sending.dispatcher.send_due()
    sending.channel.answers.clear()
    await sending.dispatcher.send_due()
    failed, sent = await sending.delivery("one/a"), await sending.delivery("one/b")
    assert (failed.state, sent.state) == (DeliveryState.UNKNOWN, DeliveryState.SENT)
    assert "a defect" in failed.reason


async def test_days_of_waiting_to_be_sent_are_no_days_of_refusals(sending: Sending) -> None:
    """An answer that leaves next week was written long ago, and is tried as long as any other."""
    message = sending.message("later", "support")
    sending.clock.time += GIVE_UP_AFTER * 2
    now = sending.clock.now()
    event = Event(
        derive("queued"), "later", now, OutboundQueued(message=message), "/hub/cases", derive("cause")
    )
    record = Record("1", event, event.id, event.type, event.key, Topic.OUTBOUND, b"")
    await sending.engine.commit(Step(documents=[(queued(record), 0)]))
    sending.channel.answers["support"] = Receipt(ReceiptStatus.RETRY, reason="451 greylisted")
    await sending.dispatcher.send_due()
    assert (await sending.delivery("later")).state is DeliveryState.QUEUED
