"""Peers that want to wear a hub out: too many, too slow, never reading. Each is bounded in number and time, and ends alone."""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

ADDRESSES = 40
WAVE = 500
OWN_FILES = 500
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]

SLOW_HEAD = b"GET /f/contact HTTP/1.1\r\nHost: hub.example\r\nX-Slow: " + b"x" * 5000
SLOW_BODY = b"POST /f/contact HTTP/1.1\r\nHost: hub.example\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
SLOW_MAIL = b"EHLO slow.example\r\nMAIL FROM:<slow@x.example>\r\nRCPT TO:<support@shop.example>\r\nDATA\r\n"


def source(number: int) -> str:
    """One of some addresses of this machine that are not those of honest clients."""
    return f"127.0.1.{number % ADDRESSES + 1}"


def at_most(count: int) -> int:
    """So many connections as this process may hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
        soft = min(hard, 65_536)
    return min(count, soft - OWN_FILES)


def flood(port: int, count: int, held: list[socket.socket]) -> None:
    """Opens connections in waves, from several addresses, and says nothing. What is over the hub's limits it closes itself."""
    for number in range(at_most(count)):
        each = socket.socket()
        each.setblocking(False)
        each.bind((source(number), 0))
        with contextlib.suppress(BlockingIOError):
            each.connect(("127.0.0.1", port))
        held.append(each)
        if number % WAVE == WAVE - 1:
            time.sleep(0.05)


async def opened(port: int, number: int = 0, receive_bytes: int = 0) -> Opened:
    made = socket.socket()
    made.setblocking(False)
    made.bind((source(number), 0))
    if receive_bytes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=made)


async def byte_by_byte(port: int, number: int, said: bytes, rest: bytes = b"") -> None:
    """Says `said` at once and `rest` a byte at a time, for as long as the other side listens."""
    _, writer = await opened(port, number)
    try:
        writer.write(said)
        for byte in rest:
            await asyncio.sleep(0.2)
            writer.write(bytes([byte]))
            await writer.drain()
    finally:
        writer.transport.abort()


async def never_reading(port: int, number: int, said: bytes) -> None:
    """Asks again and again, and takes no answer."""
    _, writer = await opened(port, number, receive_bytes=4096)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    try:
        while True:
            writer.write(said)
            await writer.drain()
            await asyncio.sleep(0.01)
    finally:
        writer.transport.abort()


def slow_ones(smtp: int, http: list[int], of_each: int) -> list[Coroutine[Any, Any, None]]:
    """All kinds of slowness: heads and bodies byte by byte, a mail byte by byte, answers that nobody reads."""
    peers: list[Coroutine[Any, Any, None]] = []
    for number in range(of_each):
        for port in http:
            peers.append(byte_by_byte(port, number, b"", SLOW_HEAD))
            peers.append(byte_by_byte(port, number, SLOW_BODY, b"{" * 5000))
            peers.append(never_reading(port, number, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10))
        peers.append(byte_by_byte(smtp, number, b"", SLOW_MAIL))
        peers.append(byte_by_byte(smtp, number, SLOW_MAIL, b"Subject: slow\r\n" * 500))
        peers.append(never_reading(smtp, number, b"EHLO x\r\n" + b"NOOP\r\n" * 20))
    return peers


@asynccontextmanager
async def at_work(peers: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """These are at it while the block runs."""

    async def alone(peer: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(OSError):  # sent away, which is what the hub is there for
            await peer

    tasks = [asyncio.create_task(alone(each)) for each in peers]
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def flooded(port: int, count: int) -> AsyncIterator[None]:
    """So many connections are opened, by a thread; held while the block runs, as far as the hub holds them too."""
    held: list[socket.socket] = []
    try:
        await asyncio.to_thread(flood, port, count, held)
        assert len(held) == at_most(count)
        yield
    finally:
        for each in held:
            each.close()
