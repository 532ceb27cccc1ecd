"""Counts that are kept are those that one would count, whatever was written, and cost the same in any company."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from schemas.cases import CaseState
from schemas.collections import CASES, COLLECTIONS
from schemas.documents import Case
from schemas.errors import Conflict
from schemas.steps import Step
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine
from sinks.sqlite.schema import migrate
from tests.contracts.samples import NOON, case

QUEUES, PEOPLE = ("orders", "billing"), (None, "ann", "bo")


async def written(engine: SqliteEngine, seed: int) -> dict[str, Case]:
    """Cases that open, move, change hands and states, and go; some steps are refused."""
    chance, there = random.Random(seed), dict[str, Case]()
    for _ in range(60):
        name = str(chance.randrange(12))
        known = there.get(name)
        if known is not None and chance.random() < 0.1:
            await engine.commit(Step(deletions=[(Case, known.id)]))
            del there[name]
            continue
        revision = known.revision if known else 0
        made = case(
            name,
            revision=revision + 1,
            queue=chance.choice(QUEUES),
            assignee=chance.choice(PEOPLE),
            state=chance.choice(list(CaseState)),
        )
        stale = Step(documents=[(made, revision), (case("stale"), 7)])
        with pytest.raises(Conflict):
            await engine.commit(stale)
        await engine.commit(Step(documents=[(made, revision)]))
        there[name] = made
    return there


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_kept_is_what_is_there(engine: SqliteEngine, seed: int) -> None:
    there = await written(engine, seed)
    opened = Counter(each.queue for each in there.values() if each.state is CaseState.OPEN)
    free = Counter(
        each.queue for each in there.values() if each.state is CaseState.OPEN and each.assignee is None
    )
    counts = {each.queue: each for each in await engine.tally(QUEUES, NOON)}
    assert {queue: (counts[queue].open, counts[queue].unassigned) for queue in QUEUES} == {
        queue: (opened[queue], free[queue]) for queue in QUEUES
    }
    assert [each async for each in engine.check()] == []


async def test_a_file_without_counts_gets_them(engine: SqliteEngine, folder: Path) -> None:
    await engine.commit(Step(documents=[(case(name), 0) for name in ("a", "b")]))
    await engine.close()
    connection = apsw.Connection(str(folder / FILE))
    uncounted = replace(CASES, counted=())
    migrate(connection, [uncounted if each is CASES else each for each in COLLECTIONS])
    connection.execute('DROP TABLE "cases counts"')
    migrate(connection, COLLECTIONS)
    assert connection.execute('SELECT state, queue, assignee, documents FROM "cases counts"').fetchall() == [
        ("open", "orders", "", 2)
    ]
    connection.close()
