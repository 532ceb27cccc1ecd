"""Counts of cases by queue, from indexes alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import apsw

from schemas.columns import NEVER
from schemas.steps import QueueCount
from sinks.sqlite.values import micros, moment


def tally(connection: apsw.Connection, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
    """`open` counts cases whose state is open (not those that wait for the customer), and so do the columns beside it."""
    only = "" if queues is None else f" AND queue IN ({','.join('?' * len(queues))})"
    opened: Any = connection.execute(
        f"""
        SELECT queue, count(*), sum(assignee IS NULL), sum(due_at IS NOT NULL AND due_at <= ?),
            (SELECT min(waits_from) FROM cases WHERE state = 'open' AND queue = counted.queue)
        FROM cases AS counted WHERE state = 'open'{only} GROUP BY queue
        """,  # noqa: S608  places for values
        (micros(now), *(queues or ())),
    )
    counts = {
        queue: QueueCount(queue, cases, unassigned, overdue, 0, _since(oldest))
        for queue, cases, unassigned, overdue, oldest in opened
    }
    snoozed: Any = connection.execute(
        f"SELECT queue, count(*) FROM cases WHERE state = 'snoozed'{only} GROUP BY queue",  # noqa: S608
        tuple(queues or ()),
    )
    for queue, cases in snoozed:
        counts[queue] = replace(counts.get(queue, QueueCount(queue)), snoozed=cases)
    return [counts.get(queue, QueueCount(queue)) for queue in (sorted(counts) if queues is None else queues)]


def _since(waits_from: int) -> datetime | None:
    """The moment, unless it is the one that stands for none, so that it sorts last."""
    found = moment(waits_from)
    return None if found == NEVER else found
