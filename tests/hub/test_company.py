"""One configuration for several processes: whoever publishes, all follow; nobody takes back what he has not seen."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.company import Company
from hub.publishing import Publishing
from hub.roles import EVERYTHING, Role
from hub.sharing import publish_at_start
from schemas.configuration import Configuration
from schemas.documents import PublishedConfiguration
from schemas.errors import Stale
from schemas.events import SYSTEM
from schemas.ids import derive
from schemas.steps import Step
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.support.clock import StandingClock


def configuration(queue: str, **more: Any) -> Configuration:
    return Configuration.model_validate(
        {"queues": [{"name": queue, "title": queue.title()}], "default_queue": queue, **more}
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=StandingClock())
    yield made
    await made.close()


async def test_what_one_publishes_is_in_force_in_the_other_when_it_has_looked(engine: SqliteEngine) -> None:
    one, other = await Company.open(engine, StandingClock()), await Company.open(engine, StandingClock())
    await one.publish(configuration("sales"), SYSTEM)
    assert other.current.number == 0
    assert await other.catch_up()
    assert (other.current.number, other.current.configuration.default_queue) == (1, "sales")
    assert not await other.catch_up()


async def test_who_publishes_without_having_seen_the_last_version_is_told(engine: SqliteEngine) -> None:
    one, other = await Company.open(engine, StandingClock()), await Company.open(engine, StandingClock())
    await one.publish(configuration("sales"), SYSTEM)
    with pytest.raises(Stale, match="version 1 was published by somebody else"):
        await other.publish(configuration("support"), SYSTEM)
    assert other.current.configuration.default_queue == "sales"
    assert (await other.publish(configuration("support"), SYSTEM)).number == 2


async def test_two_who_publish_the_same_at_once_have_one_version(engine: SqliteEngine) -> None:
    one, other = await Company.open(engine, StandingClock()), await Company.open(engine, StandingClock())
    await one.publish(configuration("sales"), SYSTEM)
    assert (await other.publish(configuration("sales"), SYSTEM)).number == 1


async def test_a_version_that_cannot_be_used_here_leaves_the_last_good_one_and_a_later_one_is_taken(
    engine: SqliteEngine, caplog: pytest.LogCaptureFixture
) -> None:
    company = await Company.open(engine, StandingClock())
    await company.publish(configuration("sales"), SYSTEM)
    rule = {
        "name": "new",
        "when": {"field": "not-yet-known", "operator": "is", "value": "x"},
        "queue": "sales",
    }
    await stored(engine, 2, configuration("sales", rules=[rule]))
    assert not await company.catch_up()
    assert company.current.number == 1
    assert "version 2 of the configuration cannot be used; 1 stays in force here" in caplog.text
    await stored(engine, 3, configuration("support"))
    assert await company.catch_up()
    assert company.current.number == 3


async def stored(engine: SqliteEngine, number: int, configuration: Configuration) -> None:
    """As a newer Hubbub publishes it, which knows more than this one."""
    published = PublishedConfiguration(
        id=derive("configuration", str(number)),
        revision=1,
        number=number,
        configuration=configuration,
        actor=SYSTEM,
        published_at=StandingClock().now(),
    )
    await engine.commit(Step(documents=[(published, 0)]))


async def test_a_process_with_a_role_publishes_its_file_only_where_nothing_was(engine: SqliteEngine) -> None:
    company = await Company.open(engine, StandingClock())
    publishing = Publishing(engine, company)
    workers = frozenset({Role.WORKERS})
    await publish_at_start(publishing, configuration("sales"), workers)
    assert company.current.number == 1
    await publish_at_start(publishing, configuration("support"), workers)
    assert company.current.configuration.default_queue == "sales"
    await publish_at_start(publishing, configuration("support"), EVERYTHING)
    assert (company.current.number, company.current.configuration.default_queue) == (2, "support")
