"""Requests that say nothing, too much, or never end: bounded, and others are served meanwhile."""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

import pytest

from hub.http.protocol import patient
from tests.hub.http.sites import (
    GET,
    POST,
    SLOW,
    STRICT,
    Opened,
    Site,
    asked,
    opened,
    served_by,
    settled,
    told,
)
from tests.support.waiting import eventually


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
