"""Several dispatchers on one store: each message is sent by one of them, and what a dead one was at is unknown, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from schemas.collections import DELIVERIES
from schemas.crash import Crashed
from schemas.documents import Delivery
from schemas.events import Actor
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.members import Membership
from schemas.outbound import DeliverySent, DeliveryState, DeliveryUnknown, OutboundMessage
from schemas.ports import Engine, Receipt, ReceiptStatus
from schemas.steps import START, Query, Step
from schemas.topics import Topic
from sinks.outbound import Dispatcher
from tests.contracts.engines import ATOMIC, ENGINES
from tests.contracts.samples import NOON, FixedClock

SENT = Receipt(ReceiptStatus.SENT, external_id="mail:x")
pytestmark = pytest.mark.parametrize("name", ATOMIC)


class Neighbours:
    """A membership as this process sees it: who is gone, and whether it shares the accounts or races for each."""

    def __init__(self, name: str, gone: set[UUID], mine: set[str] | None = None) -> None:
        self.id = derive(name)
        self.valid: list[bool] = []
        """The answers to come; then it is."""
        self._gone = gone
        self._mine = mine

    @property
    def is_valid(self) -> bool:
        return self.valid.pop(0) if self.valid else True

    async def gone(self, members: object) -> set[UUID]:
        assert isinstance(members, set)
        return members & self._gone

    def is_first_for(self, name: str, duty: str) -> bool:
        return self._mine is None or name in self._mine


class Channel:
    """All processes send through it; it remembers who had what, in order, and can hold one process up."""

    channel = "email"

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.called = asyncio.Event()
        self.answer: Receipt | None = SENT

    async def deliver(self, message: OutboundMessage) -> Receipt:
        self.taken.append(message.subject)
        self.called.set()
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.answer is None:
            raise Crashed("the process ends while it sends")
        return self.answer


def message(subject: str, conversation: str, account: str = "support") -> OutboundMessage:
    return OutboundMessage(
        message=derive(subject),
        channel="email",
        account=account,
        brand="default",
        conversation=conversation,
        recipients=(Participant(role=Role.TO, scheme="email", value="ann@example.com"),),
        subject=subject,
        text="Hello",
        author=Actor(kind="agent", id="mia"),
        queued_at=NOON,
    )


class Company:
    """One store, any number of dispatchers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.gone: set[UUID] = set()
        self._order = 0

    async def queue(self, *messages: OutboundMessage) -> None:
        step = Step()
        for each in messages:
            self._order += 1
            queued = Delivery(
                id=each.message,
                revision=1,
                message=each,
                order=self._order,
                next_attempt_at=NOON,
                changed_at=NOON,
            )
            step.documents.append((queued, 0))
        await self.engine.commit(step)

    def dispatcher(self, name: str, channel: Channel, mine: set[str] | None = None) -> Dispatcher:
        members: Membership = Neighbours(name, self.gone, mine)
        return Dispatcher(self.engine, FixedClock(), {"email": channel}, members)

    async def states(self) -> Counter[DeliveryState]:
        page = await self.engine.find(Query(DELIVERIES, limit=1000))
        return Counter(each.state for each in page.items if isinstance(each, Delivery))

    async def told(self) -> list[type]:
        records = await self.engine.scan((Topic.DELIVERIES,), START, 1000)
        return [type(each.event.data) for each in records if each.event is not None]


@pytest.fixture
async def company(name: str, tmp_path: Path) -> AsyncIterator[Company]:
    engine = await ENGINES[name](tmp_path / "data", FixedClock())
    yield Company(engine)
    await engine.close()


