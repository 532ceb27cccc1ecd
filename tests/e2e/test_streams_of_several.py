"""Event streams of two processes of the API: a client that goes from one to the other misses nothing and hears nothing twice."""

import asyncio
import itertools
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.email.standin import Mailbox, StandinServer
from hub.wiring import SystemClock
from tests.e2e.hubs import HubProcess, write_settings
from tests.e2e.several import Several, mail, make_topics, settings_on_servers, several
from tests.hub.http.serving import Message, listening
from tests.support.process import HUBBUB, Running, running
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]

EVENTS = "/api/v1/events/stream"
CASES = "/api/v1/cases/stream"
NOTES = 90


@pytest.fixture
async def relay() -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(":memory:")
    made = StandinServer(mailbox, SystemClock())
    await made.start()
    yield made
    await made.stop()
    await mailbox.close()


@dataclass
class Desk:
    """A process that serves the API alone."""

    run: Running
    address: str


@asynccontextmanager
async def desk(settings: Path, name: str) -> AsyncIterator[Desk]:
    """In a data folder of its own, with the secret of the installation."""
    folder = settings.parent.parent / name
    own = write_settings(folder, {**_read(settings), "data": "data"})
    (folder / "data").mkdir()
    (folder / "data" / "secret.key").write_bytes((settings.parent / "data" / "secret.key").read_bytes())
    async with running(HUBBUB, "up", "--only", "api", "--config", str(own)) as run:
        await run.said(r"ready; stop with", 40)
        told = (re.match(r"console\s+(\S+)$", line.strip()) for line in run.lines)
        yield Desk(run, next(each[1] for each in told if each))


def _read(settings: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(settings.read_text())
    return found


async def opened(hub: Several, count: int) -> list[str]:
    """Numbers of so many cases, each in a conversation of its own."""
    await hub.send(*(mail(f"customer{number}", 0) for number in range(count)))

    async def look() -> list[str]:
        cases = await hub.front.everything("/cases")
        return [each["number"] for each in cases] if len(cases) == count else []

    return await eventually(look, 60)


async def key(hub: HubProcess) -> str:
    async with hub.operator() as api:
        body = {"name": "reader", "scopes": ["read", "write", "events"], "roles": {"*": "admin"}}
        answer = await api.post("/keys", json=body)
        assert answer.status_code == 201, answer.text
        text: str = answer.json()["secret"]
        return text


async def write_notes(clients: list[httpx.AsyncClient], cases: list[str]) -> None:
    """By turns through each process."""
    for number, client, case in zip(range(NOTES), itertools.cycle(clients), itertools.cycle(cases)):
        body = {"text": f"note {number}"}
        answer = await client.post(f"/api/v1/cases/{case}/notes", json=body)
        assert answer.status_code == 200, answer.text


async def hop(clients: list[httpx.AsyncClient], path: str, count: int, **params: Any) -> list[dict[str, Any]]:
    """So many events, a few from each process in turn, each connection resuming where the one before was cut."""
    seen: list[dict[str, Any]] = []
    last = ""
    for turn, client in enumerate(itertools.cycle(clients)):
        async with listening(client, path, last, **params) as stream:
            async for message in stream.messages():
                if message.event == "closing":
                    break
                last = message.id
                seen.append(message.content)
                if len(seen) == count:
                    return seen
                if len(seen) % (3 + turn % 5) == 0:
                    break
    raise AssertionError("never reached")


async def place(client: httpx.AsyncClient, path: str) -> str:
    """Where the log ends now, as this process tells it."""
    async with listening(client, path) as stream:
        async for line in stream.response.aiter_lines():
            if line.startswith("id: "):
                return line.removeprefix("id: ")
    raise AssertionError("the stream told no place")


@pytest.mark.slow
async def test_a_client_goes_from_process_to_process_without_gap_or_double(
    tmp_path: Path, relay: StandinServer
) -> None:
    settings = settings_on_servers(tmp_path / "front", relay.port)
    await make_topics(settings)
    async with (
        several(settings, "one") as hub,
        desk(settings, "desk1") as one,
        desk(settings, "desk2") as two,
    ):
        numbers = await opened(hub, 6)
        await hub.front.settled(60)
        headers = {"Authorization": f"Bearer {await key(hub.front)}"}
        async with (
            httpx.AsyncClient(base_url=one.address, headers=headers, timeout=30) as first,
            httpx.AsyncClient(base_url=two.address, headers=headers, timeout=30) as second,
        ):
            clients = [first, second]
            begin = await place(first, EVENTS)
            writing = asyncio.create_task(write_notes(clients, numbers))
            events, live = await asyncio.gather(
                hop(clients, EVENTS, NOTES, after=begin, topic="cases"),
                hop(clients[::-1], CASES, NOTES, after=begin),
            )
            await writing
            page = (await second.get("/api/v1/events", params={"after": begin, "topic": "cases"})).json()
            assert [each["id"] for each in page["items"]] == sorted_as(page["items"], events)
            assert len({each["id"] for each in events}) == NOTES
            for about, told in by_case(events).items():
                assert told == sorted(set(told)), about
            for about, told in by_case(live, "case", "sequence").items():
                assert told == sorted(set(told)), about
            assert sum(map(len, by_case(live, "case", "sequence").values())) == NOTES
            await hears_on_after_a_kill(one, clients, numbers)
            counts = [(await each.get("/api/v1/queues")).json() for each in clients[1:]]
            assert sum(each["open"] for each in counts[0]) == len(numbers)


async def hears_on_after_a_kill(one: Desk, clients: list[httpx.AsyncClient], numbers: list[str]) -> None:
    """The process that a client listens to is killed; the other one goes on where it was."""
    async with listening(clients[0], EVENTS, topic="cases") as stream:
        messages = stream.messages()
        reading = asyncio.create_task(_next(messages))
        await eventually(lambda: stream.last_id)
        await write_notes_by(clients[1], numbers[0], "before")
        heard = await reading
        os.kill(one.run.process.pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            await _next(messages)
    await write_notes_by(clients[1], numbers[0], "after")
    async with listening(clients[1], EVENTS, heard.id, topic="cases") as stream:
        message = await anext(stream.messages())
    assert heard.content["data"]["text"] == "before"
    assert message.content["data"]["text"] == "after"


async def _next(messages: AsyncIterator[Message]) -> Message:
    return await anext(messages)


async def write_notes_by(client: httpx.AsyncClient, case: str, text: str) -> None:
    answer = await client.post(f"/api/v1/cases/{case}/notes", json={"text": text})
    assert answer.status_code == 200, answer.text


def sorted_as(page: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[str]:
    """The ids of the events, in the order of the page."""
    heard = {each["id"] for each in events}
    return [each["id"] for each in page if each["id"] in heard]


def by_case(
    events: list[dict[str, Any]], case: str = "partitionkey", sequence: str = "sequence"
) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for each in events:
        found.setdefault(each[case], []).append(int(each[sequence]))
    return found
