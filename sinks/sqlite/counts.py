# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""How many documents have each combination of some columns, kept beside them by triggers, so that counting costs the same in any company."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import apsw

from schemas.collections import CASES
from schemas.columns import NEVER
from schemas.steps import QueueCount
from sinks.sqlite.values import micros, moment, quoted


def counts_name(collection: str) -> str:
    return quoted(f"{collection} counts")


def keep_counts(connection: apsw.Connection, collection: str, columns: Sequence[str]) -> None:
    """Makes the counts anew, and the triggers that keep them. Within a transaction. A column without a value counts as ''."""
    name, table = counts_name(collection), quoted(collection)
    names = [quoted(each) for each in columns]
    listed = ", ".join(names)
    connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute(
        f"CREATE TABLE {name} ({', '.join(f'{each} TEXT NOT NULL' for each in names)}, documents INTEGER NOT NULL, "
        f"PRIMARY KEY ({listed})) STRICT, WITHOUT ROWID"
    )
    connection.execute(f"INSERT INTO {name} {_counted(table, names)}")
    values = ", ".join(f"ifnull(new.{each}, '')" for each in names)
    more = f"INSERT INTO {name} VALUES ({values}, 1) ON CONFLICT DO UPDATE SET documents = documents + 1"
    fewer = f"UPDATE {name} SET documents = documents - 1 WHERE " + " AND ".join(
        f"{each} = ifnull(old.{each}, '')" for each in names
    )
    for event, statements in (
        ("INSERT", (more,)),
        (f"UPDATE OF {listed}", (fewer, more)),
        ("DELETE", (fewer,)),
    ):
        trigger = quoted(f"{collection} counted at {event.split()[0].lower()}")
        connection.execute(
            f"CREATE TRIGGER {trigger} AFTER {event} ON {table} BEGIN {' '.join(f'{each};' for each in statements)} END"
        )


def _counted(table: str, names: Sequence[str]) -> str:
    values = ", ".join(f"ifnull({each}, '')" for each in names)
    return f"SELECT {values}, count(*) FROM {table} GROUP BY {', '.join(map(str, range(1, len(names) + 1)))}"


def count_faults(connection: apsw.Connection, collection: str, columns: Sequence[str]) -> Iterator[str]:
    """Counts that are not what is there."""
    name, names = counts_name(collection), [quoted(each) for each in columns]
    kept = f"SELECT {', '.join(names)}, documents FROM {name} WHERE documents != 0"
    there = _counted(quoted(collection), names)
    one: Any = connection.execute(f"{kept} EXCEPT {there}").fetchall()
    other: Any = connection.execute(f"{there} EXCEPT {kept}").fetchall()
    for combination in sorted({row[:-1] for row in [*one, *other]}):
        said = ", ".join(f"{column} {value!r}" for column, value in zip(columns, combination, strict=True))
        yield f"{collection}: the count of those with {said} is not how many there are"


def tally(connection: apsw.Connection, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
    """`open` counts cases whose state is open (not those that wait for the customer), and so do the columns beside it."""
    only = "" if queues is None else f" AND queue IN ({','.join('?' * len(queues))})"
    kept: Any = connection.execute(
        f"""
        SELECT queue,
            sum(documents) FILTER (WHERE state = 'open'),
            sum(documents) FILTER (WHERE state = 'open' AND assignee = ''),
            (SELECT count(*) FROM cases WHERE state = 'open' AND queue = kept.queue AND due_at <= ?),
            sum(documents) FILTER (WHERE state = 'snoozed'),
            (SELECT min(waits_from) FROM cases WHERE state = 'open' AND queue = kept.queue)
        FROM {counts_name(CASES.name)} AS kept
        WHERE state IN ('open', 'snoozed') AND documents > 0{only} GROUP BY queue
        """,
        (micros(now), *(queues or ())),
    )
    counts = {
        queue: QueueCount(queue, opened or 0, unassigned or 0, overdue, snoozed or 0, _since(oldest))
        for queue, opened, unassigned, overdue, snoozed, oldest in kept
    }
    return [counts.get(queue, QueueCount(queue)) for queue in (sorted(counts) if queues is None else queues)]


def _since(waits_from: int | None) -> datetime | None:
    """The moment, unless it is the one that stands for none, so that it sorts last."""
    found = None if waits_from is None else moment(waits_from)
    return None if found == NEVER else found
