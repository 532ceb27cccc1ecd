"""A configuration as a whole: mistakes with their places, and differences in sentences."""

from typing import Any

import pytest

from processors.automation import Automations
from processors.configuration import choices, problems
from processors.configuration_difference import difference
from processors.routing import Router
from schemas.configuration import Configuration
from tests.processors.examples import clause, configuration

ALWAYS: dict[str, Any] = {"all": []}
INVOICE = clause("subject", "contains", "invoice")
THANKS = {"name": "thanks", "text": {"default": "Thank you, {{ customer.name }}."}}
TAG = {"action": "tag", "add": ["seen"]}
ANSWER = {"action": "answer", "template": "thanks"}

GOOD = configuration(
    rules=[
        {"name": "invoices", "when": INVOICE, "queue": "billing"},
        {"name": "gold", "when": clause("customer.tier", "is", "gold"), "priority": "high", "tags": ["vip"]},
    ],
    templates=[THANKS],
    webhooks=[{"name": "crm", "url": "https://crm.example/hook"}],
    automations=[
        {"name": "welcome", "event": "opened", "actions": [ANSWER, {"action": "schedule", "minutes": 60, "automation": "later"}]},
        {
            "name": "later",
            "event": "scheduled",
            "when": clause("case.state", "is", "waiting"),
            "actions": [TAG, {"action": "webhook", "endpoint": "crm"}, {"action": "schedule", "minutes": 60, "automation": "later"}],
        },
    ],
)  # fmt: skip


def test_a_good_configuration_has_no_problems_and_compiles() -> None:
    assert problems(GOOD) == []
    Router(GOOD, 1)
    Automations(GOOD, 1)


def test_the_built_in_configuration_has_no_problems() -> None:
    assert problems(Configuration()) == []


def rule(**more: Any) -> dict[str, Any]:
    return {"name": "r", "when": INVOICE, **more}


def automation(*actions: dict[str, Any], on: str = "opened", name: str = "a", **more: Any) -> dict[str, Any]:
    return {"name": name, "event": on, "actions": actions, **more}


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"default_queue": "inbx"}, "default_queue", "there is no queue 'inbx'; did you mean 'inbox'?"),
    ({"brands": []}, "brands", "at least one"),
    ({"brands": [{"name": "shop", "title": "A"}, {"name": "lab", "title": "B"}, {"name": "shop", "title": "C"}]}, "brands[2].name", "the name of brands[0] already"),
    ({"queues": [{"name": "inbox", "title": "I", "brand": "shp"}]}, "queues[0].brand", "did you mean 'shop'?"),
    ({"queues": [{"name": "inbox", "title": "I", "hours": "ofice"}]}, "queues[0].hours", "did you mean 'office'?"),
    (
        {"hours": [{"name": "office", "periods": []}], "queues": [{"name": "inbox", "title": "I", "hours": "office", "first_response_minutes": 5}]},
        "queues[0].first_response_minutes",
        "always closed",
    ),
    ({"hours": [{"name": "office", "timezone": "Mars/Base", "periods": []}]}, "hours[0].timezone", "no time zone"),
    ({"rules": [rule(queue="biling")]}, "rules[0].queue", "did you mean 'billing'?"),
    ({"rules": [rule()]}, "rules[0]", "does nothing"),
    ({"rules": [rule(queue="billing", when=clause("brand", "is", "shp"))]}, "rules[0].when.value", "did you mean 'shop'?"),
    ({"rules": [rule(queue="billing", when=clause("kind", "is", "letter"))]}, "rules[0].when.value", "there is no kind 'letter'"),
    ({"rules": [rule(queue="billing", when=clause("case.state", "is", "resolved"))]}, "rules[0].when", "case.state is 'open'"),
    (
        {"rules": [{"name": "all", "when": ALWAYS, "queue": "inbox"}, rule(queue="billing")]},
        "rules[1].queue",
        "never reached: wherever it matches, the earlier rule 'all' decides the queue",
    ),
    (
        {"rules": [rule(queue="billing"), {"name": "narrow", "when": clause("subject", "is", "my invoice"), "queue": "inbox"}]},
        "rules[1].queue",
        "never reached",
    ),
    ({"templates": [{"name": "t", "text": {"default": "{{ x }}"}}]}, "templates[0].text.default", "line 1: there is no variable 'x'"),
    ({"webhooks": [{"name": "crm", "url": "ftp://x"}]}, "webhooks[0].url", "https://"),
    ({"automations": [automation({"action": "answer", "template": "thank"})]}, "automations[0].actions[0].template", "there is no template 'thank'"),
    ({"automations": [automation({"action": "move", "queue": "x"})]}, "automations[0].actions[0].queue", "no queue 'x'"),
    ({"automations": [automation({"action": "webhook", "endpoint": "x"})]}, "automations[0].actions[0].endpoint", "no endpoint 'x'"),
    ({"automations": [automation({"action": "mail", "to": "nobody", "template": "thanks"})], "templates": [THANKS]}, "automations[0].actions[0].to", "no mail address"),
    ({"automations": [automation({"action": "tag"})]}, "automations[0].actions[0]", "adds and removes nothing"),
    ({"automations": [automation({"action": "schedule", "minutes": 5, "automation": "x"})]}, "automations[0].actions[0].automation", "no automation 'x'"),
    (
        {"automations": [automation({"action": "schedule", "minutes": 5, "automation": "b"}), automation(TAG, name="b", on="resolved")]},
        "automations[0].actions[0].automation",
        "'b' runs on resolved",
    ),
    ({"automations": [automation(TAG, on="scheduled")]}, "automations[0].event", "nothing schedules it"),
    ({"automations": [automation(TAG, on="tagged")]}, "automations[0].actions[0]", "own trigger `tagged`"),
    ({"automations": [automation(ANSWER, on="replied")], "templates": [THANKS]}, "automations[0].actions[0]", "own trigger `replied`"),
    (
        {"automations": [automation(TAG, {"action": "schedule", "minutes": 5, "automation": "a"}, on="scheduled")]},
        "automations[0]",
        "for ever",
    ),
    (
        {"automations": [automation(ANSWER, when=clause("flags", "contains", "auto"))], "templates": [THANKS]},
        "automations[0].when",
        "automatic mail only",
    ),
    ({"automations": [automation(TAG, when=clause("event", "is", "resolved"))]}, "automations[0].when", "exclude each other"),
    ({"automations": [automation(TAG, when=clause("txt", "is", "x"))]}, "automations[0].when.field", "did you mean 'text'?"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "path", "message"), MISTAKES, ids=[f"{path} {message}" for _, path, message in MISTAKES]
)
def test_a_mistake_is_told_with_its_place(parts: dict[str, Any], path: str, message: str) -> None:
    base = {"queues": [{"name": "inbox", "title": "I"}, {"name": "billing", "title": "B"}]} | parts
    (problem,) = problems(configuration(**base))
    assert problem.path == path
    assert message in problem.message


