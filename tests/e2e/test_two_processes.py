"""Two `hubbub up` on one Kafka and MongoDB, and one mailbox: read by one of them, whoever is killed or stands still."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.email.standin import Mailbox, StandinServer
from tests.connectors.email.imap.dovecot import PASSWORD, Dovecot, dovecot
from tests.connectors.email.imap.house import USER, RealClock, mail
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, write_settings
from tests.support.servers import server
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.server("dovecot"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]

KILLED_WITHIN_SECONDS = 8.0
"""A neighbour on the same machine is seen to be gone at once; the rest is a login and a fetch on a busy machine."""
SILENT_WITHIN_SECONDS = 30.0
"""One that stands still is missed after ten seconds."""
ELSEWHERE = "another process fetches"


@pytest.fixture
async def mailbox() -> AsyncIterator[Dovecot]:
    async with dovecot(USER, without=("MOVE",)) as started:
        yield started


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    kept = Mailbox(":memory:")
    standin = StandinServer(kept, RealClock())
    await standin.start()
    yield standin
    await standin.stop()
    await kept.close()


def two_settings(folder: Path, relay: StandinServer, mailbox: Dovecot) -> list[Path]:
    """The same company for two processes with a folder each, and one secret."""
    name = uuid4().hex[:8]
    chosen: dict[str, Any] = company(relay.port) | {
        "automations": [],
        "log": f"{server('kafka').url}?prefix=two-{name}.&partitions=2",
        "store": f"{server('nx-27017').url}two_{name}",
    }
    box = {"name": "box", "host": "127.0.0.1", "port": mailbox.port, "security": "none", "username": USER}
    box |= {"password": PASSWORD, "first_run": "all", "post_action": "move", "move_to": "Kept"}
    chosen["email"]["imap"] = [box]
    secret = os.urandom(32)
    paths = []
    for each in ("one", "two"):
        paths.append(write_settings(folder / each, chosen))
        (folder / each / "data").mkdir()
        (folder / each / "data" / "secret.key").write_bytes(secret)
    return paths


async def reads(hub: HubProcess) -> bool:
    """Whether this process is the one that fetches."""
    async with hub.operator() as api:
        connectors = (await api.get("/connectors")).json()
    (box,) = [each for each in connectors if each["name"] == "email:box"]
    return ELSEWHERE not in box["detail"] and "waits until" not in box["detail"]


async def taken(hub: HubProcess) -> list[str]:
    """Ids of the interactions on the log, doubles too."""
    items = await hub.everything("/events", topic="interactions")
    return [each["id"] for each in items]


async def until_taken(hub: HubProcess, count: int, within_seconds: float) -> float:
    began = time.monotonic()

    async def look() -> bool:
        return len(set(await taken(hub))) >= count

    await eventually(look, within_seconds, 0.1)
    return time.monotonic() - began


@pytest.mark.slow
async def test_a_mailbox_is_handed_over_and_nothing_has_two_effects_or_is_copied_twice(
    tmp_path: Path, mailbox: Dovecot, relay: StandinServer, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = two_settings(tmp_path, relay, mailbox)
    code, said = await hubbub("topics", "apply", "--yes", "--config", str(one))
    assert code == 0, said
    async with hub_process(two) as survivor, hub_process(one) as other:
        deliver(mailbox, 0, 5)
        await until_taken(other, 5, 30)
        both = [survivor, other]
        reading = [await reads(each) for each in both]
        assert sorted(reading) == [False, True]
        killed, left = both if reading[0] else both[::-1]
        deliver(mailbox, 5, 10)
        await killed.run.stop(signal.SIGKILL)
        by_kill = await until_taken(left, 10, KILLED_WITHIN_SECONDS)
        assert await reads(left)
        await asyncio.gather(*(each.run.stop(signal.SIGKILL) for each in both if each is not killed))
    async with hub_process(one) as standing, hub_process(two) as waiting:
        both = [standing, waiting]
        frozen, left = both if await what(standing) == "reads" else both[::-1]
        assert await what(left) == "waits"
        os.kill(frozen.run.process.pid, signal.SIGSTOP)
        deliver(mailbox, 10, 15)
        by_silence = await until_taken(left, 15, SILENT_WITHIN_SECONDS)
        os.kill(frozen.run.process.pid, signal.SIGCONT)
        deliver(mailbox, 15, 20)
        await until_taken(left, 20, 30)
        await eventually(lambda: not_reading(frozen), 20)
        await left.settled(60)
        ids = await taken(left)
        # What a killed reader had published and not noted may come again, as the same events; it has no second effect.
        assert len(set(ids)) == 20
        assert len(ids) <= 25
        assert len(await left.everything("/cases")) == 20
        for each in both:
            assert await each.run.stop(signal.SIGTERM, 30) == 0
    with mailbox.client(USER, "Kept") as client:
        copies = client.uid("SEARCH", "ALL")[1][0].split()
    assert len(copies) == 20, "copied twice"
    code, said = await hubbub("verify", "--json", "--config", str(one))
    assert code == 0, said
    with capsys.disabled():
        print(
            f"\nhand-over of a mailbox: {by_kill:.1f} s after kill -9, {by_silence:.1f} s after standing still"
        )


async def what(hub: HubProcess) -> str:
    """What this process does with the mailbox, once that is certain: reads, waits."""

    async def look() -> str:
        return await known(hub)

    return await eventually(look, 20)


async def known(hub: HubProcess) -> str:
    """What this process does with the mailbox, once that is certain."""
    async with hub.operator() as api:
        connectors = (await api.get("/connectors")).json()
    (box,) = [each for each in connectors if each["name"] == "email:box"]
    if ELSEWHERE in box["detail"]:
        return "waits"
    return "reads" if "listening" in box["detail"] else ""


async def not_reading(hub: HubProcess) -> bool:
    return not await reads(hub)


def deliver(mailbox: Dovecot, first: int, last: int) -> None:
    for number in range(first, last):
        mailbox.deliver(USER, mail(number), number)
