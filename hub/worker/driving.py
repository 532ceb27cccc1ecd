"""Coroutines that most often have nothing to wait for, run without a task of their own."""

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine whose first step is done. It is over when `is_over`, else await it for the rest; raises what the step raises."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._waits_for: Any = None
        self.is_over = False
        try:
            self._waits_for = coroutine.send(None)
        except StopIteration as end:
            self.is_over = True
            self.value: T = end.value

    def __await__(self) -> Generator[Any, Any, T]:
        """Hands on to the task that awaits it what the coroutine waits for, and back what comes of that."""
        if self.is_over:
            return self.value
        waits_for = self._waits_for
        while True:
            problem: BaseException | None = None
            came: Any = None
            try:
                came = yield waits_for
            except BaseException as error:  # noqa: BLE001  a cancellation above all: it is the coroutine's to answer
                problem = error
            try:
                waits_for = self._next(came, problem)
            except StopIteration as end:
                value: T = end.value
                return value

    def _next(self, came: Any, problem: BaseException | None) -> Any:
        return self._coroutine.send(came) if problem is None else self._coroutine.throw(problem)


async def rest_of(begun: Begun[T]) -> T:
    return await begun
