"""An ASGI application on a real socket of this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.support.ports import listening


@asynccontextmanager
async def serving(app: ASGIApp, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """The origin at which it answers, until the end."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        config = uvicorn.Config(
            app, lifespan="off", proxy_headers=False, log_level="warning", access_log=False, http="httptools"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        try:
            port = listener.getsockname()[1]
            await listening(port)
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            server.force_exit = True
            await task
