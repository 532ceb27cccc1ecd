"""Reading ahead: nothing is read twice or left out, whatever became of the batch before."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from hub.reading import Reading
from schemas.ports import Batch, Engine, Position, Record
from schemas.topics import Topic

TOPICS = (Topic.INTERACTIONS,)


class Log:
    """A log of numbered records, and where the consumer stands."""

    def __init__(self, length: int) -> None:
        self.length, self.stands, self.reads = length, 0, 0

    def _records(self, after: int, limit: int) -> list[Record]:
        places = range(after + 1, min(after + limit, self.length) + 1)
        return [
            Record(str(place), None, UUID(int=place), "type", "key", Topic.INTERACTIONS, b"")
            for place in places
        ]

    async def read(self, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
        self.reads += 1
        records = self._records(self.stands, limit)
        return Batch(records, str(self.stands), records[-1].position if records else str(self.stands))

    async def scan(self, topics: Sequence[Topic], after: Position, limit: int) -> Sequence[Record]:
        return self._records(int(after), limit)


def places(batch: Batch) -> list[str]:
    return [record.position for record in batch.records]


async def test_batches_follow_each_other_and_say_where_they_begin() -> None:
    log = Log(5)
    reading = Reading(cast(Engine, log), "cases", TOPICS)
    seen, before = [], []
    while (batch := await reading.next(2)).records:
        before.append(batch.before)
        reading.ahead(batch, 2)
        log.stands = int(batch.position)
        seen += places(batch)
    assert seen == ["1", "2", "3", "4", "5"]
    assert before == ["0", "2", "4"]
    assert log.reads == 2  # the first batch, and the look that finds nothing


async def test_a_batch_that_was_not_committed_is_read_again() -> None:
    log = Log(5)
    reading = Reading(cast(Engine, log), "cases", TOPICS)
    first = await reading.next(2)
    reading.ahead(first, 2)
    reading.forget()
    assert places(await reading.next(2)) == places(first)


async def test_what_came_after_the_last_full_batch_is_found() -> None:
    log = Log(2)
    reading = Reading(cast(Engine, log), "cases", TOPICS)
    reading.ahead(await reading.next(2), 2)
    log.stands, log.length = 2, 3
    assert places(await reading.next(2)) == ["3"]
