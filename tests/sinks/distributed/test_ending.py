import asyncio

import pytest

from sinks.distributed import ending
from sinks.distributed.ending import end


async def test_a_task_ends_that_takes_the_first_cancellation_for_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began, cancelled = asyncio.Event(), 0

    async def work() -> None:
        nonlocal cancelled
        while True:
            try:
                began.set()
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled += 1
                if cancelled > 1:
                    raise

    task = asyncio.create_task(work())
    await began.wait()
    monkeypatch.setattr(ending, "AGAIN_SECONDS", 0.01)
    await end([task])
    assert task.cancelled() and cancelled == 2


async def test_what_a_task_ends_with_is_looked_at() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end([task])
    await end([])
    assert task.done()
