"""Facts: every declared field is there, from a message and from a case."""

import pytest

from processors.facts import case_facts, interaction_facts, needs_entry
from processors.looking import Fact
from schemas.conditions import FIELDS, FieldType
from schemas.interactions import FormSubmission, Kind
from tests.processors.examples import entry, received, summary

TYPES: dict[FieldType, type | tuple[type, ...]] = {
    FieldType.TEXT: str,
    FieldType.WORDS: tuple,
    FieldType.NUMBER: int,
    FieldType.BOOLEAN: bool,
}
FORM = FormSubmission(form="contact", version="1", fields={"order": "A-12"})
ALL_FACTS = [
    interaction_facts(received()),
    case_facts(summary(), "resolved"),
    case_facts(summary(), "opened", entry(received())),
]


@pytest.mark.parametrize("facts", ALL_FACTS, ids=["interaction", "case", "case with message"])
def test_every_declared_field_is_produced_in_its_type_and_no_other(facts: dict[str, Fact]) -> None:
    assert facts.keys() == FIELDS.keys()
    for field, (declared, _) in FIELDS.items():
        assert isinstance(facts[field], TYPES[declared]), field


def test_a_message_gives_its_facts() -> None:
    facts = interaction_facts(
        received(form=FORM, flags=("suspect",), attachments=2, queue_hint="billing", kind=Kind.FORM),
        {"tier": "gold", "city": "London"},
        within_hours=False,
    )
    expected: dict[str, Fact] = {
        "event": "opened",
        "channel": "webform",
        "kind": "form",
        "subject": "Where is my order?",
        "text": "Hello, it is three weeks now.",
        "sender.address": "ada@example.com",
        "sender.domain": "example.com",
        "sender.name": "Ada Lovelace",
        "sender.verified": True,
        "recipient": ("help@shop.example",),
        "flags": ("suspect",),
        "attachments": 2,
        "queue_hint": "billing",
        "customer.tier": "gold",
        "customer.city": "London",
        "form.order": "A-12",
        "case.priority": "normal",
        "within_hours": False,
    }
    assert {name: facts[name] for name in expected} == expected


def test_a_message_of_nobody_has_empty_facts_of_a_sender() -> None:
    facts = interaction_facts(received().model_copy(update={"participants": ()}))
    assert facts["sender.address"] == facts["sender.domain"] == facts["sender.name"] == ""
    assert facts["sender.verified"] is False


def test_the_text_without_quotes_is_taken_and_the_whole_text_where_there_is_none() -> None:
    message = received()
    quoted = message.content.model_copy(update={"text": "New\n> old", "text_new": "New"})
    assert interaction_facts(message.model_copy(update={"content": quoted}))["text"] == "New"
    only = message.content.model_copy(update={"text": "> old", "text_new": ""})
    assert interaction_facts(message.model_copy(update={"content": only}))["text"] == "> old"


def test_facts_of_a_message_are_the_same_from_its_timeline_entry() -> None:
    message = received(form=FORM, flags=("list",), attachments=1, kind=Kind.FORM)
    first, later = interaction_facts(message), case_facts(summary(), "opened", entry(message))
    of_the_message = {field for field in FIELDS if needs_entry(field)} - {"queue_hint"} | {
        "subject",
        "form.order",
    }
    assert {field: first[field] for field in of_the_message} == {
        field: later[field] for field in of_the_message
    }


def test_a_case_without_its_message_still_knows_the_case() -> None:
    facts = case_facts(
        summary(queue="billing", tags=("vip",), assignee="mia"), "claimed", None, {"tier": "gold"}
    )
    assert facts["case.queue"] == "billing"
    assert facts["case.tags"] == ("vip",)
    assert facts["case.assignee"] == "mia"
    assert facts["subject"] == "Where is my order?"
    assert facts["customer.tier"] == "gold"
    assert facts["event"] == "claimed"


def test_only_facts_of_the_message_need_its_entry() -> None:
    assert needs_entry("text")
    assert needs_entry("form.order")
    assert not needs_entry("subject")
    assert not needs_entry("case.queue")
    assert not needs_entry("customer.tier")
