"""Relays that follow a script, for the moments that no real one can be brought to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def up_to_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 relay.example ESMTP\r\n")
    while True:
        command = await reader.readuntil(b"\r\n")
        if command == b"DATA\r\n":
            writer.write(b"354 go on\r\n")
            return
        writer.write(b"250 ok\r\n")
