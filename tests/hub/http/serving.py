"""The application on a real socket, and a client of its event streams."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from hub.http.connections import ConnectionLimits, Connections
from hub.http.protocol import patient, protocol_of
from hub.observe import Metrics
from tests.support.ports import LOOPBACK

DEFAULTS = ConnectionLimits()


@asynccontextmanager
async def served(
    app: Any, limits: ConnectionLimits = DEFAULTS, connections: Connections | None = None
) -> AsyncIterator[str]:
    """The application's address while it is served by uvicorn in this loop. `connections` has limits of its own."""
    listening = socket.create_server((LOOPBACK, 0))
    patient(listening)
    config = uvicorn.Config(
        app,
        http=protocol_of(connections or Connections("test", limits, Metrics())),
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Message:
    """One event of a stream, as a browser would dispatch it."""

    event: str = "message"
    id: str = ""
    content: Any = None


@dataclass
class Listener:
    """Reads a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream)."""

    response: httpx.Response
    last_id: str = ""
    comments: int = 0

    async def messages(self) -> AsyncIterator[Message]:
        message = Message()
        async for line in self.response.aiter_lines():
            name, _, value = line.partition(": ")
            if line == "":
                if message.content is not None:
                    yield message
                message = Message()
            elif name == "":
                self.comments += 1
            elif name == "id":
                self.last_id = message.id = value
            elif name == "event":
                message.event = value
            elif name == "data":
                message.content = json.loads(value)


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, path: str, last_id: str = "", **params: Any
) -> AsyncIterator[Listener]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.stream("GET", path, params=params, headers=headers, timeout=20) as response:
        assert response.status_code == 200, (await response.aread()).decode()
        yield Listener(response)
