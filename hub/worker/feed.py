"""One consumer on the partitions that this process holds, fed with the records of those by whoever fetches them.

Where the consumer stands is what the store says, partition by partition, and moves with the step that holds the effects. So it
does no harm when a record comes twice (it is dropped), too early (what is missing before it is read from the log), or to two
processes at once (the second conflicts, looks again, and finds it done). Offsets committed to Kafka are never believed.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from hub.http.context import Share
from hub.observe import Metrics
from hub.processing import BATCH, Consumer, Processing
from schemas.crash import crash_point
from schemas.errors import Conflict, Outage
from schemas.ports import Clock
from schemas.steps import Batch, Place
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.offsets import Offsets, Partition, from_place, sortable, to_position
from sinks.kafka.reading import Raw

log = logging.getLogger("hubbub.worker")

T = TypeVar("T")

LOOK_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 0.25
FAULT_SECONDS = 1.0


def merged(raws: Sequence[Raw]) -> list[Raw]:
    """In the order of their stamps, and within a partition in that of the log."""
    latest: dict[Partition, int] = {}
    keyed = []
    for each in sorted(raws, key=lambda raw: raw.offset):
        stamp = latest[each.partition] = max(latest.get(each.partition, 0), each.stamp)
        keyed.append((stamp, each.partition, each.offset, each))
    return [each for *_, each in sorted(keyed, key=lambda key: key[:3])]


def _lag(
    partitions: Collection[Partition],
    stands_at: Mapping[Partition, int],
    starts: Mapping[Partition, int],
    ends: Mapping[Partition, int],
) -> int:
    """How many records there are beyond where somebody stands."""
    return sum(
        max(0, ends.get(each, 0) - max(stands_at.get(each, 0), starts.get(each, 0))) for each in partitions
    )


def _is_in(partitions: Collection[Partition], place: Place) -> bool:
    return from_place(place)[0] in partitions


class Feed:
    """`hold` says which partitions are this process's; `take` applies records of theirs; `run` looks after parked keys."""

    def __init__(
        self,
        engine: DistributedEngine,
        clock: Clock,
        consumer: Consumer,
        batch: int = BATCH,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self.consumer = consumer
        self.processing = Processing(engine, clock, consumer, batch, metrics)
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._held: frozenset[Partition] = frozenset()
        self._holding = 0
        """Rises with each `hold`: what was asked before it is asked again."""
        self._next: Offsets | None = None
        """Where the consumer stands; None: ask the store."""
        self._nothing_before: Offsets = {}
        """Up to there the log holds nothing beyond where the consumer stands: retention took it."""
        self._begins: Offsets = {}
        self._looked_at: frozenset[Partition] = frozenset()
        """Partitions whose parked keys are known here."""
        self._conflicts = 0
        self.moves = 0
        """Rises with each thing that is done: who sees it stand still while there is work knows that something is wrong."""

    def hold(self, partitions: Collection[Partition], begins: Mapping[Partition, int] | None = None) -> None:
        """These are this process's from now on, and no others. `begins`: from where `take` is given their records."""
        self._held = frozenset(each for each in partitions if each[0] in self.consumer.topics)
        self._begins = dict(begins or {})
        self._holding += 1
        self._forget()
        self._wake.set()

    @property
    def held(self) -> frozenset[Partition]:
        return self._held

    async def take(self, raws: Sequence[Raw]) -> None:
        """Returns when each of these was applied, by this process or another; until then it waits, however long.

        After `stop` it never returns, so that whoever acknowledges by its return acknowledges nothing; cancel it.
        """
        left: Sequence[Raw] = merged(raws)
        while left:
            left = await self._surely(partial(self._some_of, left))

    async def run(self) -> None:
        """Until `stop`: decides parked keys again when they are due."""
        while not self._stopping.is_set():
            await self._until_due()
            if self._held and not self._stopping.is_set():
                await self._surely(self._look_after)

    def stop(self) -> None:
        """Nothing new is begun. What is being committed goes on; `idle` says when that is over."""
        self._stopping.set()
        self._wake.set()

    async def share(self, starts: Mapping[Partition, int], ends: Mapping[Partition, int]) -> Share:
        """How far it is in the partitions that it holds, of what the log has. Raises Outage."""
        stands_at = await self._engine.offsets(self.consumer.name)
        parked = self.processing.parking.lags() if self.processing.parking.is_loaded else []
        return Share(
            lag=_lag(self._held, stands_at, starts, ends),
            moves=self.moves,
            parked_keys=len(parked),
            parked_most=parked[0].events if parked else 0,
            partitions=len(self._held),
        )

    async def whole(self, starts: Mapping[Partition, int], ends: Mapping[Partition, int]) -> Share:
        """How far the consumer is in all of the log, whoever works on it: what a process looks at that holds nothing."""
        stands_at = await self._engine.offsets(self.consumer.name)
        all_of_them = [each for each in ends if each[0] in self.consumer.topics]
        return Share(_lag(all_of_them, stands_at, starts, ends), moves=sum(stands_at.values()))

    def _done(self, partition: Partition, stands_at: Mapping[Partition, int]) -> int:
        return max(stands_at.get(partition, 0), self._nothing_before.get(partition, 0))

    async def idle(self) -> None:
        """Waits until nothing is being decided or committed."""
        async with self._lock:
            return

    # -- doing ------------------------------------------------------------------------------------------------------

    async def _surely(self, do: Callable[[], Awaitable[T]]) -> T:
        """Again and again until it succeeds. An outage is waited for; a defect of ours is logged and tried again."""
        while True:
            if self._stopping.is_set():
                await asyncio.Event().wait()  # for ever
            try:
                return await do()
            except Conflict as conflict:
                log.debug("%s decides again: %s", self.consumer.name, conflict)
                self._conflicts += 1
                pause = min(LONGEST_PAUSE_SECONDS, 0.002 * 2 ** min(self._conflicts, 10))
                await self._rest(random.uniform(0, pause))  # noqa: S311  not for secrets
            except Outage as outage:
                log.warning("%s waits: %s", self.consumer.name, outage)
                await self._rest(outage.retry_after_seconds)
            except Exception:
                log.exception("%s failed and tries again", self.consumer.name)
                await self._rest(FAULT_SECONDS)

    async def _some_of(self, raws: Sequence[Raw]) -> Sequence[Raw]:
        """Applies the first of these that were not applied; returns what is left."""
        async with self._lock:
            stands_at = await self._known({each.partition for each in raws})
            fresh = [each for each in raws if each.offset >= stands_at.get(each.partition, 0)]
            if not fresh:
                return ()
            missing = await self._missing(fresh, stands_at)
            part = (missing or fresh)[: self.processing.limit]
            await self._apply(part, stands_at)
            return fresh if missing else fresh[len(part) :]

    async def _missing(self, raws: Sequence[Raw], stands_at: Mapping[Partition, int]) -> list[Raw]:
        """What the log holds between where the consumer stands and the first of these, of one partition."""
        firsts: Offsets = {}
        for each in raws:
            firsts.setdefault(each.partition, each.offset)
        for partition, first in firsts.items():
            found = await self._between(partition, stands_at, first)
            if found:
                return found
        return []

    async def _between(
        self, partition: Partition, stands_at: Mapping[Partition, int], last: int
    ) -> list[Raw]:
        first = self._done(partition, stands_at)
        if first >= last:
            return []
        found = await self._engine.events.between(partition, first, last, self.processing.limit)
        if not found:
            self._nothing_before[partition] = last
        return found

    async def _apply(self, raws: Sequence[Raw], stands_at: Mapping[Partition, int]) -> None:
        """One step: these records, and the positions behind them."""
        partitions = {each.partition for each in raws}
        before = {each: stands_at.get(each, 0) for each in partitions}
        after = before | {each.partition: each.offset + 1 for each in raws}
        records = await self._engine.events.decoded(raws, before)
        crash_point("runner.after-read")
        decided = await self.processing.decide(Batch(records, to_position(before), to_position(after)))
        try:
            await self.processing.commit(decided)
        except Conflict as conflict:
            await self._conflicted(conflict, before)
            raise
        except BaseException:
            self._forget()  # it may have happened
            raise
        self._conflicts = 0
        self.moves += 1
        if self._next is not None:
            self._next.update(after)
        if decided.parked:
            self._wake.set()

    async def _conflicted(self, conflict: Conflict, before: Mapping[Partition, int]) -> None:
        """If another process moved on, that is all; else somebody changed a case meanwhile."""
        self._forget()
        stands_at = await self._known()
        if all(stands_at.get(each, 0) == offset for each, offset in before.items()):
            self.processing.conflicted(conflict)

    # -- what is known ----------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._next = None
        self.processing.parking.forget()

    async def _known(self, taken: Collection[Partition] = ()) -> Offsets:
        """Where the consumer stands, with the keys that are parked in the partitions held, and in those `taken` from.

        What was fetched before a partition went to another process may still be taken, and must not pass what is parked there.
        Positions first: what another process parks after that moves one of them, and our step there conflicts.
        """
        parking = self.processing.parking
        while True:
            holding = self._holding
            looked_at = self._held | frozenset(taken)
            if not looked_at <= self._looked_at:
                self._forget()
            stands_at = self._next
            if stands_at is None:
                stands_at = await self._engine.offsets(self.consumer.name)
            if not parking.is_loaded:
                await parking.load(partial(_is_in, looked_at), sortable)
                self._looked_at = looked_at
            if holding == self._holding:
                self._next = stands_at
                return stands_at
            self._forget()

    async def starts(self) -> Offsets:
        """Where the consumer stands, as the store says now. Raises Outage."""
        return await self._engine.offsets(self.consumer.name)

    # -- parked keys, and what nobody brings --------------------------------------------------------------------------

    async def _look_after(self) -> None:
        async with self._lock:
            stands_at = await self._known()
            if await self._catch_up(stands_at):
                self._wake.set()
                return
            try:
                if await self.processing.retry_parked():
                    self.moves += 1
            except Conflict:
                self.processing.parking.forget()
                raise

    async def _catch_up(self, stands_at: Mapping[Partition, int]) -> bool:
        """What lies before the place from which `take` is given records. False when there is nothing."""
        for partition in sorted(self._held):
            found = await self._between(partition, stands_at, self._begins.get(partition, 0))
            if found:
                await self._apply(found, stands_at)
                return True
        return False

    async def _until_due(self) -> None:
        parking = self.processing.parking
        seconds = parking.seconds_to_next() if parking.is_loaded else None
        try:
            async with asyncio.timeout(
                LOOK_SECONDS if seconds is None else max(0.02, min(LOOK_SECONDS, seconds))
            ):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
