"""The rail beside every page of the desk: views, queues and saved views, with how many wait there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hub.case_lists import OPEN_STATES
from hub.console.narrowing import of_filter
from hub.console.places import ICONS, VIEWS, Place, place
from hub.console.words import Moment, Words
from hub.http.context import AppContext
from hub.queries import QueueView
from schemas.accounts import Principal, Role
from schemas.collections import CASES
from schemas.saved_views import EVERYBODY
from schemas.steps import Query, Where

COUNTED_VIEWS = 9


@dataclass(frozen=True, slots=True)
class RailLink:
    key: str
    title: str
    url: str
    icon: str
    count: int | None = None
    age: Moment | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Rail:
    views: Sequence[RailLink]
    queues: Sequence[RailLink]
    is_supervisor: bool
    saved: Sequence[RailLink] = ()
    can_start: bool = False
    """Whether there is a channel by which one can write first."""


async def rail(context: AppContext, principal: Principal, words: Words) -> Rail:
    queues, mine, saved = await asyncio.gather(
        context.service.queues(principal), _mine(context, principal), _saved(context, principal)
    )
    return Rail(
        views=[_view_link(name, queues, mine, words) for name in VIEWS],
        queues=[_queue_link(each, words) for each in queues],
        is_supervisor=principal.is_at_least(Role.SUPERVISOR),
        saved=saved,
        can_start=bool(context.correspondence.identities()),
    )


async def _saved(context: AppContext, principal: Principal) -> list[RailLink]:
    """Views that were saved; those that have a number are counted."""
    views = await context.saved_views.seen_by(principal)
    counts = await context.saved_views.counts(principal, views[:COUNTED_VIEWS])
    links = []
    for at, view in enumerate(views):
        narrow = of_filter(view.filter, view.id)
        chosen = place(None, "all", view.filter.sort, narrow)
        count = counts[at] if at < len(counts) else None
        icon = "users" if view.audience == EVERYBODY else "layers"
        links.append(RailLink(chosen.key, view.title, chosen.url, icon, count))
    return links


async def _mine(context: AppContext, principal: Principal) -> int:
    """How many open cases the principal has, in the queues that the principal reads."""
    where = [
        Where("assignee", "=", principal.id),
        Where("state", "in", tuple(map(str, OPEN_STATES))),
    ]
    visible = principal.queues()
    if visible is not None:
        where.append(Where("queue", "in", tuple(sorted(visible))))
    return await context.engine.count(Query(CASES, tuple(where)))


def _view_link(name: str, queues: Sequence[QueueView], mine: int, words: Words) -> RailLink:
    counts = {
        "mine": mine,
        "unassigned": sum(each.count.unassigned for each in queues),
        "all": sum(each.count.open for each in queues),
        "overdue": sum(each.count.overdue for each in queues),
        "snoozed": sum(each.count.snoozed for each in queues),
    }
    count = counts.get(name) or None
    return RailLink(
        name,
        words.t(f"rail.{name}"),
        Place(None, name, "").showing(name).url,
        ICONS[name],
        count,
        late=name == "overdue" and bool(count),
    )


def _queue_link(queue: QueueView, words: Words) -> RailLink:
    oldest = queue.count.oldest_waiting
    return RailLink(
        queue.name,
        queue.title,
        Place(queue.name, "all", "").showing("all").url,
        "inbox",
        queue.count.open,
        words.age(oldest) if oldest else None,
        queue.count.overdue > 0,
    )
