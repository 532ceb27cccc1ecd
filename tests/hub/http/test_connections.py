"""Connections that say nothing, too much, or never end: bounded, and others are served meanwhile."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.http.connections import ConnectionLimits, Connections
from hub.http.protocol import patient, quieten
from hub.observe import Metric, Metrics
from tests.hub.http.serving import served
from tests.support.waiting import eventually

STRICT = ConnectionLimits(
    head_seconds=0.2,
    head_bytes=8192,
    headers=20,
    target_bytes=2048,
    ahead_bytes=16_384,
    ahead_requests=4,
    write_seconds=0.3,
    close_seconds=0.3,
    connections=30,
    connections_of_one=20,
    look_seconds=0.02,
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Site:
    """An application with a quick page, a slow one, one that reads what is posted, one that refuses it unread, and a long one."""

    def __init__(self, limits: ConnectionLimits = STRICT) -> None:
        self.metrics = Metrics()
        self.connections = Connections("test", limits, self.metrics)
        self.released = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/slow":
            await self.released.wait()
        elif request.url.path == "/refuse":
            refusal = PlainTextResponse("too large", 413, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        elif request.url.path == "/long":
            await StreamingResponse(self._long())(scope, receive, send)
            return
        if request.method == "POST":
            await request.body()
        await PlainTextResponse("hello")(scope, receive, send)

    async def _long(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 65_536
            await asyncio.sleep(0)
            yield b"x" * 65_536

    def refused(self, reason: str) -> float:
        return self.metrics.value(Metric.CONNECTIONS_REFUSED, listener="test", reason=reason) or 0


@pytest.fixture
def site() -> Site:
    quieten()
    return Site()


@pytest.fixture
async def address(site: Site) -> AsyncIterator[str]:
    async with served(site, connections=site.connections) as found:
        yield found
        site.released.set()


async def opened(address: str, of: str = "127.0.0.1") -> Opened:
    host = urlsplit(address)
    return await asyncio.open_connection(host.hostname, host.port, local_addr=(of, 0))


async def told(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side ends it."""
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""


async def asked(address: str, request: bytes = GET, of: str = "127.0.0.1") -> Opened:
    """A connection on which this was said; what came with it is read up to the blank line."""
    reader, writer = await opened(address, of)
    writer.write(request)
    return reader, writer


async def served_by(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"hello"), 10)


def close(*held: Opened) -> None:
    for _, writer in held:
        writer.close()


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"\r\n\r\n"])
async def test_a_client_that_does_not_finish_its_head_is_sent_away(address: str, said: bytes) -> None:
    reader, writer = await asked(address, said)
    assert (await told(reader)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_head_that_trickles_gets_no_more_time(address: str) -> None:
    reader, writer = await opened(address)

    async def trickle() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while not writer.is_closing():
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    assert (await told(reader)).startswith(b"HTTP/1.1 408")
    trickling.cancel()
    writer.close()


async def test_the_next_request_of_a_connection_has_a_limit_too(address: str) -> None:
    reader, writer = await asked(address)
    await served_by(reader)
    writer.write(b"GET /health/li")
    assert (await told(reader)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_connection_between_two_requests_is_kept_longer_than_a_head(address: str) -> None:
    reader, writer = await asked(address)
    await served_by(reader)
    await asyncio.sleep(2 * STRICT.head_seconds)  # the limit itself is what is waited for
    writer.write(GET)
    await served_by(reader)
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Endless: ",
        b"GET /",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;extension=",
    ],
)
async def test_a_head_or_trailer_without_end_costs_no_memory(address: str, site: Site, head: bytes) -> None:
    reader, writer = await asked(address, head)
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 200_000_000 and not (site.refused("head-large") or site.refused("target-long")):
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536
    assert site.refused("head-large") + site.refused("target-long") == 1
    assert sent < 20_000_000
    writer.close()
    await told(reader)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Larger: " + b"x" * 1_000_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 30 + b"\r\n", b"431"),
        (b"GET /" + b"x" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Nul: \x00\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    ],
)
async def test_a_request_that_cannot_be_taken_is_told_why(
    address: str, request_: bytes, status: bytes
) -> None:
    reader, writer = await asked(address, request_)
    answer = await told(reader)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer
    writer.close()


async def test_an_address_with_its_share_loses_what_is_silent_longest(address: str, site: Site) -> None:
    held = [await asked(address) for _ in range(20)]
    for reader, _ in held:
        await served_by(reader)
    held.append(await asked(address))
    await served_by(held[-1][0])
    assert await told(held[0][0]) == b""
    assert site.connections.count == 20
    held[1][1].write(GET)
    await served_by(held[1][0])
    close(*held)
    await eventually(lambda: site.connections.count == 0)
    assert site.connections.of_one("127.0.0.1") == 0


async def test_an_address_with_its_share_at_work_gets_no_more_and_others_do(address: str, site: Site) -> None:
    held = [await asked(address, SLOW, "127.0.0.9") for _ in range(20)]
    await eventually(lambda: site.connections.of_one("127.0.0.9") == 20)
    await settled(site, held)
    reader, writer = await asked(address, GET, "127.0.0.9")
    answer = await told(reader)
    assert answer.startswith(b"HTTP/1.1 503") and b"from your address" in answer
    other = await asked(address)
    await served_by(other[0])
    site.released.set()
    for each, _ in held:
        await served_by(each)
    close(*held, other)
    writer.close()


async def settled(site: Site, held: list[Opened]) -> None:
    """Until the requests of these are read: none of them is silent any more."""
    await eventually(lambda: not site.connections._silent)


