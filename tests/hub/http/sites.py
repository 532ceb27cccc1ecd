"""An application behind limits of connections, and clients that connect to it by hand."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.http.connections import ConnectionLimits, Connections
from hub.observe import Metric, Metrics
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


async def settled(site: Site, held: list[Opened]) -> None:
    """Until the requests of these are read: none of them is silent any more."""
    await eventually(lambda: not site.connections._silent)
