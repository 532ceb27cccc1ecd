"""Checks of conditions before they run: each mistake with its place, and nothing that may be right is refused."""

from typing import Any

import pytest
from hypothesis import given

from processors.condition_problems import MAX_CLAUSES, problems
from processors.conditions import compile_condition
from processors.contradictions import implies, never_holds
from schemas.conditions import Clause, Condition, Operator
from tests.processors.examples import clause, condition
from tests.processors.test_conditions import facts, trees

CHOICES = {
    "brand": ("shop", "lab"),
    "case.queue": ("inbox", "billing"),
    "case.priority": ("low", "normal", "high", "urgent"),
}

MISTAKES = [
    (clause("subjct", "is", "x"), "when.field", "there is no field 'subjct'; did you mean 'subject'?"),
    (clause("zzz", "is", "x"), "when.field", "; there are account"),
    (clause("form.", "is", "x"), "when.field", "there is no field 'form.'"),
    (clause("subject", "at_least", 3), "when.operator", "at_least does not fit subject, which is a text"),
    (clause("sender.verified", "contains", "x"), "when.operator", "true or false; it can be is"),
    (clause("flags", "is", "auto"), "when.operator", "a list of words"),
    (clause("subject", "is", 123), "when.value", "must be a text; write it in quotes: '123'"),
    (clause("subject", "contains", ""), "when.value", "every text contains nothing"),
    (clause("subject", "in", "a"), "when.value", "must be a list"),
    (clause("subject", "in", []), "when.value", "at least one"),
    (clause("flags", "has_any", "auto"), "when.value", "must be a list"),
    (clause("attachments", "at_least", "2"), "when.value", "must be a number"),
    (clause("attachments", "at_least", True), "when.value", "must be a number"),
    (clause("attachments", "at_least", float("nan")), "when.value", "must be a number"),
    (clause("sender.verified", "is", "yes"), "when.value", "must be true or false"),
    (clause("subject", "exists", "x"), "when.value", "must be true"),
    (clause("subject", "matches", "(a"), "when.value", "missing )"),
    (clause("subject", "matches", "(?=a)"), "when.value", "look-around"),
    (clause("subject", "matches", "a*"), "when.value", "matches the empty text"),
    (clause("subject", "contains", "x" * 1001), "when.value", "more than 1000"),
    (clause("case.queue", "is", "biling"), "when.value", "there is no case.queue 'biling'; did you mean 'billing'?"),
    (clause("case.priority", "in", ["high", "top"]), "when.value", "there is no case.priority 'top'"),
    (clause("brand", "is_not", "x"), "when.value", "there are lab, shop"),
    ({"all": [clause("text", "is", "a"), {"any": [{"not": clause("txt", "is", "x")}]}]}, "when.all[1].any[0].not.field", "'text'"),
    ({"any": []}, "when", "can never hold"),
    ({"all": [clause("subject", "exists", True)] * (MAX_CLAUSES + 1)}, "when", f"{MAX_CLAUSES} are the most"),
    (
        {"all": [clause("case.priority", "is", "high"), clause("case.priority", "is", "low")]},
        "when",
        "case.priority is 'high' and case.priority is 'low' exclude each other",
    ),
    (
        {"any": [clause("text", "is", "x"), {"all": [clause("attachments", "at_least", 5), clause("attachments", "at_most", 3)]}]},
        "when.any[1]",
        "exclude each other",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "path", "message"), MISTAKES, ids=[message for _, _, message in MISTAKES]
)
def test_a_mistake_is_told_with_its_place(written: dict[str, Any], path: str, message: str) -> None:
    (problem,) = problems(condition(written), CHOICES)
    assert problem.path == path
    assert message in problem.message


def test_all_mistakes_are_told_at_once() -> None:
    written = {"all": [clause("a", "is", "x"), clause("subject", "is", 1), clause("subject", "matches", "(")]}
    assert [each.path for each in problems(condition(written))] == [
        "when.all[0].field",
        "when.all[1].value",
        "when.all[2].value",
    ]


