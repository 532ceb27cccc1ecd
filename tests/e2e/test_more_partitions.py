"""Topics get more partitions when nothing is on its way, and not before; conversations go on where they were."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.hubs import hubbub
from tests.e2e.several import mail, make_topics, settings_on_servers, several
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(300),
]

MORE = 7


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


@pytest.mark.slow
async def test_partitions_grow_only_when_all_is_done_and_conversations_go_on(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path, relay.port)
    await make_topics(settings)
    senders = [f"customer{number}" for number in range(10)]
    async with several(settings, "one") as hub:
        items = await hub.send(*(mail(sender, 0) for sender in senders))
        await hub.front.settled(60)
        chosen = json.loads(settings.read_text())
        chosen["log"] = chosen["log"].replace("partitions=4", f"partitions={MORE}")
        settings.write_text(json.dumps(chosen))
        grow = ("topics", "apply", "--grow", "--yes", "--config", str(settings))
        code, said = await hubbub(*grow)
        assert code == 3, said
        assert said.count("works: stop it") == 2
        assert await hub.workers.pop("one").stop() == 0
        items += await hub.send(*(mail(sender, 1, reply_to=0) for sender in senders))
        assert await hub.front.run.stop() == 0
        code, said = await hubbub(*grow)
        assert code == 3, said
        assert f"the consumer cases has {len(senders)} events to do" in said
        await hub.start_worker("one")

        async def is_done() -> bool:
            return "events to do" not in (await hubbub(*grow))[1]

        await eventually(is_done, 90)
        assert await hub.workers.pop("one").stop() == 0
        code, said = await hubbub(*grow)
        assert code == 0, said
        assert said.count("^ grow") == 10
    async with several(settings, "one", "two") as hub:
        items += await hub.send(*(mail(sender, 2, reply_to=1) for sender in senders))
        await hub.front.settled(60)
        cases = await hub.front.everything("/cases")
        assert len(cases) == len(senders)
        for case in cases:
            entries = await hub.front.everything(f"/cases/{case['number']}/timeline")
            written = sorted(entries, key=lambda entry: entry["sequence"])
            texts = [each["text"].strip() for each in written if each["text"].startswith("message ")]
            assert texts == ["message 0", "message 1", "message 2"]
        await hub.verified(items)
