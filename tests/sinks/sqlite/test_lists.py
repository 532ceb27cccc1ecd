"""A page of a list costs the same in a company of few cases and of many, and shows the same as if all were sorted."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import apsw
import pytest

from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.columns import NEVER
from schemas.documents import Case, Document
from schemas.steps import Query, Step, Where
from sinks.sqlite.connection import open_reader
from sinks.sqlite.engine import SqliteEngine
from sinks.sqlite.queries import find
from sinks.sqlite.tables import Table
from sinks.sqlite.tally import tally
from tests.contracts.samples import NOON, case, minutes, name

FEW, MANY = 300, 6000
STATES = (CaseState.OPEN, CaseState.OPEN, CaseState.WAITING, CaseState.RESOLVED)
WORK = Where("state", "in", ("open", "waiting"))
LISTS: dict[str, Query] = {
    "of a queue": Query(CASES, (Where("queue", "=", "queue-1"), WORK), ("waits_from",), 20),
    "of some queues": Query(CASES, (Where("queue", "in", ("queue-1", "queue-3")), WORK), ("waits_from",), 20),
    "of all": Query(CASES, (WORK,), ("waits_from",), 20),
    "of nobody": Query(CASES, (Where("assignee", "null"), WORK), ("waits_from",), 20),
    "of one": Query(CASES, (Where("assignee", "=", "agent-3"), WORK), ("waits_from",), 20),
    "of what is done in a queue": Query(
        CASES, (Where("queue", "=", "queue-1"), Where("state", "=", "resolved")), ("-updated_at",), 20
    ),
    "of a person": Query(CASES, (Where("handle", "=", name("handle", 7)), WORK), ("waits_from",), 20),
}


async def open_cases(engine: SqliteEngine, cases: int, called: str = "") -> list[Case]:
    """So many, over five queues, seven agents and a third as many people."""
    made = [
        case(
            f"{called}{number}",
            queue=f"queue-{number % 5}",
            state=STATES[number % 4],
            assignee=None if number % 3 else f"agent-{number % 7}",
            handle=name("handle", number % (cases // 3)),
            waiting_since=minutes((number * 7919) % cases) if number % 11 else None,
            updated_at=minutes((number * 104729) % cases),
        )
        for number in range(cases)
    ]
    documents: list[tuple[Document, int]] = [(each, 0) for each in made]
    await engine.commit(Step(documents=documents))
    await engine.expire()  # looks at what is there
    return made


def effort(folder: Path, read: Callable[[apsw.Connection], object]) -> int:
    """Steps of SQLite's machine."""
    steps: list[int] = []
    connection = open_reader(folder)
    connection.trace_v2(
        apsw.SQLITE_TRACE_PROFILE, lambda told: steps.append(told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"])
    )
    read(connection)
    connection.close()
    return sum(steps)


async def test_a_page_costs_the_same_in_any_company(engine: SqliteEngine, folder: Path) -> None:
    reads: dict[str, Callable[[apsw.Connection], object]] = {
        kind: partial(find, table=Table(CASES), query=query) for kind, query in LISTS.items()
    }
    await open_cases(engine, FEW)
    before = {kind: effort(folder, read) for kind, read in reads.items()}
    await open_cases(engine, MANY, "more ")
    after = {kind: effort(folder, read) for kind, read in reads.items()}
    assert not {kind: (before[kind], after[kind]) for kind in reads if after[kind] > 2 * before[kind] + 500}


async def test_queues_are_counted_from_indexes_alone(engine: SqliteEngine, folder: Path) -> None:
    await open_cases(engine, MANY)
    said: list[str] = []
    connection = open_reader(folder)
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda told: said.append(told["sql"]))
    tally(connection, None, NOON)
    connection.trace_v2(0, None)
    plans = [
        row[3]
        for sql in said
        for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", (0,) * sql.count("?"))
    ]
    connection.close()
    assert [plan for plan in plans if "COVERING INDEX cases_by_state_queue_assignee_due_at" in plan]
    assert not [
        plan for plan in plans if "TEMP B-TREE" in plan or ("COVERING" not in plan and "counted" in plan)
    ]


@pytest.mark.parametrize("kind", LISTS)
async def test_pages_are_the_whole_list_in_its_order(engine: SqliteEngine, kind: str) -> None:
    made, query = await open_cases(engine, FEW), LISTS[kind]
    shown: list[Document] = []
    after: str | None = None
    while True:
        page = await engine.find(Query(CASES, query.where, query.order, 20, after))
        shown += page.items
        after = page.next
        if after is None:
            break
    wanted = {each.id for each in made if all(_fits(each, test) for test in query.where)}
    assert [each.id for each in shown] == [
        each.id for each in sorted(made, key=_order(query)) if each.id in wanted
    ]


def _fits(case: Case, test: Where) -> bool:
    value = getattr(case, test.column)
    if test.test == "null":
        return value is None
    return value in (test.value if isinstance(test.value, tuple) else (test.value,))


def _order(query: Query) -> Callable[[Case], float]:
    if query.order == ("-updated_at",):
        return lambda case: -case.updated_at.timestamp()
    return lambda case: (case.waiting_since or NEVER).timestamp()
