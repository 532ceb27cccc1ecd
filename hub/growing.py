"""Whether topics may be given more partitions now: keys move to other ones, so nothing may be on its way.

An event that is still to be done in one partition, while the next of its key is done in another, would break their order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from schemas.collections import PARKED
from schemas.members import MEMBERS, Member
from schemas.ports import Engine
from schemas.steps import Query, Where

CONSUMERS = (CasesConsumer, AutomationConsumer, OutboundConsumer, SearchConsumer)
MOST_MEMBERS = 500


async def in_the_way(engine: Engine, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> list[str]:
    """What has to be over first, in sentences; none when partitions can grow. Raises Outage."""
    found = [f"{name} works: stop it" for name in await _living(engine, pause)]
    for consumer in CONSUMERS:
        lag = await engine.lag(consumer.name, consumer.topics)
        if lag:
            found.append(
                f"the consumer {consumer.name} has {lag} events to do: let workers run until it has none"
            )
    parked = await engine.count(Query(PARKED))
    if parked:
        found.append(f"{parked} events wait for a fact or a vendor: let workers run until none does")
    return found


async def _living(engine: Engine, pause: Callable[[float], Awaitable[None]]) -> Sequence[str]:
    """Processes whose member is renewed. One that was killed may be in the list of the living still, but changes no more."""
    before = await _members(engine)
    if not before:
        return ()
    await pause(max(each.seconds for each in before.values()))
    after = await _members(engine)
    return sorted(
        each.name for id, each in after.items() if id not in before or each.revision != before[id].revision
    )


async def _members(engine: Engine) -> dict[UUID, Member]:
    page = await engine.find(Query(MEMBERS, (Where("ended_at", "null"),), limit=MOST_MEMBERS))
    return {each.id: each for each in page.items if isinstance(each, Member)}
