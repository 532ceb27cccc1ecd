"""Several processes on real Kafka and a server of MongoDB's protocol: the work is shared, and no worker's end is felt."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from deploy.local.servers import SERVERS
from hub.wiring import SystemClock
from hub.worker.agents import REBALANCE_SECONDS, SESSION_SECONDS
from tests.e2e.hubs import hubbub
from tests.e2e.several import Several, mail, make_topics, settings_on_servers, several
from tests.support.process import Running

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]


@contextmanager
def stopped(*runs: Running) -> Iterator[None]:
    """These processes stand still within the block."""
    for each in runs:
        os.kill(each.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in runs:
            os.kill(each.process.pid, signal.SIGCONT)


async def said_in_cases(hub: Several) -> dict[str, int]:
    """Sender -> how many messages of theirs are in the timeline of the one case that they have."""
    found: dict[str, int] = {}
    for case in await hub.front.everything("/cases"):
        entries = await hub.front.everything(f"/cases/{case['number']}/timeline")
        sender = case["subject"].removeprefix("invoice ")
        assert sender not in found, "two cases of one thread"
        found[sender] = sum(each["text"].startswith("message ") for each in entries)
    return found


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


@pytest.mark.slow
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


@pytest.mark.slow
async def test_what_is_applied_in_one_process_is_in_force_in_all(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path, relay.port, logging={"level": "info", "format": "json"})
    await make_topics(settings)
    async with several(settings, "one") as hub:
        (first,) = await hub.send(mail("ann", 0))
        await hub.front.settled(60)
        changed = json.loads(settings.read_text())
        changed["rules"][0]["queue"] = "inbox"
        settings.write_text(json.dumps(changed))
        code, said = await hubbub("apply", "--config", str(settings))
        assert code == 0, said
        await hub.workers["one"].said("version 2 of the configuration is in force", 10)
        (second,) = await hub.send(mail("bob", 0))
        await hub.front.settled(60)
        cases = {each["subject"]: each["queue"] for each in await hub.front.everything("/cases")}
        assert cases == {"invoice ann": "billing", "invoice bob": "inbox"}
        # One that is started with an older file takes nothing back.
        changed["rules"][0]["queue"] = "billing"
        settings.write_text(json.dumps(changed))
        late = await hub.start_worker("late")
        await late.said("the settings file differs from version 2", 10)
        await hub.verified([first, second])


@pytest.mark.slow
async def test_a_worker_stops_in_time_while_the_store_is_down_and_acknowledges_nothing(
    tmp_path: Path, relay: StandinServer
) -> None:
    own = SERVERS["nx-27017"].open(tmp_path / "nx")
    settings = settings_on_servers(tmp_path, relay.port, store=f"{own.url}down")
    await make_topics(settings)
    try:
        async with several(settings, "one", "two") as hub:
            items = await hub.send(*(mail(f"customer{number}", 0) for number in range(6)))
            await hub.front.settled(60)
            with stopped(*hub.workers.values()):
                items += await hub.send(*(mail(f"customer{number}", 1, reply_to=0) for number in range(6)))
                os.kill(own.process.pid, signal.SIGSTOP)
            await asyncio.gather(*(each.said("waits: ", 60) for each in hub.workers.values()))
            began = time.monotonic()
            assert await hub.workers.pop("one").stop(signal.SIGTERM) in {0, 1}
            assert time.monotonic() - began < 10
            os.kill(own.process.pid, signal.SIGCONT)
            await hub.front.settled(120)
            assert await said_in_cases(hub) == {f"customer{number}": 2 for number in range(6)}
            await hub.verified(items)
    finally:
        os.kill(own.process.pid, signal.SIGCONT)
        own.stop()


@pytest.mark.slow
async def test_a_worker_stops_in_time_while_kafka_is_silent(tmp_path: Path, relay: StandinServer) -> None:
    own = SERVERS["kafka"].open(tmp_path / "kafka")
    settings = settings_on_servers(tmp_path, relay.port, log=f"{own.url}?partitions=2")
    await make_topics(settings)
    try:
        async with several(settings, "one") as hub:
            items = await hub.send(*(mail(f"customer{number}", 0) for number in range(6)))
            await hub.front.settled(60)
            with stopped(*hub.workers.values()):
                items += await hub.send(*(mail(f"customer{number}", 1, reply_to=0) for number in range(6)))
                os.kill(own.process.pid, signal.SIGSTOP)
            began = time.monotonic()
            assert await hub.workers.pop("one").stop(signal.SIGTERM, 15) in {0, 1}
            assert time.monotonic() - began < 10
            os.kill(own.process.pid, signal.SIGCONT)
            await hub.start_worker("one")
            await hub.front.settled(120)
            assert await said_in_cases(hub) == {f"customer{number}": 2 for number in range(6)}
            await hub.verified(items)
    finally:
        os.kill(own.process.pid, signal.SIGCONT)
        own.stop()


@pytest.mark.slow
async def test_partitions_that_move_while_the_store_is_down_are_worked_on_when_it_is_back(
    tmp_path: Path, relay: StandinServer
) -> None:
    own = SERVERS["nx-27017"].open(tmp_path / "nx")
    settings = settings_on_servers(tmp_path, relay.port, store=f"{own.url}down")
    await make_topics(settings)
    try:
        async with several(settings, "one", "two", "three") as hub:
            items = await hub.send(*(mail(f"customer{number}", 0) for number in range(6)))
            await hub.front.settled(60)
            with stopped(*hub.workers.values()):
                items += await hub.send(*(mail(f"customer{number}", 1, reply_to=0) for number in range(6)))
                os.kill(own.process.pid, signal.SIGSTOP)
            await asyncio.gather(*(each.said("waits: ", 60) for each in hub.workers.values()))
            await hub.kill_worker("one")
            # Longer than a session and the time that Kafka gives a group to come together again.
            await asyncio.sleep(SESSION_SECONDS + REBALANCE_SECONDS + 5)
            began = time.monotonic()
            assert await hub.workers.pop("three").stop(signal.SIGTERM, 15) in {0, 1}
            assert time.monotonic() - began < 10
            os.kill(own.process.pid, signal.SIGCONT)
            await hub.front.settled(120)
            assert await said_in_cases(hub) == {f"customer{number}": 2 for number in range(6)}
            items += await hub.send(*(mail(f"customer{number}", 2, reply_to=1) for number in range(6)))
            await hub.front.settled(60)
            await hub.verified(items)
    finally:
        os.kill(own.process.pid, signal.SIGCONT)
        own.stop()
