# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Who reads a queue reads the cases in it, and what was merged into them, wherever that was before."""

from collections.abc import Sequence


def may_see(queues: Sequence[str]) -> tuple[str, list[str]]:
    """SQL over the row `cases`, with its arguments: whether the case, or one that it is read in now, is in these queues.

    A case that was merged leads on by `merged_into`, and that one too: only such cases cost more than a look at the row.
    """
    allowed = ",".join("?" * len(queues))
    sql = (
        f"(cases.queue IN ({allowed}) OR (cases.merged_into IS NOT NULL AND EXISTS ("
        "WITH RECURSIVE home(id, next) AS ("
        "SELECT target.id, target.merged_into FROM cases AS target WHERE target.id = cases.merged_into"
        " UNION SELECT target.id, target.merged_into FROM home CROSS JOIN cases AS target ON target.id = home.next)"
        f" SELECT 1 FROM home CROSS JOIN cases AS there ON there.id = home.id WHERE there.queue IN ({allowed}))))"
    )
    return sql, [*queues, *queues]
