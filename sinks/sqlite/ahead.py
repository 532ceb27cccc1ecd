"""The next batch of a consumer that is behind, read while its last step is synced to the disk: neither waits for the other.

Begun earlier it would cost more than it hides: the thread that writes makes rows in Python until then, and the two would take
turns at one interpreter. A batch that was read for a step that did not come to be would conflict, as any stale one does.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from schemas.errors import Outage
from schemas.steps import Batch, Position, Step
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Asked:
    """How a consumer reads."""

    consumer: str
    topics: tuple[Topic, ...]
    limit: int


Start = Callable[[Asked, Position], Future[Batch] | None]
"""Begins to read what follows a position. None where nothing is read any more."""


class Ahead:
    """`begin` is called by the thread that writes, all else on the loop."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._behind: dict[str, Asked] = {}
        """Consumers whose last batch was full, so that there may be more."""
        self._begun: dict[str, tuple[Asked, Future[Batch]]] = {}

    def was_read(self, asked: Asked, batch: Batch) -> None:
        if len(batch.records) < asked.limit:
            self._behind.pop(asked.consumer, None)
        else:
            self._behind[asked.consumer] = asked

    def begin(self, step: Step) -> None:
        """The step is written, and about to be made durable."""
        if step.consumer is None or step.position is None or step.consumer not in self._behind:
            return
        asked = self._behind[step.consumer]
        future = self._start(asked, step.position)
        if future is not None:
            self._begun[asked.consumer] = (asked, future)

    def forget(self, step: Step) -> None:
        """The step did not come to be; its consumer goes on from where it was."""
        if step.consumer is not None:
            self._begun.pop(step.consumer, None)

    async def take(self, asked: Asked) -> Batch | None:
        """What was read ahead, where a read would find the same now: fewer than were asked for may be more by now."""
        before, future = self._begun.pop(asked.consumer, (None, None))
        if future is None or before != asked:
            return None
        try:
            batch = await asyncio.wrap_future(future)
        except Outage:
            return None  # the next read meets it, or it is over
        return batch if len(batch.records) == asked.limit else None
