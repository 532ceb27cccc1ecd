"""Asking X for what is new: through tweepy, against the stand-in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.x.client import XError
from connectors.x.connector import XConnector
from connectors.x.standin.faults import Fault
from connectors.x.standin.server import XStandin
from connectors.x.standin.world import OWN
from schemas.errors import Outage
from schemas.interactions import (
    InteractionEdited,
    InteractionIgnored,
)
from schemas.steps import Step
from tests.connectors.slack.support import place
from tests.connectors.x.support import ANN, BEN, Company, account, begun


async def test_the_first_look_takes_nothing_and_the_next_what_came_since(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme where is it? &lt;1187&gt;")
    company.x.write(BEN, "a private question")
    assert await company.connector.look() == 2
    assert await company.texts() == ["@acme where is it? <1187>", "a private question"]
    public, private = await company.received()
    assert (public.account, private.account) == ("acme", "acme-dm")
    assert public.sender is not None and public.sender.name == "Ann (@ann)"
    assert await company.connector.look() == 0


async def test_what_was_before_comes_when_it_is_asked_for_again_and_once(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme and now?")
    await company.connector.look()
    for sweep in company.connector.sweeps:
        sweep.again = datetime(2011, 1, 1, tzinfo=UTC)
    await company.connector.look()
    assert sorted(await company.texts()) == ["@acme and now?", "@acme long ago"]
    assert await company.connector.look() == 0


async def test_many_pages_are_given_on_the_oldest_first(company: Company) -> None:
    await begun(company)
    said = [f"@acme question {number}" for number in range(230)]
    for each in said:
        company.x.mention(ANN, each)
    assert await company.connector.look() == 230
    assert await company.texts() == said


async def test_more_than_x_keeps_is_a_gap_that_is_told(company: Company) -> None:
    await begun(company)
    assert company.connector.sweeps[0]._most == company.x.newest_mentions == 800
    company.connector.sweeps[0]._most = company.x.newest_mentions = 40
    for number in range(45):
        company.x.mention(ANN, f"@acme {number}")
    assert await company.connector.look() == 40
    assert "missed" in company.connector.health().detail and len(await gaps(company)) == 1


async def gaps(company: Company) -> list[str]:
    ignored = [each for each in await company.place.interactions() if isinstance(each, InteractionIgnored)]
    return [each.reason for each in ignored if each.reason.startswith("a gap")]


async def test_history_longer_than_a_sweep_leaves_a_gap_on_the_log_that_a_restart_still_tells(
    company: Company,
) -> None:
    company.x.write(BEN, "long ago")
    await company.connector.look()
    messages = company.connector.sweeps[1]
    messages._most_pages = 2
    for number in range(250):
        company.x.write(BEN, f"message {number}")
    assert await company.connector.look() == 200
    assert await company.texts() == [f"message {number}" for number in range(50, 250)]
    (gap,) = await gaps(company)
    assert "messages came than X gives in one go" in gap and gap.endswith("were missed")
    again = XConnector(account(company.x.url), company.place.around)
    assert await again.look() == 0
    assert "were missed" in again.health().detail and len(await gaps(company)) == 1
    company.place.clock.ahead = timedelta(days=8)
    await again.look()
    assert "missed" not in again.health().detail, "told for a week; the log says it for ever"
    await again.close()


async def test_a_replay_that_ends_where_x_ends_is_no_gap(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme and now?")
    await company.connector.look()
    company.connector.sweeps[0]._most = 2
    company.connector.sweeps[0].again = datetime(2011, 1, 1, tzinfo=UTC)
    await company.connector.look()
    assert await gaps(company) == []


async def test_a_sweep_that_meets_a_limit_goes_on_behind_what_it_has_read(company: Company) -> None:
    company.x.write(BEN, "long ago")
    await company.connector.look()
    for number in range(250):
        company.x.write(BEN, f"message {number}")
    company.x.fail("GET /dm_events", Fault("nothing"), Fault("nothing"), Fault("limited"))
    with pytest.raises(XError, match="429"):
        await company.connector.look()
    company.x.calls.clear()
    assert await company.connector.look() == 250
    assert company.x.calls.count("GET /dm_events") == 1, "what was read is paid for once"
    assert await company.texts() == [f"message {number}" for number in range(250)]


async def test_a_look_that_ends_half_way_begins_again_at_its_start(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(company)
    for number in range(150):
        company.x.mention(ANN, f"@acme {number}")
    company.x.fail(f"GET /users/{OWN}/mentions", Fault("status:500"))
    with pytest.raises(XError):
        await company.connector.look()
    commit, left = company.place.engine.commit, 100

    async def breaks(step: Step) -> None:
        nonlocal left
        if step.events:
            left -= 1
        if left == 0:
            raise Outage("the disk is full")
        await commit(step)

    with monkeypatch.context() as patch:
        patch.setattr(company.place.engine, "commit", breaks)
        with pytest.raises(Outage):
            await company.connector.look()
    assert await company.connector.look() == 150
    assert len(await company.received()) == 150, "each is known by its id"


async def test_a_limit_is_waited_for_as_long_as_x_asks(company: Company) -> None:
    company.x.fail(f"GET /users/{OWN}/mentions", Fault("limited"))
    with pytest.raises(XError) as refused:
        await company.connector.look()
    assert refused.value.wait_seconds == 7


async def test_an_edit_is_the_first_post_and_what_became_of_it(company: Company) -> None:
    await begun(company)
    id = company.x.mention(ANN, "@acme wher is it")
    await company.connector.look()
    company.x.edit(id, "@acme where is it")
    unseen = company.x.mention(BEN, "@acme first words")
    company.x.edit(unseen, "@acme last words")
    await company.connector.look()
    edits = [each for each in await company.place.interactions() if isinstance(each, InteractionEdited)]
    assert [(each.target, each.content.text) for each in edits] == [
        (f"x:post:{id}", "@acme where is it"),
        (f"x:post:{unseen}", "@acme last words"),
    ]
    assert {each.external_id for each in await company.received()} == {f"x:post:{id}", f"x:post:{unseen}"}


async def test_what_reading_costs_is_counted_and_stops_at_the_cap(tmp_path: Path) -> None:
    x = XStandin()
    await x.start()
    async with place(tmp_path) as there:
        connector = XConnector(account(x.url, reads_a_month=5), there.around)
        await connector.look()
        for number in range(6):
            x.mention(ANN, f"@acme {number}")
        await connector.look()
        assert "used up" in connector.health().detail
        calls = len(x.calls)
        await connector.look()
        assert len(x.calls) == calls, "X is not even asked"
        await connector.close()
    await x.stop()


async def test_the_post_that_a_customer_answers_is_shown_with_the_answer(company: Company) -> None:
    await begun(company)
    ours = company.x.mention(OWN, "New: the Polaris &amp; more")
    company.x.mention(ANN, "@acme in which sizes?", answers=ours)
    await company.connector.look()
    (found,) = await company.received()
    assert found.content.text_new == "@acme in which sizes?"
    assert found.content.text == "@acme in which sizes?\n\n@acme:\n> New: the Polaris & more"
    assert found.parents == (f"x:post:{ours}",)


async def test_keys_that_are_not_ours_are_refused_by_the_stand_in(company: Company) -> None:
    company.x.consumer_secret = "another"
    with pytest.raises(XError, match="401"):
        await company.connector.look()


async def test_an_answer_that_comes_in_pieces_is_read_whole(company: Company) -> None:
    await begun(company)
    said = [f"@acme {number} {'x' * 20_000}" for number in range(90)]
    for each in said:
        company.x.mention(ANN, each)
    assert await company.connector.look() == 90
    assert await company.texts() == said
