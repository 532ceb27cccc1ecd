"""Connections that say nothing, too much, or never end: bounded, and others are served meanwhile."""

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from hub.http.protocol import ConnectionLimits, PatientProtocol, patient
from tests.hub.http.company import House
from tests.hub.http.serving import served
from tests.support.waiting import eventually


class Strict(PatientProtocol):
    limits = ConnectionLimits(head_seconds=0.2, head_bytes=8192, connections_of_one=20)


@pytest.fixture
async def address(home: House) -> AsyncIterator[str]:
    async with served(home.app, Strict) as found:
        yield found


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host = urlsplit(address)
    return await asyncio.open_connection(host.hostname, host.port)


async def answer(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side ends it."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"\r\n\r\n"])
async def test_a_client_that_does_not_finish_its_head_is_sent_away(address: str, said: bytes) -> None:
    reader, writer = await opened(address)
    writer.write(said)
    assert (await answer(reader)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_head_that_trickles_gets_no_more_time(address: str) -> None:
    reader, writer = await opened(address)

    async def trickle() -> None:
        writer.write(b"GET / HTTP/1.1\r\n")
        while not writer.is_closing():
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    assert (await answer(reader)).startswith(b"HTTP/1.1 408")
    trickling.cancel()
    writer.close()


async def test_the_next_request_of_a_connection_has_a_limit_too(address: str) -> None:
    reader, writer = await opened(address)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /health/li")
    assert b"HTTP/1.1 408" in await answer(reader)
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Endless: ",
        b"GET /",
        b"POST /api/v1/ingest/email HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: ",
    ],
)
async def test_a_head_or_trailer_without_end_costs_no_memory(address: str, head: bytes) -> None:
    reader, writer = await opened(address)
    writer.write(head)
    await writer.drain()
    sent = 0
    try:
        while sent < 50_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536
    except ConnectionError:
        pass
    assert sent < 50_000_000, "it was taken without a limit"
    await answer(reader)
    writer.close()


async def test_a_client_that_leaves_in_the_middle_is_no_fault(address: str) -> None:
    with structlog.testing.capture_logs() as logged:
        _, writer = await opened(address)
        writer.write(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.transport.abort()
        await eventually(lambda: logged)
    assert [(each["event"], each["log_level"]) for each in logged] == [("client-left", "debug")]


async def test_one_address_holds_so_many_connections_and_no_more(address: str, home: House) -> None:
    held = [await opened(address) for _ in range(20)]
    reader, writer = await opened(address)
    assert await answer(reader) == b""
    writer.close()
    for _, each in held:
        each.close()
        await each.wait_closed()
    async with httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/health/live")).status_code == 200


async def test_a_request_that_is_served_is_not_timed_as_a_head(address: str, home: House) -> None:
    released = asyncio.Event()

    async def slow() -> str:
        await released.wait()
        return "done"

    home.app.add_api_route("/slow", slow)
    reader, writer = await opened(address)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await asyncio.sleep(2 * Strict.limits.head_seconds)  # the limit itself is what is waited for
    released.set()
    assert (await answer(reader)).endswith(b'"done"')
    writer.close()


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
