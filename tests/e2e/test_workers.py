"""Several processes on real Kafka and a server of MongoDB's protocol: the work is shared, and no worker's end is felt."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.several import mail, make_topics, several, settings_on_servers

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


async def test_two_workers_share_the_work_and_the_end_of_one_by_a_kill_is_made_up_for(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path, relay.port)
    await make_topics(settings)
    senders = [f"customer{number}" for number in range(8)]
    async with several(settings, "one", "two") as hub:
        items = await hub.send(*(mail(sender, 0) for sender in senders))
        await hub.kill_worker("one")
        items += await hub.send(*(mail(sender, 1, reply_to=0) for sender in senders))
        await hub.front.settled(120)
        items += await hub.send(*(mail(sender, 2, reply_to=1) for sender in senders))
        await hub.start_worker("one")
        await hub.front.settled(120)
        cases = await hub.front.everything("/cases")
        assert sorted(each["subject"] for each in cases) == sorted(f"invoice {each}" for each in senders)
        assert await relay.mailbox.count() == len(senders)
        for worker in hub.workers.values():
            assert await worker.stop(signal.SIGTERM) == 0
        assert await hub.front.run.stop() == 0
        await hub.verified(items)
        await asyncio.sleep(0)
