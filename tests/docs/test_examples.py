"""The consumers of docs/integrators/examples, on what a hub writes to a real Kafka."""

import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.docs.logs import ON_SERVERS, Log, a_log
from tests.support.paths import ROOT
from tests.support.process import running
from tests.support.waiting import eventually

EXAMPLES = ROOT / "docs" / "integrators" / "examples"
pytestmark = [*ON_SERVERS, pytest.mark.slow]


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    async with a_log() as made:
        yield made


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Empty while the reader has not made its tables."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


async def kept(log: Log) -> list[tuple[str, str, str, str | None]]:
    """What the table of cases has to hold."""
    cases = await log.flow.cases()
    return sorted((each.number, str(each.state), each.queue, each.assignee) for each in cases)


async def test_a_plain_consumer_keeps_the_cases_through_kill_9_and_events_that_come_twice(
    log: Log, tmp_path: Path
) -> None:
    database = tmp_path / "cases.sqlite"
    command = [
        sys.executable, str(EXAMPLES / "cases_aiokafka.py"), "--servers", log.servers, "--prefix", log.prefix,
        "--group", f"{log.prefix}crm", "--member", "crm-0", "--database", str(database),
    ]  # fmt: skip
    query = "SELECT number, state, queue, assignee FROM cases ORDER BY number"

    await log.answered("a")
    async with running(*command) as consumer:
        first = await kept(log)
        await eventually(lambda: asked(database, query) == first, within_seconds=30)
        await consumer.stop(signal.SIGKILL)
    await log.answered("b")
    await log.tell_again()
    async with running(*command) as consumer:
        both = await kept(log)
        await eventually(lambda: asked(database, query) == both, within_seconds=50)
        assert await consumer.stop() == 0, consumer.lines
    assert len(both) == 2
    assert asked(database, query) == both


async def test_a_faust_worker_counts_each_answer_once_through_kill_9_and_events_that_come_twice(
    log: Log, tmp_path: Path
) -> None:
    database = tmp_path / "answers.sqlite"
    environment = {
        "KAFKA": f"kafka://{log.servers}", "PREFIX": log.prefix, "GROUP": f"{log.prefix}answers",
        "DATABASE": str(database),
        "MEMBER": "answers-0",
    }  # fmt: skip
    command = [
        sys.executable, "-m", "faust", "--datadir", str(tmp_path / "faust"), "-A", "answers_faust",
        "worker", "-l", "warn", "--without-web",
    ]  # fmt: skip
    query = "SELECT queue, day, count FROM answers"

    await log.answered("a")
    async with running(*command, folder=EXAMPLES, environment=environment) as worker:
        await eventually(lambda: asked(database, query) == [("billing", "2026-03-02", 2)], within_seconds=30)
        await worker.stop(signal.SIGKILL)
    await log.tell_again()
    await log.answered("b")
    async with running(*command, folder=EXAMPLES, environment=environment) as worker:
        await eventually(lambda: asked(database, query) == [("billing", "2026-03-02", 4)], within_seconds=50)
        await worker.stop(within_seconds=20)
    assert asked(database, query) == [("billing", "2026-03-02", 4)]
