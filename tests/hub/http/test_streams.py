"""Event streams over a real socket: nothing missed, nothing twice, nothing that is not yours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from hub.http.context import Limits
from hub.observe import Metric
from schemas.accounts import Role, Scope
from schemas.case_work import CaseTransferred
from schemas.events import SYSTEM
from tests.hub.http.company import ADMIN, House, house
from tests.hub.http.serving import listening, served
from tests.support.waiting import eventually

EVENTS = "/api/v1/events/stream"
CASES = "/api/v1/cases/stream"
BRISK = Limits(heartbeat_seconds=0.05, slow_consumer_seconds=0.2, streams_per_principal=2)


@dataclass
class Net:
    """The house on a socket, and a client with a key that may read all."""

    home: House
    address: str
    client: httpx.AsyncClient
    is_stopping: list[bool]

    def open_streams(self, stream: str) -> float:
        return self.home.context.metrics.value(Metric.STREAMS, stream=stream) or 0

    async def key(self, roles: dict[str, Role], *scopes: Scope) -> httpx.AsyncClient:
        text = await self.home.key(roles, *scopes)
        return httpx.AsyncClient(base_url=self.address, headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    stopping: list[bool] = []
    async with house(tmp_path / "data", BRISK) as built:
        home = built.rebuilt(is_stopping=lambda: bool(stopping))
        async with served(home.app) as address:
            found = Net(home, address, httpx.AsyncClient(), stopping)
            found.client = await found.key({"*": Role.ADMIN})
            async with found.client:
                yield found


async def test_a_stream_that_is_cut_again_and_again_misses_nothing_and_repeats_nothing(net: Net) -> None:
    case = await net.home.case("ann")
    last = ""
    async with listening(net.client, EVENTS, topic="cases") as stream:  # only to know where now is
        async for line in stream.response.aiter_lines():
            if line.startswith("id: "):
                last = line.removeprefix("id: ")
                break

    async def write() -> list[str]:
        written = []
        for index in range(300):
            written.append(str((await net.home.note(case, f"note {index}")).id))
            if index % 7 == 0:
                await net.home.accounts.keys.create(f"noise {index}", [Scope.READ], {}, ADMIN)
        return written

    writing = asyncio.create_task(write())
    seen: list[str] = []
    connections = 0
    while len(seen) < 300:
        connections += 1
        async with listening(net.client, EVENTS, last, topic="cases") as stream:
            take = 1 + connections * 3
            async for message in stream.messages():
                seen.append(message.content["id"])
                last = message.id
                take -= 1
                if take == 0 or len(seen) == 300:
                    break
    assert seen == await writing
    assert connections > 5


async def test_the_place_moves_on_over_what_the_filters_leave_out(net: Net) -> None:
    case = await net.home.case("ann")
    async with listening(net.client, EVENTS, type="hubbub.case.resolved") as stream:
        reading = asyncio.create_task(anext(stream.messages(), None))
        await eventually(lambda: stream.last_id)
        before = stream.last_id
        await net.home.note(case, "not wanted")
        await eventually(lambda: stream.last_id != before)
        moved = stream.last_id
        reading.cancel()
    page = (await net.client.get("/api/v1/events", params={"after": moved})).json()
    assert page["items"] == []


async def test_a_place_of_a_page_is_a_place_of_a_stream(net: Net) -> None:
    case = await net.home.case("ann")
    await net.home.note(case, "one")
    page = (await net.client.get("/api/v1/events", params={"topic": "cases"})).json()
    await net.home.note(case, "two")
    async with listening(net.client, EVENTS, topic="cases", after=page["position"]) as stream:
        message = await anext(stream.messages())
    assert [each["data"]["text"] for each in page["items"]] == ["one"]
    assert message.event == "hubbub.case.noted"
    assert message.content["data"]["text"] == "two"


async def test_a_place_that_we_never_gave_out_is_refused(net: Net) -> None:
    answer = await net.client.get(EVENTS, headers={"Last-Event-ID": "1.AAAA"})
    assert answer.status_code == 422


async def test_a_client_that_takes_nothing_costs_a_place_and_is_told_when_it_reads_again(net: Net) -> None:
    case = await net.home.case("ann")
    large = case.model_copy(update={"subject": "x" * 60_000})
    key = net.client.headers["Authorization"]
    host = urlsplit(net.address)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (host.hostname, host.port))
        request = f"GET {EVENTS} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {key}\r\n\r\n"
        await loop.sock_sendall(deaf, request.encode())
        await eventually(lambda: net.open_streams("events") == 1)
        for index in range(200):  # 12 MB: more than all buffers on the way hold
            await net.home.note(large, f"note {index}")
        async with listening(net.client, EVENTS, topic="cases") as stream:  # others are served meanwhile
            await net.home.note(case, "for all")
            assert (await anext(stream.messages())).content["data"]["text"] == "for all"
        await eventually(lambda: net.open_streams("events") == 1)
        await asyncio.sleep(BRISK.slow_consumer_seconds)  # the limit itself is what is waited for
        received = b""
        while b'"reason":"slow"' not in received[-4096:]:
            received += await asyncio.wait_for(loop.sock_recv(deaf, 2**20), 10)
    assert len(received) < 200 * 60_000, "it went on although the client was too slow"
    await eventually(lambda: net.open_streams("events") == 0)
    assert net.home.context.metrics.value(Metric.STREAMS_CLOSED, stream="events", reason="slow") == 1


async def test_a_client_that_leaves_frees_its_place(net: Net) -> None:
    async with listening(net.client, EVENTS):
        assert net.open_streams("events") == 1
    await eventually(lambda: net.open_streams("events") == 0)
    assert net.home.context.metrics.value(Metric.STREAMS_CLOSED, stream="events", reason="left") == 1


async def test_a_principal_has_so_many_streams_and_no_more(net: Net) -> None:
    async with listening(net.client, EVENTS), listening(net.client, CASES):
        third = await net.client.get(EVENTS)
        other = await net.key({"*": Role.AGENT})
        async with other, listening(other, EVENTS):
            pass
    assert third.status_code == 429


async def test_a_stream_ends_when_its_key_is_revoked(net: Net) -> None:
    key, text = await net.home.accounts.keys.create("k", [Scope.EVENTS], {"*": Role.AGENT}, ADMIN)
    headers = {"Authorization": f"Bearer {text}"}
    async with (
        httpx.AsyncClient(base_url=net.address, headers=headers) as client,
        listening(client, EVENTS, topic="cases") as stream,
    ):
        await net.home.accounts.keys.revoke(key.id, ADMIN)
        message = await anext(stream.messages())
    assert (message.event, message.content) == ("closing", {"reason": "revoked"})


async def test_a_stream_says_that_the_hub_stops(net: Net) -> None:
    async with listening(net.client, EVENTS, topic="cases") as stream:
        net.is_stopping.append(True)
        message = await anext(stream.messages())
    assert (message.event, message.content) == ("closing", {"reason": "stopping"})


async def test_a_quiet_stream_gives_signs_of_life(net: Net) -> None:
    async with listening(net.client, EVENTS, topic="cases") as stream:
        reading = asyncio.create_task(anext(stream.messages(), None))
        await eventually(lambda: stream.comments >= 2)
        reading.cancel()


@pytest.mark.parametrize(
    ("roles", "scopes", "status"),
    [
        ({"orders": Role.ADMIN}, (Scope.EVENTS,), 403),
        ({"*": Role.AGENT}, (Scope.READ,), 403),
        ({"*": Role.AGENT}, (Scope.EVENTS,), 200),
    ],
)
async def test_the_log_is_for_who_may_read_every_queue(
    net: Net, roles: dict[str, Role], scopes: tuple[Scope, ...], status: int
) -> None:
    async with await net.key(roles, *scopes) as client:
        assert (await client.get("/api/v1/events")).status_code == status


async def test_the_audit_trail_is_not_for_every_reader_of_the_log(net: Net) -> None:
    async with await net.key({"*": Role.SUPERVISOR}, Scope.EVENTS) as client:
        everything = (await client.get("/api/v1/events", params={"limit": 1000})).json()
        refused = await client.get("/api/v1/events", params={"topic": "audit"})
    assert "audit" not in {each["topic"] for each in everything["items"]}
    assert refused.status_code == 403


async def test_events_come_as_lines_for_scripts(net: Net) -> None:
    case = await net.home.case("ann")
    for index in range(3):
        await net.home.note(case, f"note {index}")
    params: dict[str, str | int] = {"topic": "cases", "limit": 2}
    answer = await net.client.get("/api/v1/events", params=params, headers={"Accept": "application/x-ndjson"})
    lines = [httpx.Response(200, content=each).json() for each in answer.text.splitlines()]
    assert [each["data"]["text"] for each in lines] == ["note 0", "note 1"]
    rest = await net.client.get(
        "/api/v1/events", params={"topic": "cases", "after": answer.headers["x-position"]}
    )
    assert [each["data"]["text"] for each in rest.json()["items"]] == ["note 2"]


async def test_live_cases_are_those_of_the_own_queues_and_leaving_is_told(net: Net) -> None:
    mine, theirs = await net.home.case("ann", "orders"), await net.home.case("bob", "billing")
    async with (
        await net.key({"orders": Role.AGENT}, Scope.READ) as client,
        listening(client, CASES) as stream,
    ):
        await net.home.note(theirs, "hidden")
        await net.home.note(mine, "seen")
        messages = stream.messages()
        first = await anext(messages)
        for case, name in ((theirs, "theirs moves"), (mine, "mine moves")):
            moved = case.model_copy(update={"queue": "elsewhere", "revision": 2})
            data = CaseTransferred(case=case.id, actor=SYSTEM, queue="elsewhere", after=moved.summary())
            await net.home.happen(moved, data, name)
        second = await anext(messages)
    assert (first.event, first.content["case"], first.content["step"]) == ("case", str(mine.id), "noted")
    assert (second.event, second.content) == ("left", {"case": str(mine.id), "sequence": 2})


async def test_rights_that_are_taken_away_hold_for_an_open_stream(net: Net) -> None:
    case = await net.home.case("ann", "orders")
    async with net.home.signed_in("ines") as browser:
        cookie = f"hubbub_session={browser.cookies['hubbub_session']}"
    async with (
        httpx.AsyncClient(base_url=net.address, headers={"Cookie": cookie}) as client,
        listening(client, CASES) as stream,
    ):
        messages = stream.messages()
        await net.home.note(case, "before")
        assert (await anext(messages)).event == "case"
        await net.home.accounts.users.update("ines", ADMIN, roles={"billing": Role.AGENT})
        beats = stream.comments
        reading = asyncio.create_task(anext(messages, None))
        await eventually(lambda: stream.comments >= beats + 2)
        await net.home.note(case, "hidden now")
        visible = await net.home.case("bob", "billing")
        await net.home.note(visible.model_copy(update={"subject": "moved here"}), "seen now")
        message = await reading
    assert message is not None
    assert message.content["subject"] == "moved here"


async def test_events_since_a_time_and_no_others(net: Net) -> None:
    case = await net.home.case("ann")
    for index in range(3):
        await net.home.note(case, f"note {index}")
        net.home.clock.advance(hours=1)
    since = (net.home.clock.now() - timedelta(hours=2)).isoformat()
    page = await net.client.get("/api/v1/events", params={"topic": "cases", "since": since})
    assert [each["data"]["text"] for each in page.json()["items"]] == ["note 1", "note 2"]
    async with listening(net.client, EVENTS, topic="cases", since=since) as stream:
        messages = stream.messages()
        heard = [(await anext(messages)).content["data"]["text"] for _ in range(2)]
    assert heard == ["note 1", "note 2"]
    naive = await net.client.get("/api/v1/events", params={"since": "2026-03-02T09:00:00"})
    assert naive.status_code == 422, "a time without its zone names no moment"
