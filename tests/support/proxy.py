"""A TCP proxy on loopback that can be cut, can stand still, and can be slow: the network between a hub and its servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.ports import LOOPBACK

CHUNK = 65_536


class Proxy:
    """`port` leads to `target`. `cut`: connections break and none is made; `stall`: nothing passes, and nothing breaks."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self.port = 0
        self.delay_seconds = 0.0
        """How long each piece of either direction takes."""
        self.passed = 0
        """Bytes that went through."""

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._break()
        for each in [*self._pipes]:
            each.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def cut(self) -> None:
        self._is_cut = True
        self._break()

    def mend(self) -> None:
        self._is_cut = False

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def _break(self) -> None:
        for each in [*self._writers]:
            each.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)
        self._writers.add(writer)
        try:
            if not self._is_cut:
                await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away: the other is told by the end of its connection
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        there, back = await asyncio.open_connection(LOOPBACK, self._target)
        self._writers.add(back)
        try:
            ways = {
                asyncio.ensure_future(self._pipe(reader, back)),
                asyncio.ensure_future(self._pipe(there, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in ways:
                    each.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            self._writers.discard(back)
            back.close()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(CHUNK):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            await self._flows.wait()
            writer.write(piece)
            self.passed += len(piece)
            await writer.drain()


@asynccontextmanager
async def proxy(target: int, port: int = 0) -> AsyncIterator[Proxy]:
    made = Proxy(target)
    await made.start(port)
    try:
        yield made
    finally:
        with contextlib.suppress(OSError):
            await made.stop()