def test_all_mistakes_are_told_at_once() -> None:
    parts = [rule(queue="x"), rule(queue="y", when=clause("subjct", "is", "x"))]
    found = problems(configuration(rules=parts, default_queue="z"))
    assert [each.path for each in found] == [
        "rules[1].name",
        "default_queue",
        "rules[0].queue",
        "rules[1].when.field",
        "rules[1].queue",
    ]
    assert str(found[1]) == "default_queue: there is no queue 'z'"


def test_two_circles_of_schedules_are_both_told() -> None:
    def after(name: str) -> dict[str, Any]:
        return {"action": "schedule", "minutes": 5, "automation": name}

    parts = [automation(after("b"), on="scheduled"), automation(after("a"), name="b", on="scheduled")]
    assert [each.path for each in problems(configuration(automations=parts))] == [
        "automations[0]",
        "automations[1]",
    ]


@pytest.mark.parametrize(
    "rules",
    [
        [{"name": "all", "when": ALWAYS, "tags": ["t"]}, rule(queue="billing")],
        [{"name": "all", "when": ALWAYS, "priority": "low"}, rule(queue="billing")],
        [
            {"name": "narrow", "when": clause("subject", "is", "my invoice"), "queue": "inbox"},
            rule(queue="billing"),
        ],
        [rule(queue="billing"), {"name": "b", "when": INVOICE, "tags": ["t"]}],
    ],
)
def test_a_rule_that_may_still_decide_something_is_reached(rules: list[dict[str, Any]]) -> None:
    assert problems(configuration(rules=rules)) == []


def test_the_known_values_are_those_of_the_configuration() -> None:
    known = choices(GOOD)
    assert known["case.queue"] == {"inbox", "billing", "lab"}
    assert known["brand"] == {"shop", "lab"}
    assert "case.tags" not in known


def test_nothing_changed_is_nothing_to_tell() -> None:
    assert difference(GOOD, GOOD) == []


def test_each_change_is_a_sentence() -> None:
    written = GOOD.model_dump(mode="json", by_alias=True)
    written["queues"][0] |= {"title": "Everything", "hours": None}
    written["queues"].append({"name": "vip", "title": "VIP"})
    written["rules"].reverse()
    written["rules"][0]["priority"] = "urgent"
    written["rules"][1]["when"] = clause("subject", "contains", "bill")
    written["templates"][0]["text"]["de"] = "Danke"
    written["webhooks"] = []
    written["default_queue"] = "vip"
    assert difference(GOOD, Configuration.model_validate(written)) == [
        "queue 'vip' is new.",
        "queue 'inbox': title is 'Everything' now (was 'Inbox').",
        "queue 'inbox': hours is nothing now (was 'office').",
        "rule 'gold': priority is urgent now (was high).",
        "rule 'invoices': when changed.",
        "rules are tried in another order: gold, invoices.",
        "template 'thanks': text changed.",
        "webhook 'crm' is removed.",
        "default_queue is 'vip' now (was 'inbox').",
    ]
