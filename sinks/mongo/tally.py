"""Counts of cases by queue, made where the cases are: what is transferred grows with the queues, not with the cases."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.steps import QueueCount
from sinks.mongo.port import DocumentCollection, DocumentDatabase, Fields
from sinks.mongo.values import micros, optional_moment

QUEUE = "columns.queue"
FEW = 100
"""So many open cases are looked at for those that wait longest; where there are more, each queue is asked for its first."""


async def tally(database: DocumentDatabase, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
    """`open` counts cases whose state is open (not those that wait for the customer), and so do the columns beside it.

    The counts of a row are of almost the same moment: each is a query.
    """
    if queues is not None and not queues:
        return []
    cases = database.collection("cases")
    # What a step has only the place of has no state yet.
    within: Fields = {} if queues is None else {QUEUE: {"$in": list(queues)}}
    is_open: Fields = {"columns.state": "open", **within}
    # Who is assigned is counted, and not who is not: an index does not tell null from nothing, so that would be looked up in each case.
    opened, assigned, overdue, snoozed = await asyncio.gather(
        cases.count_each(is_open, QUEUE),
        cases.count_each({**is_open, "columns.assignee": {"$gt": ""}}, QUEUE),
        cases.count_each({**is_open, "columns.due_at": {"$gt": 0, "$lte": micros(now)}}, QUEUE),
        cases.count_each({"columns.state": "snoozed", **within}, QUEUE),
    )
    oldest = await _oldest(cases, is_open, opened)
    return [
        QueueCount(
            queue,
            open=opened.get(queue, 0),
            unassigned=max(0, opened.get(queue, 0) - assigned.get(queue, 0)),
            overdue=overdue.get(queue, 0),
            snoozed=snoozed.get(queue, 0),
            oldest_waiting=optional_moment(oldest.get(queue)),
        )
        for queue in (sorted({*opened, *snoozed}) if queues is None else queues)
    ]


async def _oldest(
    cases: DocumentCollection, is_open: Fields, opened: Mapping[str, int]
) -> dict[str, int | None]:
    """Since when the customer waits longest in each queue. No server but MongoDB has a minimum by group."""
    first = (("columns.waits_from", 1),)
    if sum(opened.values()) <= FEW:
        found = [await cases.find(is_open, ("columns",), first, FEW)]
    else:
        found = await asyncio.gather(
            *(cases.find({**is_open, QUEUE: queue}, ("columns",), first, 1) for queue in opened)
        )
    oldest: dict[str, int | None] = {}
    for rows in found:
        for row in rows:
            oldest.setdefault(row["columns"]["queue"], row["columns"]["waiting_since"])
    return oldest
