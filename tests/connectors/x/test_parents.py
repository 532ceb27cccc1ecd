"""A reply of which only the webhook told is shown with the post that it answers, at no risk for the reply."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.x import parents
from connectors.x.connector import XConnector
from connectors.x.standin.faults import Fault
from connectors.x.standin.world import OWN
from tests.connectors.x.support import ANN, BEN, Company, account
from tests.connectors.x.test_told import told
from tests.support.waiting import eventually

LOOK_UP = "GET /tweets"
CAMPAIGN = "Free parcels &amp; post\nall week"


def reply(id: str, parent: str, text: str = "@acme does that hold for me?", by: str = ANN) -> dict[str, Any]:
    """In the older form, which says nothing of the post that is answered but its id."""
    return {
        "id_str": id,
        "text": text,
        "user": {"id_str": by, "name": "Somebody", "screen_name": "somebody"},
        "in_reply_to_status_id_str": parent,
    }


async def tell(company: Company, *posts: dict[str, Any]) -> int:
    answer = await told(company, {"tweet_create_events": list(posts)})
    status: int = answer.status
    return status


async def test_the_post_that_is_answered_stands_below_as_it_does_when_asked_for(company: Company) -> None:
    campaign = company.x.mention(OWN, CAMPAIGN)
    assert await tell(company, reply("801", campaign)) == 200
    (found,) = await company.received()
    assert found.content.text_new == "@acme does that hold for me?"
    assert found.content.text == f"{found.content.text_new}\n\n@acme:\n> Free parcels & post\n> all week"
    assert "this month 1 read, 0 sent" in company.connector.health().detail


async def test_a_request_is_one_look_and_a_post_that_many_answer_is_read_once(company: Company) -> None:
    one, two = company.x.mention(OWN, "the one"), company.x.mention(BEN, "the other")
    assert await tell(company, reply("811", one), reply("812", two), reply("813", one, by=BEN)) == 200
    assert await tell(company, reply("814", one)) == 200
    assert company.x.calls.count(LOOK_UP) == 1
    assert sorted(company.x.looked_up) == sorted([one, two])
    shown = [each.text.partition("\n\n")[2] for each in [f.content for f in await company.received()]]
    assert sorted(shown) == ["@acme:\n> the one"] * 3 + ["@ben:\n> the other"]


async def test_while_x_fails_the_reply_comes_without_and_x_is_left_alone(company: Company) -> None:
    campaign = company.x.mention(OWN, CAMPAIGN)
    company.x.fail(LOOK_UP, Fault("status:503"))
    assert await tell(company, reply("821", campaign)) == 200
    assert await tell(company, reply("822", campaign)) == 200
    assert company.x.calls.count(LOOK_UP) == 1
    company.place.clock.ahead = timedelta(seconds=parents.REST_SECONDS + 1)
    assert await tell(company, reply("823", campaign)) == 200
    texts = await company.texts()
    assert [">" in each for each in texts] == [False, False, True]


async def test_where_x_cannot_be_reached_nothing_is_lost(company: Company) -> None:
    await company.x.stop()
    assert await tell(company, reply("831", "77")) == 200
    assert await company.texts() == ["@acme does that hold for me?"]


async def test_the_webhook_is_answered_while_x_takes_its_time(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parents, "BUDGET_SECONDS", 0.05)
    campaign = company.x.mention(OWN, CAMPAIGN)
    company.x.fail(LOOK_UP, Fault("held"))
    assert await tell(company, reply("841", campaign)) == 200
    assert await company.texts() == ["@acme does that hold for me?"]
    company.x.released.set()

    async def counted() -> bool:
        return "this month 1 read" in company.connector.health().detail

    await eventually(counted)
    assert await tell(company, reply("842", campaign)) == 200
    assert company.x.calls.count(LOOK_UP) == 1
    assert "> Free parcels" in (await company.texts())[1]


async def test_what_is_asked_for_ends_with_the_account(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parents, "BUDGET_SECONDS", 0.05)
    company.x.fail(LOOK_UP, Fault("held"))
    assert await tell(company, reply("851", "77")) == 200
    await company.connector.parents.close()
    company.x.released.set()
    assert "this month 0 read" in company.connector.health().detail


async def test_nothing_is_looked_up_beyond_the_reads_of_the_month(company: Company) -> None:
    one, two = company.x.mention(OWN, "the one"), company.x.mention(OWN, "the other")
    poor = XConnector(account(company.x.url, reads_a_month=1), company.place.around)
    company.connector, rich = poor, company.connector
    assert await tell(company, reply("861", one)) == 200
    assert await tell(company, reply("862", two)) == 200
    assert company.x.looked_up == [one]
    assert [">" in each for each in await company.texts()] == [True, False]
    company.connector = rich
    await poor.close()


async def test_a_post_that_x_does_not_show_is_asked_for_once_and_costs_nothing(company: Company) -> None:
    assert await tell(company, reply("871", "77"), reply("872", "77", by=BEN)) == 200
    assert company.x.looked_up == ["77"]
    assert await company.texts() == ["@acme does that hold for me?"] * 2
    assert "this month 0 read" in company.connector.health().detail


async def test_what_x_brought_along_or_is_not_for_us_is_not_looked_up(company: Company) -> None:
    quote = {
        **reply("881", "", "@acme is that so?"),
        "quoted_status_id_str": "70",
        "quoted_status": {"id_str": "70", "text": "Acme closes", "user": {"id_str": BEN}},
    }
    passed_on = {**reply("882", ""), "retweeted_status": {"id_str": "71"}}
    assert await tell(company, quote, passed_on, reply("883", "72", by=OWN)) == 200
    assert LOOK_UP not in company.x.calls
    assert await company.texts() == ["@acme is that so?\n\n> Acme closes"]


async def test_a_reply_told_of_and_then_found_by_asking_is_one_with_what_it_answers(company: Company) -> None:
    campaign = company.x.mention(OWN, CAMPAIGN)
    await company.connector.look()
    id = company.x.mention(ANN, "@acme does that hold for me?", campaign)
    assert await tell(company, reply(id, campaign)) == 200
    await company.connector.look()
    assert len(await company.texts()) == 1
