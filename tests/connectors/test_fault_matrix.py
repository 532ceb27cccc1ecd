"""Each fault on each channel, through intake and the sending state machine: nothing lost, nothing done twice; the counts are printed."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.kit.example.rig import ExampleRig
from connectors.kit.rigs import Clock, House, Rig, Send, Told
from connectors.slack.rig import SlackRig
from connectors.webhook.rig import WebhookRig
from connectors.x.rig import XRig
from schemas.collections import DELIVERIES
from schemas.crash import Crashed, arm, set_hook
from schemas.documents import Delivery
from schemas.ids import derive
from schemas.interactions import InteractionReceived
from schemas.steps import Query, Step
from sinks.outbound import Dispatcher
from tests.connectors.email.imap.test_contract import ImapRig
from tests.connectors.email.test_contract import EmailRig
from tests.connectors.engines import Open, on_servers, sqlite
from tests.connectors.webform.test_contract import WebformRig
from tests.contracts.engines import KAFKA

RIGS = (EmailRig, WebformRig, SlackRig, XRig, WebhookRig, ExampleRig)
SERVERS = pytest.param(
    on_servers("nx-27017"), id="servers", marks=[*KAFKA, pytest.mark.server("nx-27017"), pytest.mark.slow]
)
MESSAGES = 12
AT = 4
"""Which of them meets the fault."""
INTAKE_FAULTS = ("intake.after-original", "intake.before-commit", "intake.before-acknowledge", "log down")
MAILBOX_FAULTS = ("intake.before-commit", "imap.before-cursor", "log down")
INTAKE = [
    *(pytest.param(rig, fault, id=f"{rig.channel.name}-{fault}") for rig in RIGS for fault in INTAKE_FAULTS),
    *(
        pytest.param(
            ImapRig, fault, id=f"mailbox-{fault}", marks=[pytest.mark.slow, pytest.mark.server("dovecot")]
        )
        for fault in MAILBOX_FAULTS
    ),
]
"""A mailbox is a source of its own; what answers its mail is the relay, as for all mail."""
SENDING_FAULTS = (
    Send.REFUSES,
    Send.LIMITS,
    Send.LOSES,
    Send.BREAKS,
    Send.REJECTS_US,
    Send.DOWN,
)
CRASHES = (
    "outbound.before-sending",
    "outbound.after-sending",
    "outbound.before-result",
    "outbound.after-result",
)


@pytest.fixture(params=RIGS, ids=lambda rig: rig.channel.name)
def rig(request: pytest.FixtureRequest) -> Rig:
    made: Rig = request.param()
    return made


@pytest.fixture(params=[pytest.param(sqlite, id="embedded"), SERVERS])
async def house(request: pytest.FixtureRequest, tmp_path: Path, rig: Rig) -> AsyncIterator[House]:
    clock = Clock()
    open_engine: Open = request.param
    async with open_engine(tmp_path / "engine", clock) as engine:
        house = House(engine, clock)
        await rig.begin()
        await rig.open(house)
        yield house
        set_hook(None)
        await rig.close()
        await rig.end()
        await house.close()


@pytest.mark.parametrize(("rig", "fault"), INTAKE, indirect=["rig"])
async def test_everything_that_a_source_gives_is_on_the_log_once(
    house: House, rig: Rig, fault: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    again = 0
    for number in range(MESSAGES):
        given = rig.message(f"m{number}", f"text {number}.")
        if number == AT:
            again += await meets(house, rig, fault, given)
        assert await rig.give(given) is Told.DONE
    received = Counter(each.content.text.strip() for each in await house.received())
    lost = [number for number in range(MESSAGES) if not any(f"text {number}." in text for text in received)]
    doubled = [text for text, count in received.items() if count > 1]
    with capsys.disabled():
        print(
            f"\n  {'mailbox' if isinstance(rig, ImapRig) else rig.channel.name:9} in  {fault:27} given {MESSAGES}, again {again}, lost {len(lost)}, doubled {len(doubled)}"
        )
    assert not lost and not doubled and again == 1


async def meets(house: House, rig: Rig, fault: str, given: object) -> int:
    """The source gives it while the fault is there, and is not told that it is done."""
    if fault == "log down":
        house.watched.is_down = True
    else:
        arm(fault)
    try:
        told = await rig.give(given)  # type: ignore[arg-type]
    except Crashed:
        told = Told.AGAIN
    set_hook(None)
    house.watched.is_down = False
    if fault != "log down":  # a new process
        await rig.close()
        await rig.open(house)
    return int(told is Told.AGAIN)


class Sending:
    """Answers that are queued one by one and sent by dispatchers, of which one may end in between."""

    def __init__(self, house: House, rig: Rig) -> None:
        self._house, self._rig = house, rig
        self._order = 0
        self.again()

    def again(self) -> None:
        deliverer = self._rig.opened.deliverer
        assert deliverer is not None
        channel = self._rig.channel.name
        self.dispatcher = Dispatcher(self._house.engine, self._house.clock, {channel: deliverer})

    async def queue(self, received: InteractionReceived, text: str) -> None:
        self._order += 1
        now = self._house.clock.now()
        message = self._rig.outbound(received, text, text).model_copy(
            update={
                "queued_at": now,
                "message": derive("matrix", text),
                "conversation": received.conversation,
            }
        )
        delivery = Delivery(
            id=message.message,
            revision=1,
            message=message,
            order=self._order,
            next_attempt_at=now,
            changed_at=now,
        )
        await self._house.engine.commit(Step(documents=[(delivery, 0)]))

    async def send(self, seconds: float = 0) -> None:
        self._house.clock.advance(seconds)
        await self.dispatcher.send_due()

    async def states(self) -> Counter[str]:
        page = await self._house.engine.find(Query(DELIVERIES, limit=200))
        return Counter(str(each.state) for each in page.items if isinstance(each, Delivery))


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*SENDING_FAULTS, *CRASHES], ids=str)
async def test_every_answer_arrives_once_or_its_state_says_why_not(
    house: House,
    rig: Rig,
    fault: Send | str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if not rig.capabilities.reply:
        pytest.skip("not applicable: answers leave by another channel")
    caplog.set_level(logging.CRITICAL)
    assert await rig.give(rig.message("asked")) is Told.DONE
    (received,) = await house.received()
    sending = Sending(house, rig)
    texts = [f"answer {number}." for number in range(MESSAGES)]
    for number, text in enumerate(texts):
        last_and_down = fault is Send.DOWN and number == MESSAGES - 1
        if (number == AT and fault is not Send.DOWN) or last_and_down:
            await answered_with(sending, rig, received, text, fault)
            continue
        assert await rig.prepare(Send.TAKES)
        await sending.queue(received, text)
        await sending.send()
    for _ in range(8):  # what waits is tried again, with growing pauses
        await sending.send(900)
    arrived = await rig.arrived()
    counts = Counter(text for text in texts for each in arrived if text in each)
    states = await sending.states()
    doubled = [text for text, count in counts.items() if count > 1]
    lost = states["sent"] - len(counts)
    with capsys.disabled():
        told = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        print(
            f"\n  {rig.channel.name:9} out {fault!s:42} {told}; arrived {len(counts)}, lost {max(lost, 0)}, doubled {len(doubled)}"
        )
    assert not doubled and lost <= 0
    assert sum(states.values()) == MESSAGES and not states["sending"]


async def answered_with(
    sending: Sending, rig: Rig, received: InteractionReceived, text: str, fault: Send | str
) -> None:
    if isinstance(fault, Send):
        if not await rig.prepare(fault):
            pytest.skip(f"not applicable: the other side never says that it {fault}")
        await sending.queue(received, text)
        await sending.send()
        if fault is not Send.DOWN:
            await rig.prepare(Send.TAKES)
        return
    await rig.prepare(Send.TAKES)
    await sending.queue(received, text)
    arm(fault)
    await sending.send()  # the task ends as the process would
    set_hook(None)
    await asyncio.sleep(0)
    sending.again()
    await sending.dispatcher.recover()