@pytest.mark.parametrize(
    "written",
    [
        clause("case.queue", "is", "Billing"),
        clause("case.queue", "exists", False),
        clause("case.queue", "starts_with", "bil"),
        clause("subject", "is", ""),
        clause("customer.anything", "in", ["a"]),
        {"all": []},
        {"all": [clause("subject", "contains", "a"), clause("subject", "contains", "b")]},
        {"all": [clause("attachments", "at_least", 3), clause("attachments", "at_most", 3)]},
        {"all": [clause("flags", "has_any", ["a", "b"]), {"not": clause("flags", "contains", "a")}]},
    ],
)
def test_what_can_hold_is_not_refused(written: dict[str, Any]) -> None:
    assert problems(condition(written), CHOICES) == []


@pytest.mark.parametrize(
    "parts",
    [
        [clause("subject", "is", "a"), clause("subject", "is", "b")],
        [clause("subject", "is", "a"), clause("subject", "is_not", "A")],
        [clause("subject", "is", "order"), clause("subject", "contains", "refund")],
        [clause("subject", "in", ["a", "b"]), clause("subject", "in", ["c"])],
        [clause("subject", "is", "order 5"), clause("subject", "matches", "^[a-z]+$")],
        [clause("subject", "exists", False), clause("subject", "contains", "a")],
        [clause("subject", "starts_with", "re:"), clause("subject", "starts_with", "fwd:")],
        [clause("subject", "ends_with", "a"), clause("subject", "ends_with", "b")],
        [clause("subject", "contains", "refund"), {"not": clause("subject", "contains", "fun")}],
        [clause("text", "matches", "x"), {"not": clause("text", "matches", "x")}],
        [clause("attachments", "at_least", 2), clause("attachments", "is", 1)],
        [clause("attachments", "exists", False), clause("attachments", "at_least", 1)],
        [clause("attachments", "at_most", -1)],
        [clause("within_hours", "is", True), clause("within_hours", "is", False)],
        [clause("flags", "contains", "auto"), {"not": clause("flags", "has_any", ["auto", "list"])}],
        [clause("flags", "exists", False), clause("flags", "has_all", ["a"])],
        [
            {"any": [clause("brand", "is", "a"), clause("brand", "is", "b")]},
            {"not": clause("brand", "in", ["a", "b"])},
        ],
    ],
)
def test_a_contradiction_is_seen(parts: list[dict[str, Any]]) -> None:
    assert never_holds(condition({"all": parts}))


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (clause("subject", "contains", "my invoice"), clause("subject", "contains", "invoice")),
        (clause("subject", "is", "invoice 5"), clause("subject", "contains", "invoice")),
        (clause("case.tags", "has_all", ["a", "b"]), clause("case.tags", "contains", "a")),
        (clause("attachments", "at_least", 3), clause("attachments", "exists", True)),
        ({"all": [clause("brand", "is", "a"), clause("text", "is", "b")]}, clause("brand", "is", "a")),
        (clause("brand", "is", "a"), {"any": [clause("brand", "is", "a"), clause("text", "is", "b")]}),
        (clause("brand", "is", "a"), {"all": []}),
    ],
)
def test_a_narrow_condition_implies_a_wide_one_and_not_the_other_way(
    narrow: dict[str, Any], wide: dict[str, Any]
) -> None:
    assert implies(condition(narrow), condition(wide))
    assert not implies(condition(wide), condition(narrow))


def test_what_is_given_counts() -> None:
    opened = Clause(field="event", operator=Operator.IS, value="opened")
    (problem,) = problems(condition(clause("event", "is", "resolved")), given=(opened,))
    assert "event is 'resolved' and event is 'opened' exclude each other" in problem.message


@given(trees(), facts())
def test_what_is_called_impossible_never_holds(tree: Condition, known: dict[str, str]) -> None:
    if never_holds(tree):
        assert not compile_condition(tree).evaluate(known)


@given(trees(), trees(), facts())
def test_what_is_called_implied_always_follows(
    first: Condition, second: Condition, known: dict[str, str]
) -> None:
    if implies(first, second) and compile_condition(first).evaluate(known):
        assert compile_condition(second).evaluate(known)
