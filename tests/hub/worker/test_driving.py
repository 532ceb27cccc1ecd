"""A coroutine that was begun without a task goes on in one as if it had begun there."""

import asyncio

import pytest

from hub.worker.driving import Begun, rest_of


async def test_what_waits_for_nothing_is_over_at_once() -> None:
    async def work() -> int:
        return 7

    begun = Begun(work())
    assert begun.is_over
    assert (begun.value, await begun) == (7, 7)


async def test_what_it_raises_at_once_is_raised() -> None:
    async def work() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        _ = Begun(work())


async def test_what_has_to_wait_goes_on_with_what_came_of_it() -> None:
    first, second = asyncio.Event(), asyncio.get_running_loop().create_future()
    steps: list[str] = []

    async def work() -> str:
        steps.append("begun")
        await first.wait()
        steps.append("went on")
        try:
            await second
        except LookupError:
            steps.append("told")
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        return "done"

    begun = Begun(work())
    assert not begun.is_over
    rest = asyncio.create_task(rest_of(begun))
    first.set()
    second.set_exception(LookupError())
    assert await rest == "done"
    assert steps == ["begun", "went on", "told"]


async def test_a_cancellation_reaches_it() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    rest = asyncio.create_task(rest_of(Begun(work())))
    await asyncio.sleep(0)
    rest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rest
    assert cleaned == [True]
