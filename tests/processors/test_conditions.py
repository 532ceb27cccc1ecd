"""Conditions: what each operator says, what a trace shows, and what counts as looked at."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.conditions import Compiled, clauses, compile_condition
from processors.looking import Fact, Facts, Looked
from schemas.conditions import OPERATORS, All, AnyOf, Clause, Condition, FieldType, Not, Operator
from tests.processors.examples import clause, condition

FACTS: dict[str, Fact] = {
    "subject": "Straße 5: Invoice 17",
    "text": "Line one\nLine two",
    "sender.verified": True,
    "flags": ("Bulk", "list"),
    "attachments": 2,
    "form.order": "A-12",
}


def holds(written: dict[str, Any], facts: Facts = FACTS) -> bool:
    return compile_condition(condition(written)).evaluate(facts)


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("subject", "is", "STRASSE 5: invoice 17", True),
        ("subject", "is", "invoice", False),
        ("subject", "is_not", "invoice", True),
        ("subject", "is_not", "strasse 5: invoice 17", False),
        ("subject", "contains", "INVOICE", True),
        ("subject", "contains", "refund", False),
        ("subject", "starts_with", "strasse", True),
        ("subject", "starts_with", "invoice", False),
        ("subject", "ends_with", "17", True),
        ("subject", "ends_with", "5", False),
        ("subject", "matches", r"invoice \d+$", True),
        ("subject", "matches", r"^invoice", False),
        ("subject", "in", ["x", "strasse 5: invoice 17"], True),
        ("subject", "in", ["x"], False),
        ("subject", "exists", True, True),
        ("subject", "exists", False, False),
        ("flags", "contains", "bulk", True),
        ("flags", "contains", "bul", False),
        ("flags", "has_any", ["auto", "LIST"], True),
        ("flags", "has_any", ["auto"], False),
        ("flags", "has_all", ["list", "bulk"], True),
        ("flags", "has_all", ["list", "auto"], False),
        ("flags", "exists", True, True),
        ("attachments", "is", 2, True),
        ("attachments", "is_not", 2, False),
        ("attachments", "at_least", 2, True),
        ("attachments", "at_least", 2.5, False),
        ("attachments", "at_most", 2, True),
        ("attachments", "at_most", 1, False),
        ("attachments", "exists", True, True),
        ("sender.verified", "is", True, True),
        ("sender.verified", "is", False, False),
        ("form.order", "is", "a-12", True),
    ],
)
def test_an_operator_says_what_its_name_says(
    field: str, operator: str, value: object, expected: bool
) -> None:
    assert holds(clause(field, operator, value)) is expected


def test_every_operator_of_every_type_can_be_compiled() -> None:
    fields = {FieldType.TEXT: "subject", FieldType.WORDS: "flags", FieldType.NUMBER: "attachments"}
    fields[FieldType.BOOLEAN] = "within_hours"
    for declared, operators in OPERATORS.items():
        for operator in operators:
            written = Clause(field=fields[declared], operator=operator, value=1)
            assert compile_condition(written).evaluate({}) in {True, False}


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("form.colour", "is", "red", False),
        ("form.colour", "is_not", "red", True),
        ("form.colour", "contains", "r", False),
        ("form.colour", "matches", "r", False),
        ("form.colour", "exists", False, True),
        ("recipient", "has_any", ["a"], False),
        ("recipient", "exists", True, False),
        ("customer.tier", "in", ["gold"], False),
        ("sender.verified", "is", False, True),
        ("attachments", "at_most", 0, True),
    ],
)
def test_what_is_not_there_counts_as_empty(field: str, operator: str, value: object, expected: bool) -> None:
    assert holds(clause(field, operator, value), {}) is expected


@pytest.mark.parametrize(
    "written",
    [
        clause("subjct", "is", "x"),
        clause("subject", "at_least", 3),
        clause("subject", "matches", "("),
        {"all": [{"not": clause("form.", "is", "x")}]},
    ],
)
def test_what_is_no_condition_cannot_be_compiled(written: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"there is no field|does not fit|missing"):
        compile_condition(condition(written))


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    assert holds({"all": []})
    assert not holds({"any": []})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"all": [clause("subject", "contains", "invoice"), clause("flags", "contains", "auto"), clause("text", "is", "x")]}, (False, "tf-")),
        ({"any": [clause("subject", "contains", "x"), clause("flags", "contains", "bulk"), clause("text", "is", "x")]}, (True, "ft-")),
        ({"not": {"any": [clause("subject", "contains", "x"), clause("text", "is", "x")]}}, (True, "ff")),
        (
            {"all": [{"any": [clause("subject", "is", "x"), clause("text", "is", "x")]}, {"not": clause("text", "is", "y")}]},
            (False, "ff-"),
        ),
        (
            {"any": [{"all": [clause("subject", "is", "x"), clause("text", "is", "x")]}, {"not": clause("text", "is", "y")}]},
            (True, "f-f"),
        ),
        ({"all": []}, (True, "")),
    ],
)  # fmt: skip
def test_a_trace_has_a_letter_a_clause_in_reading_order(
    written: dict[str, Any], expected: tuple[bool, str]
) -> None:
    assert compile_condition(condition(written)).trace(FACTS) == expected


def test_a_fact_is_fetched_once_and_only_when_a_clause_looks_at_it() -> None:
    asked: list[str] = []

    class Asked(dict[str, Fact]):
        def get(self, field: str, default: Any = None) -> Any:
            asked.append(field)
            return super().get(field, default)

    first = clause("subject", "contains", "nothing of that")
    compiled = compile_condition(
        condition({"any": [first, first, {"all": [first, clause("text", "is", "x")]}]})
    )
    assert not compiled.evaluate(Asked(FACTS))
    assert asked == ["subject"]


FIELDS = ("subject", "text", "form.a")
WORDS = ("", "a", "b", "ab", "ba")


def trees() -> st.SearchStrategy[Condition]:
    leaves: st.SearchStrategy[Condition] = st.builds(
        Clause,
        field=st.sampled_from(FIELDS),
        operator=st.sampled_from(
            [Operator.IS, Operator.IS_NOT, Operator.CONTAINS, Operator.STARTS_WITH, Operator.EXISTS]
        ),
        value=st.sampled_from(WORDS),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda children: All(all=tuple(children)), st.lists(inner, max_size=3)),
            st.builds(lambda children: AnyOf(any=tuple(children)), st.lists(inner, max_size=3)),
            st.builds(lambda child: Not(not_=child), inner),
        ),
        max_leaves=8,
    )


def facts() -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(WORDS))


def plainly(tree: Condition, known: dict[str, str]) -> bool:
    """The same meaning written as plainly as can be."""
    if isinstance(tree, All):
        return all(plainly(child, known) for child in tree.all)
    if isinstance(tree, AnyOf):
        return any(plainly(child, known) for child in tree.any)
    if isinstance(tree, Not):
        return not plainly(tree.not_, known)
    text, value = known.get(tree.field, ""), str(tree.value)
    return {
        Operator.IS: text == value,
        Operator.IS_NOT: text != value,
        Operator.CONTAINS: value in text,
        Operator.STARTS_WITH: text.startswith(value),
        Operator.EXISTS: bool(text) is bool(value),
    }[tree.operator]


@given(trees(), facts())
def test_evaluation_and_trace_agree_with_the_plain_meaning(tree: Condition, known: dict[str, str]) -> None:
    compiled: Compiled = compile_condition(tree)
    result, letters = compiled.trace(known)
    assert compiled.evaluate(known) is result is plainly(tree, known)
    assert len(letters) == len(clauses(tree)) == len(compiled.clauses)
    for each, letter in zip(compiled.clauses, letters, strict=True):
        if letter != "-":
            assert plainly(each, known) is (letter == "t")


@given(trees(), facts())
def test_only_fields_whose_clauses_have_a_letter_were_looked_at(
    tree: Condition, known: dict[str, str]
) -> None:
    looked = Looked(known)
    compiled = compile_condition(tree)
    _, letters = compiled.trace(looked)
    seen = {each.field for each, letter in zip(compiled.clauses, letters, strict=True) if letter != "-"}
    assert set(looked) == seen
