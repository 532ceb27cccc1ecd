"""Reads a consumer's batches; the next one while the current one is being written, when the processor has time for it."""

import asyncio
from collections.abc import Sequence

from schemas.ports import Batch, Engine, Position, Record
from schemas.topics import Topic


class Reading:
    """What was read ahead counts only if the consumer stands where it was read from; the engine's commit checks that again."""

    def __init__(self, engine: Engine, consumer: str, topics: Sequence[Topic]) -> None:
        self._engine = engine
        self._consumer = consumer
        self._topics = topics
        self._after: Position = ""
        self._ahead: asyncio.Task[Sequence[Record]] | None = None

    async def next(self, limit: int) -> Batch:
        """The next records for the consumer, from its committed position."""
        ahead, self._ahead = self._ahead, None
        records = await ahead if ahead is not None else ()
        if records:
            return Batch(records, self._after, records[-1].position)
        return await self._engine.read(self._consumer, self._topics, limit)

    def ahead(self, batch: Batch, limit: int) -> None:
        """Begin to read what follows this batch. A batch that is not full was the last for now."""
        if len(batch.records) < limit:
            return
        self._after = batch.position
        self._ahead = asyncio.ensure_future(self._engine.scan(self._topics, batch.position, limit))

    def forget(self) -> None:
        """The batch was not committed: read again from where the consumer stands."""
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None
