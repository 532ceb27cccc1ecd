"""Ports on the loopback interface: free ones to listen on, and waiting until something listens."""

import asyncio
import contextlib
import socket

from tests.support.waiting import eventually

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Distinct ports that nothing listens on now. Another process may take one first: prefer port 0 where it can be read back."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def free_port() -> int:
    return free_ports(1)[0]


async def listening(port: int, within_seconds: float = 10) -> None:
    """Returns once a connection to the port is accepted; TimeoutError if none is in time."""
    await eventually(lambda: _accepts(port), within_seconds)


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
