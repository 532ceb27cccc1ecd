"""Parked keys of one consumer: what waits for a fact or a vendor, and behind each the later events of its key.

What is here mirrors documents of the store. A parked event is settled only at the revision at which it is known here, so two
processes that hold the same one for a moment settle it once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.collections import PARKED
from schemas.documents import Parked
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.steps import Place, Query, Record, Step, Where

FIRST_PARK_SECONDS = 0.5
LONGEST_PARK_SECONDS = 300.0
PAGE = 1000


MOST_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class KeyLag:
    """A parked key of a consumer: how many of its events wait, why the first does, how often and when it is tried."""

    consumer: str
    key: str
    events: int
    reason: str
    attempts: int
    next_attempt_at: datetime


def lags_of(waiting: Iterable[Sequence[Parked]]) -> list[KeyLag]:
    """By key with its first event first; the key with most events first."""
    lags = [
        KeyLag(head.consumer, head.key, len(parked), head.reason, head.attempts, head.not_before)
        for parked in waiting
        for head in parked[:1]
    ]
    return sorted(lags, key=lambda each: (-each.events, each.consumer, each.key))


async def parked_keys(engine: Engine) -> list[KeyLag]:
    """Of all consumers, as the store knows them; of at most 20,000 events."""
    waiting: dict[tuple[str, str], list[Parked]] = {}
    after: str | None = None
    for _ in range(MOST_LOOKED_AT // PAGE):
        page = await engine.find(Query(PARKED, limit=PAGE, after=after))
        for each in page.items:
            assert isinstance(each, Parked)
            waiting.setdefault((each.consumer, each.key), []).append(each)
        after = page.next
        if after is None:
            break
    return lags_of(waiting.values())


class Parking:
    """`load` first. Order within a key is that in which events were parked, which is that of the log."""

    def __init__(self, engine: Engine, clock: Clock, consumer: str) -> None:
        self._engine = engine
        self._clock = clock
        self._consumer = consumer
        self._waiting: dict[str, list[Parked]] = {}
        self.is_loaded = False

    async def load(
        self, is_mine: Callable[[Place], bool] | None = None, order: Callable[[Place], str] | None = None
    ) -> None:
        """What the store holds now: all of it, or of those places that are this process's.

        In the order in which it was parked, or of `order` where several processes with clocks of their own have parked.
        """
        waiting: dict[str, list[Parked]] = {}
        after: str | None = None
        while True:
            query = Query(PARKED, (Where("consumer", "=", self._consumer),), limit=PAGE, after=after)
            page = await self._engine.find(query)
            for each in page.items:
                assert isinstance(each, Parked)
                if is_mine is None or is_mine(each.position):
                    waiting.setdefault(each.key, []).append(each)
            after = page.next
            if after is None:
                break
        if order is not None:
            for parked in waiting.values():
                parked.sort(key=lambda each: order(each.position))
        self._waiting = waiting
        self.is_loaded = True

    def forget(self) -> None:
        """It is not known here any more: `load` again."""
        self.is_loaded = False

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._waiting)

    def add(self, parked: Sequence[Parked]) -> None:
        """What a step has parked durably."""
        for each in parked:
            self._waiting.setdefault(each.key, []).append(each)

    def due(self) -> list[str]:
        """Keys whose head's time has come."""
        now = self._clock.now()
        return [key for key, waiting in self._waiting.items() if waiting[0].not_before <= now]

    def head(self, key: str) -> Parked | None:
        waiting = self._waiting.get(key)
        return waiting[0] if waiting else None

    def settled(self, head: Parked) -> None:
        """It waits no longer, and that is durable."""
        waiting = self._waiting[head.key]
        waiting.pop(0)
        if not waiting:
            del self._waiting[head.key]

    def seconds_to_next(self) -> float | None:
        """Until something is due; None when nothing waits."""
        if not self._waiting:
            return None
        soonest = min(waiting[0].not_before for waiting in self._waiting.values())
        return (soonest - self._clock.now()).total_seconds()

    def lags(self) -> list[KeyLag]:
        """Each parked key, the one with most events first."""
        return lags_of(self._waiting.values())

    # -- documents --------------------------------------------------------------------------------------------------

    def new(self, record: Record, reason: str) -> Parked:
        return Parked(
            id=derive("parked", self._consumer, record.place),
            revision=1,
            consumer=self._consumer,
            key=record.key,
            event=record.id,
            position=record.place,
            reason=reason,
            not_before=self._clock.now() + timedelta(seconds=FIRST_PARK_SECONDS),
        )

    async def again(self, head: Parked, reason: str) -> None:
        """Wait longer. Raises Conflict when somebody else settled it."""
        seconds = min(LONGEST_PARK_SECONDS, FIRST_PARK_SECONDS * 2 ** (head.attempts + 1))
        waits = head.model_copy(
            update={
                "attempts": head.attempts + 1,
                "reason": reason,
                "not_before": self._clock.now() + timedelta(seconds=seconds),
                "revision": head.revision + 1,
            }
        )
        await self._engine.commit(Step(documents=[(waits, head.revision)]))
        self._waiting[head.key][0] = waits
