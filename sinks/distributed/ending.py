"""Ends tasks that talk to servers."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.5


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Returns when all have ended; what they end with is nobody's any more.

    A driver may take a cancellation for a broken connection, and Python 3.11's `asyncio.wait_for` forgets one that comes as its answer
    does: who is cancelled once goes on. So it is asked for until it is done.
    """
    left = set(tasks)
    while left:
        for each in left:
            each.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)
