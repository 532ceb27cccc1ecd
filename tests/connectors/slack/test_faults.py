"""Each fault of Slack on each thing that we do there, through the sending state machine: nothing lost, nothing done twice."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kit.sending import AccountsDeliverer
from connectors.slack.deliver import Sender
from connectors.slack.standin.api import Fault
from connectors.slack.standin.server import BOT_TOKEN, SlackStandin
from connectors.slack.standin.workspace import TEAM
from connectors.slack.web import SlackWeb
from schemas.crash import arm, set_hook
from schemas.documents import Delivery
from schemas.outbound import ChangeKind, DeliveryState, OutboundMessage, SentChange
from schemas.ports import Engine
from schemas.steps import References, Step
from sinks.outbound import Dispatcher
from tests.connectors.engines import on_servers, sqlite
from tests.connectors.slack.support import ANN, CHANNEL, Clock, account, outbound, standin
from tests.contracts.engines import KAFKA

KILLED = "killed between send and receipt"
FAULTS = {
    "down": Fault("status:503"),
    "slow": Fault("slow"),
    "429": Fault("limited", retry_after="7"),
    "5xx after accepting": Fault("status:502", after=True),
    "dropped after accepting": Fault("drop", after=True),
    "dropped before accepting": Fault("drop"),
    KILLED: None,
}
METHODS = {"answer": "chat.postMessage", "edit": "chat.update", "delete": "chat.delete"}
MESSAGES, AT = 5, 2
SERVERS = pytest.param(
    on_servers("nx-27017"), marks=[*KAFKA, pytest.mark.server("nx-27017"), pytest.mark.slow]
)


@dataclass
class Bench:
    """Messages that were sent, and what is asked of them then."""

    engine: Engine
    clock: Clock
    slack: SlackStandin
    deliverer: AccountsDeliverer
    conversation: str
    order: int = 0

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Another process."""
        self.dispatcher = Dispatcher(self.engine, self.clock, {"slack": self.deliverer})

    async def queue(self, message: OutboundMessage) -> None:
        self.order += 1
        now = self.clock.now()
        message = message.model_copy(update={"queued_at": now})
        delivery = Delivery(
            id=message.message,
            revision=1,
            message=message,
            order=self.order,
            next_attempt_at=now,
            changed_at=now,
        )
        await self.engine.commit(Step(documents=[(delivery, 0)]))

    async def delivery(self, message: OutboundMessage) -> Delivery:
        found = (await self.engine.load(References(documents={Delivery: {message.message}}))).documents
        kept = found[message.message]
        assert isinstance(kept, Delivery)
        return kept

    def answer(self, number: int) -> OutboundMessage:
        return outbound(f"text {number}", self.conversation, name=f"text {number}")

    async def changed(self, kind: str, number: int) -> OutboundMessage:
        sent = await self.delivery(self.answer(number))
        assert sent.state is DeliveryState.SENT
        change = SentChange(
            kind=ChangeKind(kind), message=sent.id, external_id=sent.external_id, parts=sent.parts
        )
        return outbound(f"new {number}", self.conversation, name=f"{kind} {number}", change=change)

    def stands(self) -> Counter[str]:
        return Counter(each["text"] for each in self.slack.workspace.from_app())


@asynccontextmanager
async def bench(engine: Engine, clock: Clock) -> AsyncIterator[Bench]:
    async with standin(slow_seconds=5.0) as slack:
        slack.workspace.tell = lambda event: None
        web = SlackWeb(BOT_TOKEN, slack.api_url, timeout_seconds=0.3)
        settings = account(slack.api_url)
        sender = Sender(settings, TEAM, web, clock, engine.blob, look_after_seconds=(0.0,))
        thread = slack.workspace.say(ANN, CHANNEL, "Where is it?")
        conversation = f"slack:{TEAM}:{CHANNEL}:{thread}"
        deliverer = AccountsDeliverer("slack", "Slack", {"acme": sender})
        try:
            yield Bench(engine, clock, slack, deliverer, conversation)
        finally:
            set_hook(None)
            await web.close()


@pytest.mark.parametrize("open_engine", [pytest.param(sqlite, id="sqlite"), SERVERS])
@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_asked_of_slack_is_done_once_whatever_goes_wrong(
    open_engine: object, kind: str, fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    async with open_engine(tmp_path, clock) as engine, bench(engine, clock) as on:  # type: ignore[operator]
        if kind != "answer":
            for number in range(MESSAGES):
                await on.queue(on.answer(number))
                clock.ahead += timedelta(seconds=2)
                await on.dispatcher.send_due()
        asked = []
        for number in range(MESSAGES):
            message = on.answer(number) if kind == "answer" else await on.changed(kind, number)
            asked.append(message)
            await on.queue(message)
            await meets(on, METHODS[kind], fault if number == AT else "")
        for _ in range(8):  # what waits is tried again, and what is unknown is asked for
            clock.ahead += timedelta(minutes=15)
            await on.dispatcher.settling.once()
            await on.dispatcher.send_due()
        states = Counter([str((await on.delivery(each)).state) for each in asked])
        stands = on.stands()
        wanted = {"answer": "text", "edit": "new"}.get(kind)
        expected: Counter[str] = Counter(
            [f"{wanted} {number}" for number in range(MESSAGES)] if wanted else []
        )
        lost, doubled = expected - stands, stands - expected
        with capsys.disabled():
            print(
                f"\n  {kind:7} {fault:31} {dict(states)}; lost {lost.total()}, doubled or left {doubled.total()}"
            )
        assert stands == expected and states == {"sent": MESSAGES}


async def meets(on: Bench, method: str, fault: str) -> None:
    on.clock.ahead += timedelta(seconds=2)
    if fault == KILLED:
        arm("outbound.before-result")
        await on.dispatcher.send_due()
        set_hook(None)
        on.again()
        await on.dispatcher.recover()
        return
    if fault:
        made = FAULTS[fault]
        assert made is not None
        on.slack.api.fail(method, made)
        if method == "chat.postMessage" and fault in ("slow", "down"):  # the look at the history fails too
            on.slack.api.fail("conversations.replies", made)
    await on.dispatcher.send_due()
