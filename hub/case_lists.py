"""Which cases a list shows: what is asked for, and what of it the one who asks reads. The filter is part of the query."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.allowed import must_see, visible_queues
from schemas.accounts import Principal
from schemas.cases import CaseState
from schemas.columns import PRIORITY_RANK
from schemas.configuration import Priority
from schemas.steps import Where

OPEN_STATES = (CaseState.OPEN, CaseState.WAITING)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list. Empty fields do not filter. `sort`: waiting (oldest wait first), newest, due, priority."""

    queue: str | None = None
    queues: tuple[str, ...] = ()
    states: tuple[CaseState, ...] = OPEN_STATES
    assignee: str | None = None
    unassigned: bool = False
    brand: str | None = None
    handles: tuple[UUID, ...] = ()
    priorities: tuple[Priority, ...] = ()
    overdue: bool = False
    sort: str = "waiting"


SORTS: dict[str, tuple[str, ...]] = {
    "waiting": ("waits_from",),
    "newest": ("-updated_at",),
    "due": ("due_from", "waits_from"),
    "priority": ("priority", "waits_from"),
}


def where_of(principal: Principal, wanted: CaseFilter, now: datetime) -> tuple[Where, ...]:
    """Raises Unknown where one queue is asked for that the principal does not read."""
    where = _in_queues(principal, wanted)
    if wanted.priorities:
        where.append(Where("priority", "in", tuple(PRIORITY_RANK[each] for each in wanted.priorities)))
    if wanted.states:
        where.append(Where("state", "in", tuple(str(state) for state in wanted.states)))
    if wanted.unassigned:
        where.append(Where("assignee", "null"))
    elif wanted.assignee is not None:
        where.append(Where("assignee", "=", wanted.assignee))
    if wanted.brand is not None:
        where.append(Where("brand", "=", wanted.brand))
    if wanted.handles:
        where.append(Where("handle", "in", wanted.handles))
    if wanted.overdue:
        where.append(Where("due_at", "<", now))
    return tuple(where)


def _in_queues(principal: Principal, wanted: CaseFilter) -> list[Where]:
    """Of the queues that are asked for those that are read."""
    visible = visible_queues(principal)
    if wanted.queue is not None:
        must_see(principal, wanted.queue)
        return [Where("queue", "=", wanted.queue)]
    if wanted.queues:
        read = wanted.queues if visible is None else tuple(sorted(set(wanted.queues) & set(visible)))
        return [Where("queue", "in", read)]
    return [] if visible is None else [Where("queue", "in", tuple(visible))]
