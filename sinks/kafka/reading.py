"""Reads partitions as one sequence, merged by the stamps of the records; within a partition in the order of its offsets.

A read ends at the offsets that were the last when it began, so what it gives does not depend on how fast records arrive.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.errors import Outage
from schemas.steps import Place
from schemas.topics import Topic
from sinks.kafka.access import client_options
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import Decoded, from_record, recorded_micros
from sinks.kafka.errors import outages
from sinks.kafka.offsets import Offsets, Partition

FETCH_BYTES = 1024 * 1024
FETCH_WAIT_MILLISECONDS = 100
REQUEST_MILLISECONDS = 10_000
SILENCE_SECONDS = 15.0
"""So long nothing may come of what the broker says is there."""


@dataclass(slots=True)
class Raw:
    """A record as it lies on the log."""

    partition: Partition
    offset: int
    stamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    _decoded: Decoded | None = field(default=None, compare=False, repr=False)

    def decoded(self, place: Place) -> Decoded:
        """Decoded once, for however many consumers it was fetched. `place` is its own."""
        if self._decoded is None:
            self._decoded = from_record(place, self.key, self.value, self.headers)
        return self._decoded


class Reader:
    """A consumer without a group, on a fixed set of partitions. One call at a time."""

    def __init__(
        self, address: KafkaAddress, partitions: Sequence[Partition], counts: Mapping[Topic, int]
    ) -> None:
        self.partitions = tuple(partitions)
        self.counts = counts
        """How many partitions each topic has."""
        self.lock = asyncio.Lock()
        self.next: Offsets = {}
        """The next record to give, of each partition; empty until `seek`."""
        self._names = {TopicPartition(address.prefix + each[0], each[1]): each for each in self.partitions}
        self._assigned = {each: name for name, each in self._names.items()}
        self._ahead: dict[Partition, deque[Any]] = {}
        self._fetched: Offsets = {}
        self._client = AIOKafkaConsumer(
            **client_options(address),
            client_id="hubbub",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            request_timeout_ms=REQUEST_MILLISECONDS,
        )

    async def start(self) -> None:
        """Nothing is fetched before somebody takes: an open reader that is idle costs nothing."""
        with outages("connecting"):
            try:
                await self._client.start()
                self._client.assign(list(self._names))
                self._client.pause(*self._names)
            except BaseException:
                await self._client.stop()
                raise

    async def close(self) -> None:
        await self._client.stop()

    async def ends(self) -> Offsets:
        """The offset behind the last record of each partition."""
        with outages("asking where the log ends"):
            found: dict[Any, int] = await self._client.end_offsets(list(self._names))
        return {self._names[name]: offset for name, offset in found.items()}

    async def starts(self) -> Offsets:
        """The offset of the first record that is still there, of each partition."""
        with outages("asking where the log starts"):
            found: dict[Any, int] = await self._client.beginning_offsets(list(self._names))
        return {self._names[name]: offset for name, offset in found.items()}

    async def at(self, moment: datetime) -> Offsets:
        """The first offset that was appended at or after a moment, of each partition; its end where there is none."""
        milliseconds = int(moment.timestamp() * 1000)
        ends = await self.ends()
        with outages("asking what was appended since a time"):
            found: dict[Any, Any] = await self._client.offsets_for_times(
                dict.fromkeys(self._names, milliseconds)
            )
        return ends | {self._names[name]: each.offset for name, each in found.items() if each is not None}

    async def seek(self, wanted: Mapping[Partition, int]) -> None:
        """The next `take` begins there; where nothing is said, or what is said is gone, at the first record that is there."""
        if self.next and all(self.next[each] == wanted.get(each, -1) for each in self.partitions):
            return
        starts = await self.starts()
        for each in self.partitions:
            offset = max(wanted.get(each, 0), starts[each])
            if self.next.get(each) != offset:
                self._client.seek(self._assigned[each], offset)
                self._ahead[each] = deque()
                self._fetched[each] = offset
                self.next[each] = offset

    async def take(self, limit: int, ends: Mapping[Partition, int]) -> list[Raw]:
        """Up to so many records before these ends, merged.

        Fetches only meanwhile: a client that waits at the end of the log asks ten times a second, for as long as it is open.
        """
        if self._is_ahead(ends):
            return await self._merged(limit, ends)
        self._client.resume(*self._names)
        try:
            return await self._merged(limit, ends)
        finally:
            self._client.pause(*self._names)

    def _is_ahead(self, ends: Mapping[Partition, int]) -> bool:
        """Whether all that there is has been fetched."""
        return all(self._fetched[each] >= ends.get(each, 0) for each in self.partitions)

    async def _merged(self, limit: int, ends: Mapping[Partition, int]) -> list[Raw]:
        taken: list[Raw] = []
        heads: list[tuple[int, int, int]] = []
        latest = dict.fromkeys(self.partitions, 0)
        await self._fill(self.partitions, ends)
        for place, each in enumerate(self.partitions):
            self._push(heads, place, each, latest, ends)
        while heads and len(taken) < limit:
            _, place, stamp = heapq.heappop(heads)
            partition = self.partitions[place]
            ahead = self._ahead[partition]
            record = ahead.popleft()
            self.next[partition] = record.offset + 1
            taken.append(Raw(partition, record.offset, stamp, record.key, record.value, record.headers))
            if len(taken) < limit:
                if not ahead:
                    await self._fill((partition,), ends)
                self._push(heads, place, partition, latest, ends)
        return taken

    def _push(
        self,
        heads: list[tuple[int, int, int]],
        place: int,
        partition: Partition,
        latest: dict[Partition, int],
        ends: Mapping[Partition, int],
    ) -> None:
        """The next record of a partition joins the merge; a stamp below one before it in its partition counts as that."""
        ahead = self._ahead[partition]
        if ahead and ahead[0].offset < ends.get(partition, 0):
            stamp = recorded_micros(ahead[0].headers)
            latest[partition] = max(latest[partition], stamp)
            heapq.heappush(heads, (latest[partition], place, stamp))

    async def _fill(self, partitions: Sequence[Partition], ends: Mapping[Partition, int]) -> None:
        """Until each of these partitions has a record ahead, or has none before its end."""
        hungry = self._hungry(partitions, ends)
        if not hungry:
            return
        now = asyncio.get_running_loop().time
        deadline = now() + SILENCE_SECONDS
        while hungry:
            with outages("reading"):
                found = await self._client.getmany(timeout_ms=FETCH_WAIT_MILLISECONDS)
                for name, records in found.items():
                    partition = self._names[name]
                    self._ahead[partition].extend(records)
                    self._fetched[partition] = records[-1].offset + 1
                if not found:
                    await self._skip(hungry)
            if found:
                deadline = now() + SILENCE_SECONDS
            elif now() > deadline:
                raise Outage(f"kafka: nothing comes of {hungry[0][0]}, partition {hungry[0][1]}")
            hungry = self._hungry(hungry, ends)

    def _hungry(self, partitions: Sequence[Partition], ends: Mapping[Partition, int]) -> list[Partition]:
        return [
            each for each in partitions if not self._ahead[each] and self._fetched[each] < ends.get(each, 0)
        ]

    async def _skip(self, partitions: Sequence[Partition]) -> None:
        """Past offsets that hold no record for us: marks of others' transactions, or what retention removed meanwhile."""
        for each in partitions:
            reached: int = await self._client.position(self._assigned[each])
            self._fetched[each] = max(self._fetched[each], reached)
