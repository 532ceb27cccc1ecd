"""What is wrong with a condition, found before it runs."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

from processors.conditions import Value, clauses
from processors.contradictions import Literal, excluded, formula, impossible
from processors.explaining import phrase, quoted
from processors.patterns import BadPattern, pattern
from processors.problems import Problem, joined, nearest
from schemas.conditions import (
    FIELDS,
    OPERATORS,
    All,
    Clause,
    Condition,
    FieldType,
    Not,
    Operator,
    field_type,
)
from schemas.sentences import both, said

MAX_CLAUSES = 200
MAX_VALUE_LENGTH = 1000
MAX_VALUES = 1000

Choices = Mapping[str, Collection[str]]
"""Field -> the values that there are, for fields whose values are known."""

MEANS = {
    FieldType.TEXT: "a text",
    FieldType.WORDS: "a list of words",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
}
LISTS = frozenset({Operator.IN, Operator.HAS_ANY, Operator.HAS_ALL})
"""Operators whose value is a list."""
EMPTY = {
    Operator.CONTAINS: "is empty, and every text contains nothing",
    Operator.STARTS_WITH: "is empty, and every text starts with nothing",
    Operator.ENDS_WITH: "is empty, and every text ends with nothing",
    Operator.MATCHES: "is empty, and every text matches nothing",
}
MAY_BE_EMPTY = frozenset({Operator.IS, Operator.IS_NOT})


def problems(
    condition: Condition, choices: Choices | None = None, path: str = "when", given: Sequence[Clause] = ()
) -> list[Problem]:
    """Everything that is wrong, each with its place. `given` is what certainly holds where the condition is asked.

    Clauses first; whether the whole can hold is asked only of a condition whose clauses are right.
    """
    count = len(clauses(condition))
    if count > MAX_CLAUSES:
        return [
            Problem(path, said("has {n} clauses; {most} are the most: split it", n=count, most=MAX_CLAUSES))
        ]
    found = _clause_problems(condition, choices or {}, path)
    return found or _impossible(condition, path, given)


def _children(condition: Condition) -> list[tuple[str, Condition]]:
    if isinstance(condition, Clause):
        return []
    if isinstance(condition, Not):
        return [("not", condition.not_)]
    kind, children = ("all", condition.all) if isinstance(condition, All) else ("any", condition.any)
    return [(f"{kind}[{index}]", child) for index, child in enumerate(children)]


def _clause_problems(condition: Condition, choices: Choices, path: str) -> list[Problem]:
    if isinstance(condition, Clause):
        return clause_problems(condition, choices, path)
    return [
        problem
        for step, child in _children(condition)
        for problem in _clause_problems(child, choices, joined(path, step))
    ]


def clause_problems(clause: Clause, choices: Choices, path: str) -> list[Problem]:
    declared = field_type(clause.field)
    if declared is None:
        meant = nearest(clause.field, FIELDS) or said(
            "; there are {names}, form.X and customer.X", names=", ".join(sorted(FIELDS))
        )
        return [
            Problem(
                joined(path, "field"),
                said("there is no field {field!r}{meant}", field=clause.field, meant=meant),
            )
        ]
    fitting = OPERATORS[declared]
    if clause.operator not in fitting:
        can = ", ".join(sorted(fitting))
        return [
            Problem(
                joined(path, "operator"),
                said(
                    "{operator} does not fit {field}, which is {means}; it can be {can}",
                    operator=clause.operator,
                    field=clause.field,
                    means=said(MEANS[declared]),
                    can=can,
                ),
            )
        ]
    place = joined(path, "value")
    wrong = _wrong_type(clause.operator, declared, clause.value) or _too_much(clause.value)
    if wrong:
        return [Problem(place, wrong)]
    if clause.operator is Operator.MATCHES:
        return _pattern_problems(str(clause.value), place)
    return _unknown_values(clause, choices, place)


def _wrong_type(operator: Operator, declared: FieldType, value: Value) -> str:
    if operator is Operator.EXISTS:
        return "" if isinstance(value, bool) else "must be true (it is not empty) or false (it is empty)"
    if operator in LISTS:
        return (
            ""
            if isinstance(value, tuple) and value
            else "must be a list of at least one text, such as [a, b]"
        )
    if declared is FieldType.BOOLEAN:
        return "" if isinstance(value, bool) else "must be true or false"
    if declared is FieldType.NUMBER:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        return "" if is_number else "must be a number"
    if not isinstance(value, str):
        return said("must be a text; write it in quotes: {value}", value=quoted(str(value)))
    if not value and operator not in MAY_BE_EMPTY:
        return EMPTY[operator]
    return ""


def _too_much(value: Value) -> str:
    if isinstance(value, tuple) and len(value) > MAX_VALUES:
        return said("has {n} texts; {most} are the most", n=len(value), most=MAX_VALUES)
    texts = value if isinstance(value, tuple) else (str(value),)
    return (
        said("has more than {n} characters", n=MAX_VALUE_LENGTH)
        if max(map(len, texts)) > MAX_VALUE_LENGTH
        else ""
    )


def _pattern_problems(source: str, place: str) -> list[Problem]:
    try:
        matches_nothing = pattern(source).found_in("")
    except BadPattern as error:
        return [Problem(place, said("is no pattern that can be used: {error}", error=error.args[0]))]
    if matches_nothing:
        return [Problem(place, "matches the empty text, and so every text")]
    return []


def _unknown_values(clause: Clause, choices: Choices, place: str) -> list[Problem]:
    known = choices.get(clause.field)
    if known is None or clause.operator in {Operator.EXISTS, Operator.STARTS_WITH, Operator.ENDS_WITH}:
        return []
    if clause.operator is Operator.CONTAINS and field_type(clause.field) is FieldType.TEXT:
        return []
    by_spelling = {each.casefold() for each in known}
    values = clause.value if isinstance(clause.value, tuple) else (str(clause.value),)
    return [
        Problem(
            place,
            said(
                "there is no {field} {value!r}{meant}",
                field=clause.field,
                value=value,
                meant=nearest(value, known) or _all_of(known),
            ),
        )
        for value in values
        if value and value.casefold() not in by_spelling
    ]


def _all_of(known: Collection[str]) -> str:
    return said("; there are {names}", names=", ".join(sorted(known))) if len(known) <= 12 else ""


def _impossible(condition: Condition, path: str, given: Sequence[Clause]) -> list[Problem]:
    """The outermost parts that cannot hold."""
    facts = list(map(Literal, given))
    if impossible([formula(condition), *facts]):
        return [Problem(path, said("can never hold{why}", why=_why(condition, facts)))]
    return [
        problem
        for step, child in _children(condition)
        for problem in _impossible(child, joined(path, step), given)
    ]


def _why(condition: Condition, facts: list[Literal]) -> str:
    """Names the clauses that exclude each other, where they stand side by side."""
    direct = condition.all if isinstance(condition, All) else (condition,)
    literals = [each for child in direct if isinstance(each := formula(child), Literal)]
    culprits = excluded([*literals, *facts])
    phrases = dict.fromkeys(phrase(each.clause, each.wanted) for each in culprits)
    return said(": {clauses} exclude each other", clauses=both(list(phrases))) if len(phrases) > 1 else ""
