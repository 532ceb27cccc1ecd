"""Two workers send, and one is killed while the relay has its messages: those are unknown, once, and no others."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.standin import Mailbox, StandinServer
from hub.wiring import SystemClock
from tests.e2e.several import Several, mail, make_topics, settings_on_servers, several
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]

STATE = re.compile(r'^hubbub_outbound_messages\{state="(\w+)"\} (\S+)$', re.MULTILINE)
FOUND_WITHIN_SECONDS = 20.0


class Holding:
    """Awaited by the relay before each last answer; counts who waits, and lets them go at once."""

    def __init__(self) -> None:
        self.waiting = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> None:
        self.waiting += 1
        await self.gate.wait()


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


async def states(hub: Several) -> dict[str, int]:
    """State -> how many messages are in it; without those that have none."""
    async with hub.front.operator() as api:
        text = (await api.get("http://hub/metrics")).text
    return {name: int(float(count)) for name, count in STATE.findall(text) if float(count)}


@pytest.mark.slow
async def test_what_a_killed_worker_was_sending_is_unknown_and_what_the_other_sends_is_not(
    tmp_path: Path, relay: StandinServer, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_on_servers(tmp_path, relay.port)
    await make_topics(settings)
    holding = Holding()
    relay.behave(wait=holding)
    async with several(settings, "one") as hub:
        items = await hub.send(*(mail(f"before{number}", 0) for number in range(3)))
        await eventually(lambda: holding.waiting == 3, 60)
        await hub.start_worker("two")
        assert (await states(hub)).get("sending") == 3
        await asyncio.sleep(
            3
        )  # the second worker looks for messages of senders that are gone, and finds none
        assert (await states(hub)).get("sending") == 3
        await hub.kill_worker("one")
        began = time.monotonic()
        await eventually(lambda: are_unknown(hub, 3), FOUND_WITHIN_SECONDS, 0.2)
        took = time.monotonic() - began
        items += await hub.send(*(mail(f"after{number}", 0) for number in range(2)))
        await eventually(lambda: holding.waiting == 5, 60)
        holding.gate.set()
        await hub.front.settled(60)
        assert await states(hub) == {"unknown": 3}
        arrived = await relay.mailbox.list(limit=100)
        ids = [each.message_id for each in arrived]
        # The relay drops a mail whose sender is gone before the answer; nobody here can know that.
        assert len(ids) == len(set(ids)) == 2, "what may have arrived is not sent again"
        assert '"outbound:sent":2' in (await hub.verified(items)).replace(" ", "")
    with capsys.disabled():
        print(f"\nwhat a killed worker was sending was known to be unknown after {took:.1f} s")


async def are_unknown(hub: Several, count: int) -> bool:
    return (await states(hub)).get("unknown") == count
