"""`hubbub demo --engine kafka`: the same company on real servers, with two workers."""

import os
import re
import signal
from pathlib import Path

import httpx
import pytest

from tests.support.process import HUBBUB, running
from tests.support.waiting import eventually

CHOSEN = "blue wheels turn"
pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.slow,
    pytest.mark.timeout(400),
]


async def test_the_demo_on_servers_answers_all_mail_and_proves_that_nothing_was_lost(tmp_path: Path) -> None:
    async with running(HUBBUB, "demo", "--engine", "kafka", "--once", folder=tmp_path) as demo:
        assert await demo.process.wait() == 0, "\n".join(demo.lines)
    told = "\n".join(demo.lines)
    assert "Starting Apache Kafka" in told
    assert "hubbub worker" in told
    assert re.search(r"verify: whole \(\d+ messages, \d+ acknowledged mails\)", told)


async def test_the_demo_on_servers_stays_goes_on_where_it_was_and_leaves_no_process_behind(
    tmp_path: Path,
) -> None:
    found = []
    for _ in range(2):
        async with running(HUBBUB, "demo", "--engine", "kafka", "--folder", "here", folder=tmp_path) as demo:
            way_in = (await demo.said("sign in as mia, (.+)", within_seconds=150))[1]
            console = (await demo.said("Console +(http://.+)/console"))[1]
            workers = (await demo.said(r"Workers +worker-1 \((\d+)\), worker-2 \((\d+)\)")).groups()
            async with httpx.AsyncClient(base_url=console, headers={"Origin": console}, timeout=20) as client:
                await sign_in(client, way_in)
                found.append(await eventually(lambda client=client: numbers(client), within_seconds=30))  # type: ignore[misc]
            assert await demo.stop(signal.SIGINT, within_seconds=60) == 0
        assert not [pid for pid in workers if runs(int(pid))]
    assert set(found[0]) <= set(found[1])


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def sign_in(client: httpx.AsyncClient, way_in: str) -> None:
    """With the one-time password that the demo tells, or with the one that was chosen then."""
    told = way_in.partition("one-time password: ")[2]
    session = await client.post("/api/v1/session", json={"name": "mia", "password": told or CHOSEN})
    assert session.is_success, session.text
    if told:
        own = {"old_password": told, "password": CHOSEN}
        headers = {"X-CSRF-Token": session.json()["csrf"]}
        assert (await client.post("/api/v1/session/password", json=own, headers=headers)).is_success


async def numbers(client: httpx.AsyncClient) -> list[str]:
    page = await client.get("/api/v1/cases", params={"limit": 100})
    return [case["number"] for case in page.json()["items"]]
