"""Whether a store is older than its log: a case event is stored before it is published, so the log never knows more of a case."""

from uuid import UUID

from schemas.cases import CaseEvent
from schemas.documents import Case
from schemas.errors import Refused
from schemas.ports import Engine
from schemas.steps import References
from schemas.topics import Topic

LAST = 50
"""Records of each partition that are looked at."""
CURE = (
    "the store is older than its log: it does not know the last events of cases. Stop all processes of this installation, "
    "run `hubbub catch-up`, then start them; or let `store` name the right database"
)


async def refuse_older(engine: Engine) -> None:
    """Raises Refused where the log tells more than the store knows: working on would send again what was sent."""
    if await behind(engine):
        raise Refused(CURE)


async def behind(engine: Engine) -> set[UUID]:
    """Cases of which the end of the log tells more than is stored. Empty where log and store are one."""
    told = await _told(engine)
    if not told:
        return set()
    found = (await engine.load(References(documents={Case: set(told)}))).documents
    return {id for id, sequence in told.items() if id not in found or found[id].revision < sequence}


async def _told(engine: Engine) -> dict[UUID, int]:
    """The last sequence of each case that the end of the log names."""
    if engine.is_one_order:
        return {}
    from sinks.distributed.engine import DistributedEngine  # noqa: PLC0415  needs the packages of that engine

    if not isinstance(engine, DistributedEngine):
        return {}
    log = engine.events
    ends, starts = await log.ends(), await log.starts()
    told: dict[UUID, int] = {}
    for partition, end in ends.items():
        if partition[0] is not Topic.CASES:
            continue
        first = max(starts.get(partition, 0), end - LAST)
        raws = await log.between(partition, first, end, LAST) if first < end else []
        for record in await log.decoded(raws, {partition: first}):
            event = record.event
            if event is not None and isinstance(event.data, CaseEvent) and not event.late:
                told[event.data.case] = max(told.get(event.data.case, 0), event.sequence or 0)
    return told
