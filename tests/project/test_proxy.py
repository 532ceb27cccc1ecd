"""The proxy that stands between hubs and servers in tests of faults."""

import asyncio

import pytest

from tests.support.ports import LOOPBACK
from tests.support.proxy import proxy
from tests.support.waiting import eventually


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1000):
        writer.write(piece)
    writer.close()


async def test_a_proxy_passes_on_stands_still_breaks_and_passes_on_again() -> None:
    async with (
        await asyncio.start_server(echo, LOOPBACK, 0) as server,
        proxy(server.sockets[0].getsockname()[1]) as between,
    ):
        reader, writer = await asyncio.open_connection(LOOPBACK, between.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        between.stall()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(3), 0.05)
        between.flow()
        assert await reader.readexactly(3) == b"two"
        between.cut()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        between.mend()
        reader, writer = await asyncio.open_connection(LOOPBACK, between.port)
        writer.write(b"three")
        assert await reader.readexactly(5) == b"three"
        writer.close()
        await eventually(lambda: between.passed == 2 * len(b"onetwothree"), 2)
