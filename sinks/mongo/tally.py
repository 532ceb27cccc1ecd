"""Counts of cases by queue. One query gives the columns of all cases that count, and the sums are made here."""

from collections.abc import Sequence
from datetime import datetime

from schemas.steps import QueueCount
from sinks.mongo.documents import IS_THERE
from sinks.mongo.port import DocumentDatabase, Fields
from sinks.mongo.values import micros, optional_moment


async def tally(database: DocumentDatabase, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
    """`open` counts cases whose state is open (not those that wait for the customer), and so do the columns beside it."""
    wanted: Fields = {"columns.state": {"$in": ["open", "snoozed"]}, **IS_THERE}
    if queues is not None:
        wanted["columns.queue"] = {"$in": list(queues)}
    by_queue: dict[str, list[Fields]] = {}
    for row in await database.collection("cases").find(wanted, ("columns",)):
        by_queue.setdefault(row["columns"]["queue"], []).append(row["columns"])
    counts = {queue: _count(queue, cases, micros(now)) for queue, cases in by_queue.items()}
    return [counts.get(queue, QueueCount(queue)) for queue in (sorted(counts) if queues is None else queues)]


def _count(queue: str, cases: Sequence[Fields], now: int) -> QueueCount:
    opened = [case for case in cases if case["state"] == "open"]
    waiting = [case["waiting_since"] for case in opened if case["waiting_since"] is not None]
    return QueueCount(
        queue,
        open=len(opened),
        unassigned=sum(case["assignee"] is None for case in opened),
        overdue=sum(case["due_at"] is not None and case["due_at"] <= now for case in opened),
        snoozed=len(cases) - len(opened),
        oldest_waiting=optional_moment(min(waiting, default=None)),
    )
