"""One case from many sides at once: two participants in two partitions, agents, links, duplicates, and workers that come and go."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.several import Several, mail, make_topics, settings_on_servers, several

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(400),
]

THREADS = 8
MAILS = 4
NOTES = 4


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


async def writes(hub: Several, mails: list[bytes]) -> list[str]:
    """Each after the one before was taken; and some again, as relays do that did not hear the answer."""
    items = []
    for each in mails:
        items += await hub.send(each)
        if random.random() < 0.2:
            assert await hub.send(each) == items[-1:]
    return items


async def note(hub: Several, case: str, text: str) -> None:
    """As a program does that asks again until it has an answer."""
    async with hub.front.operator() as api:
        for _ in range(20):
            answer = await api.post(
                f"/cases/{case}/notes",
                json={"text": text},
                headers={"Idempotency-Key": f"{case}-{text}".replace(" ", "-")},
            )
            if answer.status_code == 200:
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.2)
    raise AssertionError("never noted")


async def link_and_unlink(hub: Several, one: str, other: str) -> None:
    async with hub.front.operator() as api:
        ids = [
            (await api.get(f"/customers/{each}@customer.example")).json()["handles"][0]["id"]
            for each in (one, other)
        ]
        for _ in range(2):
            answer = await api.post(f"/customers/{ids[0]}/links", json={"other": ids[1]})
            assert answer.status_code in {200, 503}, answer.text
            answer = await api.delete(f"/customers/{ids[0]}/links/{ids[1]}")
            assert answer.status_code in {200, 409, 422, 503}, answer.text


async def come_and_go(hub: Several) -> None:
    """A third worker joins, one is killed and comes back, the third leaves."""
    await hub.start_worker("three")
    await hub.kill_worker("one")
    await hub.start_worker("one")
    assert await hub.workers.pop("three").stop() == 0


def senders_of(entries: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Who wrote what, in the order of the case."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in sorted(entries, key=lambda entry: entry["sequence"]):
        if each["text"].startswith("message "):
            (sender,) = [one["value"] for one in each["participants"] if one["role"] == "from"]
            found[sender.partition("@")[0]].append(each["text"].strip())
    return found


@pytest.mark.slow
async def test_order_and_effects_are_right_whoever_decides_whatever_comes_at_once(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path, relay.port)
    await make_topics(settings)
    async with several(settings, "one", "two") as hub:
        threads = range(THREADS)
        items = await hub.send(*(mail(f"ann{n}", 0, f"invoice {n}", copy=f"bob{n}") for n in threads))
        await hub.front.settled(120)
        items += await hub.send(
            *(mail(f"bob{n}", 0, f"invoice {n}", f"ann{n}-0", f"ann{n}") for n in threads)
        )
        await hub.front.settled(120)
        cases = {case["subject"]: case["number"] for case in await hub.front.everything("/cases")}
        assert sorted(cases) == [f"invoice {n}" for n in threads]
        # A mail's key is the message that it answers: Ann's and Bob's go to different partitions.
        by_ann = [mail(f"ann{n}", i, f"invoice {n}", f"bob{n}-0") for i in range(1, MAILS) for n in threads]
        by_bob = [mail(f"bob{n}", i, f"invoice {n}", f"ann{n}-0") for i in range(1, MAILS) for n in threads]
        done: list[list[str] | None] = await asyncio.gather(
            writes(hub, by_ann),
            writes(hub, by_bob),
            come_and_go(hub),
            *(link_and_unlink(hub, f"ann{n}", f"bob{n}") for n in threads),
            *(note(hub, number, f"note {i}") for number in cases.values() for i in range(NOTES)),
        )
        items += [each for sent in done[:2] for each in sent or ()]
        await hub.front.settled(180)
        assert {case["subject"] for case in await hub.front.everything("/cases")} == set(cases)
        for n in threads:
            entries = await hub.front.everything(f"/cases/{cases[f'invoice {n}']}/timeline")
            expected = [f"message {i}" for i in range(MAILS)]
            assert senders_of(entries) == {f"ann{n}": expected, f"bob{n}": expected}
            notes = [each["text"] for each in entries if each["kind"] == "note"]
            assert sorted(notes) == [f"note {i}" for i in range(NOTES)]
        assert await relay.mailbox.count() == THREADS
        await hub.verified(items)
