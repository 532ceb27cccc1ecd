"""An account sends as often as its channel allows, and rests when the channel says so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.ports import Allowance, Limit, Receipt, ReceiptStatus
from sinks.outbound import Dispatcher
from sinks.outbound_pace import Pace
from sinks.sqlite.engine import open_engine
from tests.sinks.test_outbound import SENT, Channel, Sending
from tests.support.clock import StandingClock

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DESK = ("chat", "desk")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def paced(allowance: Allowance | None = None) -> Pace:
    return Pace(lambda _account: allowance)


def test_an_account_of_which_nothing_is_known_never_waits() -> None:
    pace = paced()
    for _ in range(100):
        pace.took(DESK, NOW)
    assert pace.wait_seconds(DESK, NOW) == 0


def test_a_burst_leaves_at_once_and_then_one_after_another() -> None:
    pace = paced(Allowance(per_second=2, burst=3))
    for _ in range(3):
        assert pace.wait_seconds(DESK, NOW) == 0
        pace.took(DESK, NOW)
    assert pace.wait_seconds(DESK, NOW) == 0.5
    assert pace.wait_seconds(DESK, later(0.5)) == 0


def test_one_account_does_not_wait_for_another() -> None:
    pace = paced(Allowance(per_second=1))
    pace.took(DESK, NOW)
    assert pace.wait_seconds(DESK, NOW) == 1
    assert pace.wait_seconds(("chat", "other"), NOW) == 0


def test_an_account_rests_for_as_long_as_the_channel_asks() -> None:
    pace = paced()
    pace.told(DESK, Limit(rest_seconds=30), NOW)
    assert pace.wait_seconds(DESK, later(10)) == 20
    assert pace.wait_seconds(DESK, later(30)) == 0


def test_an_account_that_has_nothing_left_waits_for_the_next_window() -> None:
    pace = paced()
    pace.told(DESK, Limit(remaining=0, reset_seconds=60), NOW)
    assert pace.wait_seconds(DESK, NOW) == 60
    assert pace.wait_seconds(DESK, later(60)) == 0


def test_what_remains_is_not_exceeded_and_forgotten_after_its_window() -> None:
    pace = paced()
    pace.told(DESK, Limit(remaining=2, reset_seconds=100), NOW)
    pace.took(DESK, NOW)
    pace.took(DESK, NOW)
    assert pace.wait_seconds(DESK, NOW) == 50
    assert pace.wait_seconds(DESK, later(100)) == 0


def test_no_channel_can_make_an_account_rest_for_ever() -> None:
    pace = paced()
    pace.told(DESK, Limit(rest_seconds=1e9), NOW)
    assert pace.wait_seconds(DESK, later(24 * 3600)) == 0


class PacedChannel(Channel):
    """Takes one message a second of each account."""

    def allowance(self, account: str) -> Allowance | None:
        return Allowance(per_second=1)


@pytest.fixture
async def paced_sending(tmp_path: Path) -> AsyncIterator[Sending]:
    clock = StandingClock()
    engine = await open_engine(tmp_path / "data", clock=clock)
    sending = Sending(engine, clock)
    sending.channel = PacedChannel()
    sending.dispatcher = Dispatcher(engine, clock, {"email": sending.channel})
    yield sending
    await engine.close()


async def test_the_dispatcher_keeps_to_what_the_deliverer_knows(paced_sending: Sending) -> None:
    for name in ("a", "b", "c"):
        await paced_sending.queue(name, conversation=name)
    assert await paced_sending.dispatcher.send_due() == 1
    assert await paced_sending.dispatcher.send_due() == 0
    paced_sending.clock.time += timedelta(seconds=1)
    assert await paced_sending.dispatcher.send_due() == 1
    assert paced_sending.channel.taken == ["a", "b"]


async def test_all_of_an_account_waits_when_one_answer_says_so(paced_sending: Sending) -> None:
    asked = Receipt(ReceiptStatus.RETRY, reason="429", retry_after_seconds=30, limit=Limit(rest_seconds=30))
    paced_sending.channel.answers = [asked, SENT]
    await paced_sending.queue("a", conversation="a")
    await paced_sending.queue("b", conversation="b")
    await paced_sending.dispatcher.send_due()
    paced_sending.clock.time += timedelta(seconds=29)
    assert await paced_sending.dispatcher.send_due() == 0
    paced_sending.clock.time += timedelta(seconds=1)
    assert await paced_sending.dispatcher.send_due() == 1
