"""Processes that run one operation at a time, on a loop whose time is the test's; any of them ends at any operation.

Whatever a process does to a server passes its gate. There it waits until the test lets it on; a process that has ended
passes no gate, so that nothing of its `except` and `finally` reaches a server either.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from schemas.crash import Crashed
from schemas.errors import Outage

T = TypeVar("T")

MOST_TURNS = 20_000


class SteppedLoop(asyncio.SelectorEventLoop):
    """Runs what is ready and nothing more. Timers come when `advance` says so."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = 0.0
        self._called = 0

    def time(self) -> float:
        return self._moment

    def call_soon(self, *args: Any, **kwargs: Any) -> asyncio.Handle:  # type: ignore[override]
        self._called += 1
        return super().call_soon(*args, **kwargs)

    def settle(self) -> None:
        """Until everything waits."""
        for _ in range(MOST_TURNS):
            before = self._called
            self.call_soon(self.stop)
            self.run_forever()
            if self._called == before + 1:
                return
        raise AssertionError("something turns for ever without asking a server")

    def advance(self, seconds: float) -> None:
        self._moment += seconds
        self.settle()


class Process:
    """One process of the hub: its tasks, and where they wait."""

    def __init__(self, name: str, loop: SteppedLoop) -> None:
        self.name = name
        self.loop = loop
        self.has_ended = False
        self.ends_at = ""
        """The crash point at which it ends when it passes it."""
        self.waiting: list[asyncio.Future[None]] = []
        self.started: asyncio.Task[Any] | None = None
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in their order: two runs are the same

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        token = PROCESS.set(self)
        try:
            task = self.loop.create_task(work)
        finally:
            PROCESS.reset(token)
        self.loop.settle()
        return task

    def begin(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start what nobody waits for."""
        self.started = self.start(work)

    async def turn(self) -> None:
        if self.has_ended:
            raise asyncio.CancelledError
        turn = self.loop.create_future()
        self.waiting.append(turn)
        try:
            await turn
        finally:
            if turn in self.waiting:
                self.waiting.remove(turn)
        if self.has_ended:
            raise asyncio.CancelledError

    def go(self, which: int = 0) -> bool:
        """Let one of its operations happen. False when it asks for none."""
        if not self.waiting:
            return False
        self.waiting.pop(which % len(self.waiting)).set_result(None)
        self.loop.settle()
        return True

    def end(self) -> None:
        """As `kill -9` ends it."""
        self.has_ended = True
        for _ in range(MOST_TURNS):
            left = [each for each in self.tasks if not each.done()]
            if not left:
                break
            for each in left:
                each.cancel()
            self.loop.settle()
        self.waiting.clear()


PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)


class Servers:
    """What all processes share: whether log and store answer, and how often each was asked."""

    def __init__(self) -> None:
        self.is_up = {"log": True, "store": True}

    def gate(self, server: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def passed() -> None:
            process = PROCESS.get()
            if process is None:  # the test looks
                return
            await process.turn()
            if not self.is_up[server]:
                raise Outage(f"the {server} is down", retry_after_seconds=1.0)

        return passed


def stepped_loop() -> SteppedLoop:
    """A loop whose tasks belong to the process that made them."""
    loop = SteppedLoop()

    def made(
        of: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **kwargs: Any
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(work, loop=of, **kwargs)
        process = PROCESS.get()
        if process is not None:
            process.tasks[task] = None
            task.add_done_callback(process.tasks.pop)
        return task

    loop.set_task_factory(made)  # type: ignore[arg-type]
    loop.set_exception_handler(raised)
    return loop


def raised(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a task raised that nobody waits for: the end of its process, or a defect."""
    if not isinstance(context.get("exception"), Crashed):
        loop.default_exception_handler(context)


def end_at_named_point(name: str) -> None:
    """The hook of schemas.crash: a process that was told to end there does."""
    process = PROCESS.get()
    if process is not None and process.ends_at == name:
        process.has_ended = True
        raise Crashed(name)
