"""Rules and automations tried on what really came: how often they would have matched, clause by clause, and what."""

from datetime import timedelta
from typing import Any

import pytest

from hub import trying
from schemas.configuration import Automation, Rule
from schemas.errors import Invalid
from tests.hub.console.office import Office
from tests.hub.console.shop import CONFIGURATION

PARCELS = Rule.model_validate(
    {
        "name": "parcels",
        "when": {"all": [
            {"field": "subject", "operator": "contains", "value": "parcel"},
            {"not": {"field": "text", "operator": "contains", "value": "thanks"}},
        ]},
        "queue": "legal",
    }
)  # fmt: skip


async def three_messages(office: Office) -> None:
    await office.write("a", "My parcel", "where?", ago=timedelta(hours=3))
    await office.write("b", "A parcel", "thanks", sender="bob@example.org")
    await office.write("c", "Invoice for a parcel", "why?", sender="eve@example.org")


async def test_a_rule_tells_what_it_would_have_matched_and_what_each_clause_let_through(
    office: Office,
) -> None:
    await three_messages(office)
    outcome = await office.context.trying.rule(PARCELS, CONFIGURATION)
    assert (outcome.seen, outcome.matched, outcome.acts, outcome.cut) == (3, 2, 1, False)
    assert [(each.through, each.alone) for each in outcome.clauses] == [(3, 1), (2, 0)]
    assert {(each.subject, each.does) for each in outcome.matches} == {
        ("My parcel", "decides"),
        ("Invoice for a parcel", "matches"),  # the earlier rule on invoices decides
    }
    assert all(each.number for each in outcome.matches)


async def test_what_is_older_than_the_days_is_not_looked_at(office: Office) -> None:
    await three_messages(office)
    office.clock.advance(days=3)
    await office.write("d", "Another parcel", "where?", sender="dan@example.org")
    assert (await office.context.trying.rule(PARCELS, CONFIGURATION, days=2)).seen == 1
    assert (await office.context.trying.rule(PARCELS, CONFIGURATION, days=7)).seen == 4
    with pytest.raises(Invalid):
        await office.context.trying.rule(PARCELS, CONFIGURATION, days=1000)


async def test_a_trial_ends_at_its_bound_with_the_newest_day_looked_at_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await three_messages(office)
    office.clock.advance(days=3)
    await office.write("d", "Another parcel", "where?", sender="dan@example.org")
    monkeypatch.setattr(trying, "MOST_MESSAGES", 1)
    outcome = await office.context.trying.rule(PARCELS, CONFIGURATION)
    assert (outcome.seen, outcome.cut) == (1, True)
    assert outcome.matches[0].subject == "Another parcel"


async def test_an_automation_tells_how_often_it_would_have_run_and_been_held_back(office: Office) -> None:
    await office.write("a", "My parcel")
    await office.write("b", "Newsletter", sender="list@example.org", flags=("list",))
    greet = Automation.model_validate(
        {"name": "greet", "event": "opened", "actions": [{"action": "answer", "template": "hello"}]}
    )
    outcome = await office.context.trying.automation(greet, CONFIGURATION)
    assert (outcome.seen, outcome.matched, outcome.acts) == (2, 2, 1)
    assert sorted(each.does for each in outcome.matches) == ["fires", "held-back"]
    assert office.relay.sent == []


async def test_the_api_tries_for_who_may_and_refuses_what_is_no_condition(office: Office) -> None:
    await three_messages(office)
    rule = PARCELS.model_dump(mode="json", by_alias=True)
    async with office.signed_in("eva") as eva:
        headers = {"X-CSRF-Token": eva.csrf}
        url = "/api/v1/configuration/trial/rule"
        tried = await eva.http.post(url, json={"rule": rule}, headers=headers)
        wrong = {**rule, "when": {"field": "subjct", "operator": "is", "value": "x"}}
        refused = await eva.http.post(url, json={"rule": wrong}, headers=headers)
    assert (tried.json()["matched"], tried.json()["clauses"][0]["through"]) == (2, 3)
    assert "did you mean 'subject'" in refused.text
    async with office.signed_in("ann") as ann:
        headers = {"X-CSRF-Token": ann.csrf}
        assert (await ann.http.post(url, json={"rule": rule}, headers=headers)).status_code == 403


class WithoutOrder:
    """The office's engine, as one whose partitions have no order among each other: a position covers no other."""

    is_one_order = False

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def covers(self, position: str, other: str) -> bool:
        return False


async def test_where_partitions_have_no_order_each_message_is_looked_at_once(office: Office) -> None:
    await three_messages(office)
    office.clock.advance(days=3)
    await office.write("d", "Another parcel", "where?", sender="dan@example.org")
    engine: Any = WithoutOrder(office.engine)
    outcome = await trying.Trying(engine, office.clock).rule(PARCELS, CONFIGURATION)
    assert (outcome.seen, outcome.matched, outcome.cut) == (4, 3, False)
