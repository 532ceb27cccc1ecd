"""The load, in a process of its own: posts forms over loopback and follows the hub's event stream.

`python -m tests.bench.load PLAN` (JSON) prints what it measured. Requests are written by hand, so that the generator costs little
beside what it measures: it shares the machine with it.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

MOST_SECONDS = 90.0
MOST_REQUESTS = 30_000
SETTLE_SECONDS = 10.0
LOOPBACK = "127.0.0.1"
TEXT = "Where is my parcel? I ordered it last week and have not heard of it since. " * 8


@dataclass(frozen=True)
class Plan:
    """`rate` posts a second from outside, whatever the answers do (open loop); or `clients` that wait for theirs (closed)."""

    port: int
    path: str
    seconds: float
    rate: int = 0
    clients: int = 1
    stream_port: int = 0
    key: str = ""


@dataclass
class Measured:
    posted: dict[str, float] = field(default_factory=dict)
    """Case number -> when its post was begun."""
    answered: list[float] = field(default_factory=list)
    arrived: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    reason: str = ""
    seconds: float = 0.0


class Client:
    """One connection that is kept."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, number: int) -> dict[str, Any]:
        """Raises ConnectionError for any answer but 200."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(LOOPBACK, self._port)
        reader, writer = self._streams
        entry = {
            "email": f"customer-{number % 5000}@customer.example",
            "subject": f"Order {number}",
            "message": TEXT,
        }
        body = json.dumps(entry).encode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nhost: {LOOPBACK}:{self._port}\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")
        )
        content = await reader.readexactly(length)
        if b" 200 " not in answer[:20]:
            raise ConnectionError(content[:200].decode(errors="replace"))
        told: dict[str, Any] = json.loads(content)
        return told

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def one(client: Client, number: int, measured: Measured) -> None:
    began = time.perf_counter()
    try:
        told = await client.post(number)
    except (OSError, ConnectionError, asyncio.IncompleteReadError) as error:
        client.close()  # the next post takes a new connection
        measured.failed += 1
        measured.reason = measured.reason or str(error)
        return
    measured.answered.append(time.perf_counter() - began)
    measured.posted[told.get("case", str(number))] = began


async def open_loop(plan: Plan, measured: Measured) -> None:
    """Each post at its time, on a connection that is free, or a new one."""
    idle: list[Client] = []
    every: list[Client] = []
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(min(MOST_REQUESTS, int(plan.rate * plan.seconds))):
            await asyncio.sleep(max(0, begin + number / plan.rate - time.perf_counter()))
            if not idle:
                idle.append(Client(plan.port, plan.path))
                every.append(idle[-1])
            tasks.create_task(_return(idle, idle.pop(), number, measured))
    measured.seconds = time.perf_counter() - begin
    for client in every:
        client.close()


async def _return(idle: list[Client], client: Client, number: int, measured: Measured) -> None:
    await one(client, number, measured)
    idle.append(client)


async def closed_loop(plan: Plan, measured: Measured) -> None:
    begin = time.perf_counter()
    await asyncio.gather(*(_repeat(plan, each, begin, measured) for each in range(plan.clients)))
    measured.seconds = time.perf_counter() - begin


async def _repeat(plan: Plan, first: int, begin: float, measured: Measured) -> None:
    client = Client(plan.port, plan.path)
    for number in range(first, MOST_REQUESTS, plan.clients):
        if time.perf_counter() - begin > plan.seconds:
            break
        await one(client, number, measured)
    client.close()


async def follow(plan: Plan, measured: Measured, connected: asyncio.Event) -> None:
    """The hub's own stream, as an integrator subscribes to it: when each case is seen in its queue."""
    reader, writer = await asyncio.open_connection(LOOPBACK, plan.stream_port, limit=1 << 20)
    writer.write(
        f"GET /api/v1/events/stream?topic=cases&type=hubbub.case.routed HTTP/1.1\r\nhost: {LOOPBACK}:{plan.stream_port}\r\n"
        f"authorization: Bearer {plan.key}\r\naccept: text/event-stream\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head[:20]:
        raise ConnectionError(head.decode(errors="replace"))
    async for line in _lines(reader):
        connected.set()
        if line.startswith(b"data:") and b'"number"' in line:
            at = time.perf_counter()
            after = json.loads(line[5:])["data"]["after"]
            measured.arrived.setdefault(after["number"], at)


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while line := await reader.readline():
        yield line


async def run(plan: Plan) -> dict[str, Any]:
    measured = Measured()
    following = None
    if plan.stream_port:
        connected = asyncio.Event()
        following = asyncio.create_task(follow(plan, measured, connected))
        async with asyncio.timeout(SETTLE_SECONDS):
            await connected.wait()
    await (open_loop if plan.rate else closed_loop)(plan, measured)
    if following is not None:
        deadline = time.perf_counter() + SETTLE_SECONDS
        while measured.posted.keys() - measured.arrived.keys() and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        following.cancel()
    seen = [
        measured.arrived[case] - began for case, began in measured.posted.items() if case in measured.arrived
    ]
    return {
        "answered": measured.answered,
        "seen": seen,
        "failed": measured.failed,
        "reason": measured.reason,
        "unseen": len(measured.posted) - len(seen) if plan.stream_port else 0,
        "seconds": measured.seconds,
    }


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))

    async def bounded() -> dict[str, Any]:
        async with asyncio.timeout(MOST_SECONDS + 2 * SETTLE_SECONDS):
            return await run(plan)

    print(json.dumps(asyncio.run(bounded())))


if __name__ == "__main__":
    main()