async def test_racing_for_all_of_it_each_message_is_sent_once_and_in_order(company: Company) -> None:
    conversations = [f"talk {number}" for number in range(6)]
    await company.queue(*(message(f"{each}/{number}", each) for number in range(4) for each in conversations))
    channel = Channel()
    racing = [company.dispatcher(f"process {number}", channel) for number in range(3)]
    async with asyncio.timeout(60):
        while (await company.states())[DeliveryState.SENT] < 24:
            await asyncio.gather(*(each.send_due() for each in racing))
    assert len(channel.taken) == len(set(channel.taken)) == 24
    for each in conversations:
        numbers = [int(sent.partition("/")[2]) for sent in channel.taken if sent.startswith(f"{each}/")]
        assert numbers == sorted(numbers)
    assert await company.told() == [DeliverySent] * 24


async def test_an_account_is_sent_for_by_the_one_that_it_belongs_to(company: Company) -> None:
    await company.queue(
        *(message(f"a{number}", f"a{number}", "sales") for number in range(3)),
        *(message(f"b{number}", f"b{number}", "support") for number in range(3)),
    )
    sales, support = Channel(), Channel()
    processes = [
        company.dispatcher("one", sales, {"email/sales"}),
        company.dispatcher("two", support, {"email/support"}),
    ]
    await asyncio.gather(*(each.send_due() for each in processes))
    assert {each[0] for each in sales.taken} == {"a"}
    assert {each[0] for each in support.taken} == {"b"}
    assert len(sales.taken) == len(support.taken) == 3


async def test_what_the_living_send_is_left_alone_and_what_the_dead_sent_is_unknown(company: Company) -> None:
    slow, deadly = Channel(), Channel()
    slow.gate.clear()
    deadly.answer = None
    await company.queue(message("of the living", "one"))
    living = asyncio.create_task(company.dispatcher("living", slow).send_due())
    await slow.called.wait()
    await company.queue(message("of the dead", "two"))
    await company.dispatcher("dead", deadly).send_due()
    survivor = company.dispatcher("survivor", Channel())
    assert await survivor.recover() == 0, "nobody is known to be gone"
    company.gone.add(derive("dead"))
    assert await survivor.recover() == 1
    assert await survivor.recover() == 0
    assert await company.states() == {DeliveryState.SENDING: 1, DeliveryState.UNKNOWN: 1}
    assert await survivor.send_due() == 0, "what may have arrived is not sent again"
    slow.gate.set()
    await living
    assert await company.states() == {DeliveryState.SENT: 1, DeliveryState.UNKNOWN: 1}
    assert sorted(each.__name__ for each in await company.told()) == ["DeliverySent", "DeliveryUnknown"]


async def test_who_was_taken_for_gone_and_is_not_tells_what_became_of_it(company: Company) -> None:
    await company.queue(message("a", "one"))
    slow = Channel()
    slow.gate.clear()
    sending = asyncio.create_task(company.dispatcher("slow", slow).send_due())
    await slow.called.wait()
    company.gone.add(derive("slow"))
    assert await company.dispatcher("other", Channel()).recover() == 1
    assert await company.states() == {DeliveryState.UNKNOWN: 1}
    slow.gate.set()
    await sending
    assert await company.states() == {DeliveryState.SENT: 1}
    assert await company.told() == [DeliveryUnknown, DeliverySent]
    assert slow.taken == ["a"]


async def test_who_may_be_taken_for_gone_begins_nothing(company: Company) -> None:
    await company.queue(message("a", "one"))
    channel = Channel()
    members = Neighbours("doubtful", set())
    dispatcher = Dispatcher(company.engine, FixedClock(), {"email": channel}, members)
    members.valid = [False]
    assert await dispatcher.send_due() == 0
    assert await dispatcher.send_due() == 1


async def test_who_stood_still_before_it_sent_sends_nothing_late(company: Company) -> None:
    await company.queue(message("a", "one"))
    channel = Channel()
    members = Neighbours("doubtful", set())
    dispatcher = Dispatcher(company.engine, FixedClock(), {"email": channel}, members)
    members.valid = [True, False]  # when it begins; when the message is marked as sending
    assert await dispatcher.send_due() == 1
    assert channel.taken == []
    assert await company.states() == {DeliveryState.QUEUED: 1}
    assert await company.told() == []
