"""Explanations: what a clause says, how it went, and which clauses made the result."""

from typing import Any

import pytest

from processors.conditions import compile_condition
from processors.explaining import because, explain, phrase
from processors.looking import Fact
from schemas.conditions import FIELDS, OPERATORS, Clause, Operator
from tests.processors.examples import clause, condition

FACTS: dict[str, Fact] = {
    "subject": "Order 123",
    "flags": ("list",),
    "attachments": 2,
    "sender.verified": True,
}


def explained(written: dict[str, Any]) -> list[str]:
    compiled = compile_condition(condition(written))
    return explain(compiled.condition, FACTS, compiled.trace(FACTS)[1])


def reasons(written: dict[str, Any]) -> list[str]:
    compiled = compile_condition(condition(written))
    return because(compiled.condition, compiled.trace(FACTS)[1])


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (clause("subject", "contains", "refund"), "subject contains 'refund': no, it is 'Order 123'"),
        (clause("subject", "contains", "order"), "subject contains 'order': yes, it is 'Order 123'"),
        (clause("subject", "in", ["a", "b"]), "subject is one of 'a', 'b': no, it is 'Order 123'"),
        (clause("text", "matches", "x+"), "text matches 'x+': no, it is empty"),
        (clause("form.order", "exists", True), "form.order is not empty: no, it is empty"),
        (clause("flags", "has_any", ["auto", "bulk"]), "flags has any of 'auto', 'bulk': no, it has 'list'"),
        (clause("recipient", "contains", "x"), "recipient contains 'x': no, it has none"),
        (clause("attachments", "at_least", 3), "attachments is at least 3: no, it is 2"),
        (clause("sender.verified", "is", True), "sender.verified is true: yes, it is true"),
        ({"not": clause("subject", "is", "x")}, "unless subject is 'x': no, it is 'Order 123'"),
    ],
)
def test_a_clause_is_told_with_what_was_found(written: dict[str, Any], sentence: str) -> None:
    assert explained(written) == [sentence]


def test_clauses_that_were_not_looked_at_say_so_and_alternatives_are_marked() -> None:
    sentences = explained(
        {
            "any": [
                clause("subject", "starts_with", "order"),
                {"not": clause("text", "is", "x")},
                clause("brand", "is", "shop"),
            ]
        }
    )
    assert sentences == [
        "subject starts with 'order': yes, it is 'Order 123'",
        "or unless text is 'x': not looked at",
        "or brand is 'shop': not looked at",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (clause("subject", "contains", "order"), ["the subject contains 'order'"]),
        (clause("subject", "contains", "refund"), ["the subject does not contain 'refund'"]),
        (
            {"all": [clause("subject", "contains", "order"), clause("attachments", "at_least", 1)]},
            ["the subject contains 'order'", "the number of attachments is at least 1"],
        ),
        (
            {"all": [clause("subject", "contains", "order"), clause("attachments", "at_most", 1)]},
            ["the number of attachments is more than 1"],
        ),
        (
            {
                "any": [
                    clause("subject", "is", "x"),
                    clause("form.order", "exists", False),
                    clause("text", "is", "x"),
                ]
            },
            ["the form's order is empty"],
        ),
        (
            {"not": {"any": [clause("subject", "is", "x"), clause("flags", "contains", "auto")]}},
            ["the subject is not 'x'", "the list of flags does not contain 'auto'"],
        ),
        ({"all": []}, []),
    ],
)
def test_the_clauses_that_decided_are_named_as_they_were(
    written: dict[str, Any], expected: list[str]
) -> None:
    assert reasons(written) == expected


def test_every_field_and_operator_can_be_said() -> None:
    for field, (declared, _) in FIELDS.items():
        for operator in OPERATORS[declared]:
            said = {
                phrase(Clause(field=field, operator=operator, value="v"), holds) for holds in (True, False)
            }
            assert len(said) == 2


def test_line_breaks_in_a_long_text_do_not_break_the_sentence() -> None:
    said = explain(Clause(field="text", operator=Operator.IS, value="x"), {"text": "a\nb\r\n" * 300}, "f")
    assert said[0].startswith("text is 'x': no, it is 'a b a b")
    assert len(said[0]) < 300
