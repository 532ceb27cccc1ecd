"""Kept posts are looked up again: what X shows no more is withheld here, within what the settings let it cost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.x.checks import Checks
from connectors.x.connector import XConnector
from connectors.x.standin.faults import Fault
from schemas.interactions import InteractionDeleted
from schemas.message_changes import MessageChanges, changes_id
from schemas.steps import Step
from tests.connectors.x.support import ANN, Company, account, begun

LOOK_UP = "GET /tweets"


async def kept(company: Company, count: int = 3, **settings: Any) -> tuple[XConnector, list[str]]:
    """Posts of customers, on the fifteenth of a month."""
    now = datetime.now(UTC)
    middle = (now.replace(day=1) + timedelta(days=62)).replace(day=15)
    company.place.clock.ahead = middle - now
    await begun(company)
    ids = [company.x.mention(ANN, f"@acme {number}") for number in range(count)]
    await company.connector.look()
    connector = XConnector(account(company.x.url, **settings), company.place.around)
    return connector, ids


def checks(connector: XConnector) -> Checks:
    assert connector.checks is not None
    return connector.checks


async def withheld(company: Company) -> list[str]:
    found = [each for each in await company.place.interactions() if isinstance(each, InteractionDeleted)]
    assert all(each.withheld for each in found)
    return [each.target for each in found]


async def test_a_post_that_is_gone_or_closed_at_x_is_withheld_here(company: Company) -> None:
    connector, (stays, deleted, closed) = await kept(company)
    company.x.posts = [each for each in company.x.posts if each["id"] != deleted]
    company.x.closed.add(closed)
    assert await checks(connector).run() == 2
    assert await withheld(company) == [f"x:post:{deleted}", f"x:post:{closed}"]
    assert set(company.x.looked_up) == {stays, deleted, closed}
    assert "3 kept posts looked up again" in connector.health().detail
    assert "2 withheld" in connector.health().detail
    await connector.close()


async def test_it_comes_round_again_and_does_not_ask_for_what_is_withheld(company: Company) -> None:
    connector, (stays, deleted, _) = await kept(company)
    gone = MessageChanges(
        id=changes_id(f"x:post:{deleted}"),
        external_id=f"x:post:{deleted}",
        noted_at=company.place.clock.now(),
        deleted_at=company.place.clock.now(),
        withheld=True,
    )
    await company.place.engine.commit(Step(documents=[(gone, 0)]))
    for _ in range(2):
        await checks(connector).run()
    assert company.x.looked_up.count(stays) == 2 and deleted not in company.x.looked_up
    await connector.close()


@pytest.mark.parametrize(
    ("settings", "asked"),
    [({"checks_a_month": 5}, 2), ({"reads_a_month": 5}, 1), ({"checks_a_month": 1000}, 3)],
    ids=["so many a month, spread over it", "what is left of all reads", "all"],
)
async def test_it_costs_no_more_than_the_settings_say(
    company: Company, settings: dict[str, Any], asked: int
) -> None:
    connector, _ = await kept(company, **settings)
    await connector.spending.load()
    for _ in range(3):
        await checks(connector).run()
    assert len(company.x.looked_up) >= asked
    if asked < 3:
        assert len(company.x.looked_up) == asked
    await connector.close()


async def test_none_is_looked_up_where_the_settings_say_none(company: Company) -> None:
    connector, _ = await kept(company, checks_a_month=0)
    assert connector.checks is None
    await connector.check()
    await connector.close()


async def test_so_many_at_once_are_believed_only_when_x_says_it_again(company: Company) -> None:
    connector, ids = await kept(company, 12)
    company.x.posts.clear()
    assert await checks(connector).run() == 0 and await withheld(company) == []
    assert await checks(connector).run() == 12
    assert len(await withheld(company)) == len(ids)
    await connector.close()


async def test_a_look_up_that_fails_is_told_and_holds_up_nothing_else(company: Company) -> None:
    connector, _ = await kept(company)
    company.x.fail(LOOK_UP, Fault("status:503"))
    await connector.check()
    assert "could not be looked up" in connector.health().detail
    await connector.check()
    assert "could not" not in connector.health().detail and len(company.x.looked_up) == 3
    await connector.close()
