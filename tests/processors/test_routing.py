"""Routing: which rule decides what, what is recorded, and how it is explained."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from processors.facts import interaction_facts
from processors.looking import EXCERPT_LENGTH
from processors.routing import Routed, Router
from processors.routing_explanation import explain_decision
from schemas.cases import RoutingDecision
from schemas.configuration import Configuration, Priority
from tests.processors.examples import clause, configuration, received

RULES: list[dict[str, Any]] = [
    {"name": "vip", "when": clause("customer.tier", "is", "gold"), "priority": "urgent", "tags": ["vip"]},
    {
        "name": "invoices",
        "title": "Invoices",
        "when": {"any": [clause("subject", "contains", "invoice"), clause("text", "contains", "invoice")]},
        "queue": "billing",
        "priority": "high",
        "tags": ["money"],
    },
    {
        "name": "night",
        "when": {"all": [clause("within_hours", "is", False), {"not": clause("flags", "has_any", ["auto"])}]},
        "queue": "inbox",
        "tags": ["night", "money"],
    },
]
COMPANY = configuration(rules=RULES)


def route(subject: str = "Hello", text: str = "", config: Configuration = COMPANY, **more: Any) -> Routed:
    attributes, within = more.pop("attributes", None), more.pop("within_hours", True)
    message = received(subject, text, **more)
    facts = interaction_facts(message, attributes, within)
    return Router(config, 7).route(facts, message.queue_hint, message.brand)


def test_the_first_rule_that_matches_and_names_a_queue_decides_it() -> None:
    routed = route("Your INVOICE 17", within_hours=False)
    assert routed.queue == "billing"
    assert routed.decision.rule == "invoices"
    assert routed.decision.reason == "rule"
    assert routed.decision.configuration == 7


def test_all_rules_that_match_add_tags_once_and_in_order() -> None:
    routed = route("Invoice", attributes={"tier": "Gold"}, within_hours=False)
    assert routed.tags == ("vip", "money", "night")


def test_the_first_rule_that_matches_and_names_a_priority_decides_it() -> None:
    assert route("Invoice", attributes={"tier": "gold"}).priority is Priority.URGENT
    assert route("Invoice").priority is Priority.HIGH
    assert route("Hello").priority is Priority.NORMAL


def test_without_a_rule_the_hint_decides_where_there_is_such_a_queue_of_the_brand() -> None:
    assert route(queue_hint="billing").queue == "billing"
    assert route(queue_hint="billing").decision.reason == "hint"
    assert route(queue_hint="lab", brand="lab").queue == "lab"
    assert route(queue_hint="lab", brand="shop").queue == "inbox"
    assert route(queue_hint="nowhere").queue == "inbox"


def test_a_rule_goes_before_the_hint_and_the_default_queue_comes_last() -> None:
    assert route("Invoice", queue_hint="inbox").queue == "billing"
    last = route()
    assert (last.queue, last.decision.reason, last.decision.rule) == ("inbox", "default", None)


def test_each_rule_leaves_its_outcome() -> None:
    outcomes = route("Hello", "the invoice please", within_hours=False, flags=("auto",)).decision.outcomes
    assert [(each.rule, each.matched, each.clauses) for each in outcomes] == [
        ("vip", False, "f"),
        ("invoices", True, "ft"),
        ("night", False, "tt"),
    ]


def test_only_facts_that_were_looked_at_are_recorded() -> None:
    decision = route("Invoice", "something private").decision
    assert decision.facts == {"customer.tier": "", "subject": "Invoice", "within_hours": True}


def test_a_long_text_is_cut_around_what_was_found() -> None:
    decision = route(text="x" * 5000 + " my Invoice " + "y" * 5000).decision
    recorded = decision.facts["text"]
    assert isinstance(recorded, str)
    assert " my Invoice " in recorded
    assert len(recorded) <= EXCERPT_LENGTH + 2


def test_a_decision_survives_the_log() -> None:
    decision = route("Invoice", "x" * 500, flags=("list",), within_hours=False).decision
    assert RoutingDecision.model_validate_json(decision.model_dump_json()) == decision


def test_within_hours_asks_the_queue_that_the_case_goes_to_without_a_rule() -> None:
    router = Router(COMPANY, 7)
    sunday = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    assert not router.within_hours(sunday, "shop")
    assert router.within_hours(sunday, "shop", "billing")
    assert router.within_hours(datetime(2026, 3, 2, 10, 0, tzinfo=UTC), "shop")


def test_an_explanation_says_queue_priority_and_tags_with_their_reasons() -> None:
    config = configuration(rules=[RULES[1]])
    routed = route("Your invoice 17", config=config)
    explanation = explain_decision(routed.decision, config)
    assert explanation.sentences == (
        "Billing, because the subject contains 'invoice' (rule Invoices, version 7).",
        "Priority high, because the subject contains 'invoice' (rule Invoices).",
        "Tag 'money', because the subject contains 'invoice' (rule Invoices).",
    )


def test_an_explanation_tells_of_rules_that_did_not_match_clause_by_clause() -> None:
    explanation = explain_decision(route("Hello").decision, COMPANY)
    assert explanation.sentences == ("Inbox, the default queue, because no rule chose another (version 7).",)
    by_rule = {each.rule: each for each in explanation.rules}
    assert by_rule["vip"].clauses == ("customer.tier is 'gold': no, it is empty",)
    assert by_rule["invoices"].clauses == (
        "subject contains 'invoice': no, it is 'Hello'",
        "or text contains 'invoice': no, it is empty",
    )
    assert by_rule["night"].clauses[1] == "unless flags has any of 'auto': not looked at"
    assert {each.effect for each in explanation.rules} == {"did not match"}


def test_an_explanation_names_the_rule_that_came_too_late() -> None:
    decision = route("Invoice", within_hours=False).decision
    effects = {each.rule: each.effect for each in explain_decision(decision, COMPANY).rules}
    assert effects["invoices"] == "matched: chose Billing, asked for priority high, added 'money'"
    assert effects["night"] == "matched: came too late to choose Inbox, added 'night', 'money'"


def test_an_explanation_of_a_hint_and_of_a_move() -> None:
    hinted = explain_decision(route(queue_hint="billing").decision, COMPANY)
    assert hinted.sentences == (
        "Billing, because the form asks for it and no rule chose a queue (version 7).",
    )
    moved = RoutingDecision(configuration=7, rule=None, reason="agent")
    assert explain_decision(moved, COMPANY).sentences == ("Put there by an agent (version 7).",)


def test_a_rule_that_always_holds_is_told_as_such() -> None:
    config = configuration(rules=[{"name": "all", "when": {"all": []}, "queue": "billing"}])
    explanation = explain_decision(route(config=config).decision, config)
    assert explanation.sentences == ("Billing, because the rule always holds (rule all, version 7).",)


def test_a_decision_under_another_configuration_is_told_as_far_as_it_can_be() -> None:
    explanation = explain_decision(route("Invoice").decision, configuration())
    assert explanation.sentences == ("By the rule invoices, version 7, which can no longer be shown.",)
    assert [each.effect for each in explanation.rules] == ["is no longer there"] * 3


@given(st.text(max_size=400), st.text(max_size=400), st.booleans())
def test_the_same_message_is_decided_the_same_way_and_can_be_explained(
    subject: str, text: str, within: bool
) -> None:
    first, second = route(subject, text, within_hours=within), route(subject, text, within_hours=within)
    assert first == second
    assert first.queue in {queue.name for queue in COMPANY.queues}
    assert len(explain_decision(first.decision, COMPANY).rules) == len(RULES)
