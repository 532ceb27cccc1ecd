"""A worker ends at each named point of its work, and what it was at is finished by the next."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from schemas.crash import DISTRIBUTED_CRASH_POINTS
from tests.e2e.several import mail, make_topics, settings_on_servers, several

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(600),
]

BY_REQUESTS = {"distributed.after-blobs", "distributed.after-direct-publishing"}
"""Points that a worker does not pass when mail comes in: it keeps no originals, and publishes nothing but with a position."""
POINTS = ["runner.after-read", "runner.before-commit", "runner.after-commit", *DISTRIBUTED_CRASH_POINTS]


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


@pytest.mark.slow
async def test_whatever_a_worker_was_at_when_it_ended_is_finished_by_another(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path, relay.port)
    await make_topics(settings)
    points = [point for point in POINTS if point not in BY_REQUESTS]
    async with several(settings) as hub:
        items = []
        for point in points:
            sender = point.replace(".", "-")
            environment = {"HUBBUB_CRASH_AT": f"{point}:2", "HUBBUB_TESTING": "1"}
            dying = await hub.start_worker("dying", environment)
            items += await hub.send(mail(sender, 0), mail(f"{sender}-too", 0))
            assert await dying.process.wait() != 0
            # The same name: its partitions have waited for it.
            living = await hub.start_worker("dying")
            items += await hub.send(mail(sender, 1, reply_to=0))
            await hub.front.settled(60)
            assert await living.stop() == 0
        cases = await hub.front.everything("/cases")
        assert len(cases) == len({case["subject"] for case in cases}) == 2 * len(points)
        assert await relay.mailbox.count() == len(cases)
        await hub.verified(items)
