"""Events of topics that are kept for a while only. What is removed leaves its place and digest, so the log stays checkable."""

from datetime import datetime, timedelta
from typing import Any

import apsw

from schemas.topics import TOPICS
from sinks.sqlite.log import Names
from sinks.sqlite.values import insert_rows, micros

ROWS_A_STEP = 1000


def expire(connection: apsw.Connection, names: Names, now: datetime) -> int:
    """Removes up to ROWS_A_STEP events that are past their topic's retention. Returns how many; 0 when none is left.

    Within a topic events are removed from the oldest on, and the first that is young enough ends it: a clock that stood
    wrong for a while keeps events longer and never removes one too early.
    """
    removed = 0
    for topic, contract in TOPICS.items():
        if contract.retention_days is None:
            continue
        before = micros(now - timedelta(days=contract.retention_days))
        sql = "SELECT seq, topic, digest, time FROM log WHERE topic = ? ORDER BY seq LIMIT ?"
        rows: Any = connection.execute(sql, (names.number[topic], ROWS_A_STEP - removed))
        old = []
        for seq, number, digest, time in rows.fetchall():
            if time >= before:
                break
            old.append((seq, number, digest))
        insert_rows(connection, "removed (seq, topic, digest)", old)
        connection.executemany("DELETE FROM log WHERE seq = ?", [(seq,) for seq, _, _ in old])
        removed += len(old)
    return removed