async def test_who_is_silent_gives_way_when_all_places_are_taken(address: str, site: Site) -> None:
    busy = [await asked(address, SLOW, "127.0.0.2") for _ in range(15)]
    await settled(site, busy)
    idle = [await asked(address, GET, "127.0.0.3") for _ in range(15)]
    for reader, _ in idle:
        await served_by(reader)
    new = [await asked(address, GET, "127.0.0.4") for _ in range(3)]
    for reader, _ in new:
        await served_by(reader)
    assert [await told(reader) for reader, _ in idle[:3]] == [b""] * 3
    assert site.connections.count == 30
    assert site.refused("gave-way") == 3
    close(*busy, *idle, *new)


async def test_a_body_that_does_not_come_gives_way_to_an_address_that_holds_less(
    address: str, site: Site
) -> None:
    held = [
        await asked(address, POST + b"x", of)
        for of in ("127.0.0.2", "127.0.0.3", "127.0.0.4")
        for _ in range(10)
    ]
    await settled(site, held)
    modest = await asked(address)
    await served_by(modest[0])
    assert await told(held[0][0]) == b""
    close(*held, modest)


async def test_what_is_worked_on_is_not_cut_off_when_all_places_are_taken(address: str, site: Site) -> None:
    held = [await asked(address, SLOW, of) for of in ("127.0.0.2", "127.0.0.3") for _ in range(15)]
    await settled(site, held)
    reader, writer = await asked(address)
    answer = await told(reader)
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer
    site.released.set()
    for each, _ in held:
        await served_by(each)
    close(*held)
    writer.close()


async def test_our_proxies_have_no_share_and_never_give_way() -> None:
    site = Site(replace(STRICT, proxies=(ip_network("127.0.0.8/32"),)))
    async with served(site, connections=site.connections) as address:
        held = [await asked(address, GET, "127.0.0.8") for _ in range(29)]
        for reader, _ in held:
            await served_by(reader)
        customers = [await asked(address), await asked(address)]
        for reader, _ in customers:
            await served_by(reader)
        assert site.connections.count == 30
        assert site.refused("gave-way") == 1
        for _, writer in held:
            writer.write(GET)
        for reader, _ in held:
            await served_by(reader)
        close(*held, *customers)


async def test_a_request_that_is_served_is_not_timed_as_a_head(address: str, site: Site) -> None:
    reader, writer = await asked(address, SLOW)
    await asyncio.sleep(2 * STRICT.head_seconds)  # the limit itself is what is waited for
    site.released.set()
    await served_by(reader)
    writer.close()


async def test_a_client_that_does_not_read_is_cut_off_and_costs_little(address: str, site: Site) -> None:
    reader, writer = await opened_small(address)
    writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    await eventually(lambda: site.refused("unread") == 1, 20)
    assert site.sent < 20_000_000
    await eventually(lambda: site.connections.count == 0)
    writer.close()
    del reader


async def opened_small(address: str) -> Opened:
    """A connection whose client takes little before somebody reads."""
    host = urlsplit(address)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    await asyncio.get_running_loop().sock_connect(made, (host.hostname, host.port))
    reader, writer = await asyncio.open_connection(sock=made, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return reader, writer


async def test_pipelined_requests_are_answered_in_order(address: str) -> None:
    reader, writer = await asked(address, GET * 3)
    for _ in range(3):
        await served_by(reader)
    writer.close()


@pytest.mark.parametrize(
    "behind",
    [GET * 50, POST + b"x" * 9 + b"y" * 30_000, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"],
)
async def test_what_comes_before_an_answer_is_bounded(address: str, site: Site, behind: bytes) -> None:
    reader, writer = await asked(address, SLOW)
    await settled(site, [])
    writer.write(behind)
    with contextlib.suppress(ConnectionError):
        for _ in range(400):
            if site.refused("ahead"):
                break
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)
    await eventually(lambda: site.refused("ahead") == 1)
    await told(reader)
    writer.close()


async def test_a_refusal_reaches_a_client_that_still_sends(address: str) -> None:
    size = 30_000_000
    head = f"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
    reader, writer = await asked(address, head)

    async def send() -> None:
        for _ in range(size // 100_000):
            writer.write(b"x" * 100_000)
            await writer.drain()

    sending = asyncio.create_task(send())
    assert (await told(reader)).startswith(b"HTTP/1.1 413")
    await sending
    writer.close()


async def test_a_client_that_sends_for_ever_after_its_answer_is_cut_off(address: str, site: Site) -> None:
    head = b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    reader, writer = await asked(address, head)
    assert (await told(reader)).startswith(b"HTTP/1.1 413")

    async def until_cut_off() -> None:
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(until_cut_off(), 10)
    assert site.connections.count == 0
    writer.close()


async def test_thousands_of_connections_leave_others_served(address: str, site: Site) -> None:
    flood: list[socket.socket] = []
    host = urlsplit(address)
    for number in range(2000):
        each = socket.socket()
        each.setblocking(False)
        each.bind((f"127.0.1.{number % 40 + 1}", 0))
        with contextlib.suppress(BlockingIOError):
            each.connect((host.hostname, host.port))
        flood.append(each)
        if number % 200 == 0:
            async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
                assert (await client.get("/")).text == "hello"
            assert site.connections.count <= 30
    for each in flood:
        each.close()
    await eventually(lambda: site.connections.count == 0)


def test_a_dead_peer_is_given_up_after_a_minute() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        patient(listening)
        with socket.create_connection(listening.getsockname()) as client:
            taken, _ = listening.accept()
            with taken:
                assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                if hasattr(socket, "TCP_USER_TIMEOUT"):
                    assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert client.fileno() >= 0
