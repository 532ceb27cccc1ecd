"""Drafts, trials, versions and the overview of supervisors on Kafka and MongoDB, as on the embedded engine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from hub.configuring import Configuring
from hub.engines import open_engine_of
from hub.publishing import Publishing
from hub.settings import HubSettings
from hub.trail import day_of
from schemas.configuration import Configuration, Origin
from schemas.errors import Stale
from schemas.events import Actor
from sinks.sqlite.engine import SqliteEngine
from tests.e2e.engines import SERVERS, settings_of
from tests.hub.console.office import _furnished
from tests.hub.console.shop import BOSS, CONFIGURATION

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.slow,
]
EVA = Actor(kind="agent", id="eva")


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def fewer(configuration: Configuration) -> Configuration:
    return configuration.model_copy(update={"automatic_answers_per_day": 1})


async def test_a_supervisor_works_on_the_servers_as_on_one_file(tmp_path: Path) -> None:
    settings: dict[str, Any] = await settings_of(SERVERS)
    engine = await open_engine_of(HubSettings.model_validate(settings), tmp_path, Now())
    try:
        office = await _furnished(cast(SqliteEngine, engine), Now())
        for number in range(3):
            await office.write(
                f"m{number}", "Invoice" if number else "Parcel", sender=f"c{number}@example.com"
            )
        tried = await office.context.trying.rule(CONFIGURATION.rules[0], CONFIGURATION)
        assert (tried.seen, tried.matched, tried.acts, tried.cut) == (3, 2, 2, False)
        assert len({each.number for each in tried.matches}) == 2
        configuring = office.context.configuring
        await configuring.edit("eva", fewer)
        assert await configuring.publish(BOSS, EVA, "fewer", Origin.CONSOLE) == 2
        other = Configuring(engine, Now(), Publishing(engine, office.service.company))
        with pytest.raises(Stale):
            await other.back(BOSS, EVA, 1, 1, "", Origin.CONSOLE)
        assert await other.back(BOSS, EVA, 1, 2, "", Origin.CONSOLE) == 3
        traces = (await day_of(engine, Now().now().date())).traces
        assert [each.subject for each in traces if each.action == "configuration-published"] == [
            "3",
            "2",
            "1",
        ]
        assert {each.user for each in await office.context.team.members()} == {"ann", "bo", "lee", "eva"}
    finally:
        await engine.close()
