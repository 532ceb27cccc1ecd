"""The limit for forms: the same HTTP server, an answer that says nothing, and one row durable before it, many a commit.

`python -m tests.bench.echo FOLDER` listens on a free port of the loopback, prints it, and serves until it is told to stop.
"""

import asyncio
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from sinks.sqlite.connection import open_writer


class Echo:
    """Keeps each body in a row. What comes while a commit is written goes into the next one."""

    def __init__(self, connection: apsw.Connection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, body BLOB)")
        self._connection = connection
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((body, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
        await done
        await JSONResponse({"case": ""})(scope, receive, send)

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self._commit, [body for body, _ in group]
            )
            for _, done in group:
                done.set_result(None)

    def _commit(self, bodies: list[bytes]) -> None:
        with self._connection:
            self._connection.executemany("INSERT INTO kept (body) VALUES (?)", [(body,) for body in bodies])


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    echo = Echo(open_writer(Path(sys.argv[1])))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)

    print(f"port {listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
