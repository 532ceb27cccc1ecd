"""Ports on the loopback interface: free ones to listen on, and waiting until something listens."""

import asyncio
import contextlib

from deploy.local.server import LOOPBACK, free_port
from tests.support.waiting import eventually

__all__ = ["LOOPBACK", "free_port", "free_ports", "listening"]


def free_ports(count: int) -> list[int]:
    """Distinct ports that nothing listens on now. Another process may take one first: prefer port 0 where it can be read back."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


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
