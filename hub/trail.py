"""The trail of one day: who signed in, read originals, exported, changed permissions, published, settled letters. Newest first."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from schemas.configuration import ConfigurationPublished
from schemas.events import Actor, Payload
from schemas.parking import Audited, DeadLetterClosed, QuarantineClosed
from schemas.ports import Engine
from schemas.steps import Record
from schemas.topics import Topic

TOPICS = (Topic.AUDIT, Topic.CONFIGURATION, Topic.QUARANTINE, Topic.DEAD_LETTERS)
PAGE = 500
MOST_RECORDS = 10_000
MOST_SHOWN = 1_000
ONE_DAY = timedelta(days=1)
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Trace:
    """`action`: as the audit events name it, else `configuration-published`, `quarantine-…`, `dead-letter-…`."""

    at: datetime
    actor: Actor
    action: str
    subject: str = ""
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Day:
    """`cut`: there were more than are shown."""

    traces: tuple[Trace, ...]
    cut: bool


async def day_of(engine: Engine, day: date, who: str = "") -> Day:
    """Of this day (UTC), by this actor where one is named. Who may see it is for the caller to see to."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    end = start + ONE_DAY
    position = await engine.position_at(start - CLOCKS_DIFFER)
    traces: list[Trace] = []
    read = 0
    while read < MOST_RECORDS:
        records = await engine.scan(TOPICS, position, PAGE)
        if not records:
            break
        read += len(records)
        position = records[-1].position
        found = [trace for each in records if (trace := _trace(each)) is not None]
        traces += [each for each in found if start <= each.at < end and (not who or each.actor.id == who)]
        later = (each.event is not None and each.event.time >= end + CLOCKS_DIFFER for each in records)
        if engine.is_one_order and all(later):  # else another partition may still be before
            break
    traces.reverse()
    traces.sort(key=lambda each: each.at, reverse=True)  # stable: of one moment, the later recorded first
    return Day(tuple(traces[:MOST_SHOWN]), read >= MOST_RECORDS or len(traces) > MOST_SHOWN)


def _trace(record: Record) -> Trace | None:
    if record.event is None:
        return None
    at, said = record.event.time, record.event.data
    if isinstance(said, Audited):
        return Trace(at, said.actor, said.action, said.subject, said.detail)
    return _other(at, said)


def _other(at: datetime, said: Payload) -> Trace | None:
    if isinstance(said, ConfigurationPublished):
        detail = {"note": said.note} if said.note else {}
        return Trace(at, said.actor, "configuration-published", str(said.number), detail)
    if isinstance(said, QuarantineClosed):
        return Trace(at, said.actor, f"quarantine-{said.outcome}", str(said.item))
    if isinstance(said, DeadLetterClosed):
        return Trace(at, said.actor, f"dead-letter-{said.outcome}", str(said.letter))
    return None
