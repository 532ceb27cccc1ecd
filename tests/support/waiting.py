"""Waiting for what another process does; everything in our own process is awaited directly."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

PATIENCE = 3
"""What takes its time on a quiet machine takes this many times as long on a busy one."""


@overload
async def eventually(
    look: Callable[[], Awaitable[T]], within_seconds: float = ..., every_seconds: float = ...
) -> T: ...


@overload
async def eventually(look: Callable[[], T], within_seconds: float = ..., every_seconds: float = ...) -> T: ...


async def eventually(
    look: Callable[[], T | Awaitable[T]], within_seconds: float = 20, every_seconds: float = 0.05
) -> T:
    """The first true answer of `look`, which a quiet machine gives within `within_seconds`.

    An assertion that fails counts as not yet, and is raised when the time is over.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + within_seconds * PATIENCE
    while True:
        try:
            answer = look()
            found: T = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
        except AssertionError:
            if clock() >= deadline:
                raise
        if clock() >= deadline:
            raise TimeoutError(f"nothing true within {within_seconds} s")
        await asyncio.sleep(every_seconds)
