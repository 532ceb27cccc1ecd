"""How often somebody may try to sign in: token buckets in the store, so that all processes count the same and a restart forgets nothing.

A bucket is kept as the moment at which it is full again (the generic cell rate algorithm), one document each.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from connectors.kit.rates import Rate
from hub.accounts.errors import Throttled
from schemas.accounts import THROTTLES, Throttle
from schemas.errors import Conflict
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.steps import Query, References, Step, Where

BY_NAME_AND_ADDRESS = Rate(per_minute=0.5, burst=5)
BY_NAME = Rate(per_minute=2, burst=20)
BY_ADDRESS = Rate(per_minute=10, burst=30)
"""Failed sign-ins. A name has more tries in all than from one address, so that a stranger cannot lock an agent out soon."""
CODES = Rate(per_minute=0.2, burst=5)
"""Of the second factor: three of a million codes are right at a time, so a year of guessing finds one with 1 in 4."""

ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 0.05
EXACT_SECONDS = 0.001

Budgets = Mapping[UUID, Rate]
Decide = Callable[[Mapping[UUID, datetime], datetime], Mapping[UUID, datetime]]


def budgets_of(name: str, site: str) -> Budgets:
    """What a try of this name from this address is taken from. The store keeps neither of them."""
    return {
        derive("sign-in", "name-and-address", f"{name}\x1f{site}"): BY_NAME_AND_ADDRESS,
        derive("sign-in", "name", name): BY_NAME,
        derive("sign-in", "address", site): BY_ADDRESS,
    }


def code_budgets_of(name: str) -> Budgets:
    """What a try with a code is taken from."""
    return {derive("sign-in", "code", name): CODES}


def visit_budgets_of(site: str) -> Budgets:
    """What a return from a provider of single sign-on is taken from, which makes us ask that provider."""
    return {derive("sign-in", "provider", site): BY_ADDRESS}


class Throttles:
    """`take` before a try, `give_back` when it was none of those that are counted."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._turn = asyncio.Lock()
        """In one process they go one after the other: only other processes are ever in the way."""

    async def take(self, budgets: Budgets) -> None:
        """One from each; nothing from any where one has none left. Raises Throttled, with the wait, or Outage."""

        def decide(full_at: Mapping[UUID, datetime], now: datetime) -> Mapping[UUID, datetime]:
            for id, rate in budgets.items():
                wait = _wait_seconds(rate, full_at.get(id, now), now)
                if wait > EXACT_SECONDS:
                    raise Throttled("too many attempts to sign in; wait and try again", wait)
            return {id: max(full_at.get(id, now), now) + _cost(rate) for id, rate in budgets.items()}

        await self._change(budgets, decide)

    async def give_back(self, budgets: Budgets) -> None:
        """One to each. Raises Outage."""

        def decide(full_at: Mapping[UUID, datetime], now: datetime) -> Mapping[UUID, datetime]:
            return {id: full_at[id] - _cost(rate) for id, rate in budgets.items() if id in full_at}

        await self._change(budgets, decide)

    async def purge(self, limit: int = 500) -> int:
        """Forgets full buckets. Returns how many."""
        where = (Where("full_at", "<", self._clock.now()),)
        page = await self._engine.find(Query(THROTTLES, where, ("full_at",), limit))
        if page.items:
            await self._engine.commit(Step(deletions=[(Throttle, each.id) for each in page.items]))
        return len(page.items)

    async def _change(self, budgets: Budgets, decide: Decide) -> None:
        async with self._turn:
            for _ in range(ATTEMPTS):
                found = (await self._engine.load(References(documents={Throttle: set(budgets)}))).documents
                held = {id: each for id, each in found.items() if isinstance(each, Throttle)}
                after = decide({id: each.full_at for id, each in held.items()}, self._clock.now())
                step = Step()
                for id, full_at in after.items():
                    revision = held[id].revision if id in held else 0
                    step.documents.append((Throttle(id=id, revision=revision + 1, full_at=full_at), revision))
                try:
                    if step.documents:
                        await self._engine.commit(step)
                except Conflict:
                    await asyncio.sleep(random.SystemRandom().uniform(0, LONGEST_PAUSE_SECONDS))
                    continue
                return
        raise Throttled("too many sign in at this moment; try again", 1)


def _cost(rate: Rate) -> timedelta:
    return timedelta(minutes=1 / rate.per_minute)


def _wait_seconds(rate: Rate, full_at: datetime, now: datetime) -> float:
    """Until there is one in the bucket; not above 0 when there is."""
    missing = max(0.0, (full_at - now).total_seconds()) * rate.per_minute / 60
    return (missing + 1 - rate.burst) * 60 / rate.per_minute
