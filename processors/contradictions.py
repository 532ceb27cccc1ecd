"""Can a condition hold at all? A small search for contradictions between clauses about the same field.

Sound, not complete: what it calls impossible is impossible; much that is impossible it does not see. So a rule is refused
only where it is certainly wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from processors.conditions import Value, clause_test, folded, folded_all, number
from processors.looking import Fact, Looked
from schemas.conditions import All, Clause, Condition, FieldType, Not, Operator, field_type

MAX_BRANCHES = 256
"""Combinations of alternatives that are tried before the search gives up."""

ANCHORED = (Operator.STARTS_WITH, Operator.ENDS_WITH)
NEEDLES = frozenset({Operator.CONTAINS, *ANCHORED})


@dataclass(frozen=True, slots=True)
class Literal:
    """A clause that is to hold, or not to hold."""

    clause: Clause
    wanted: bool = True

    def allows(self, fact: Fact) -> bool:
        return clause_test(self.clause)(Looked({self.clause.field: fact})) is self.wanted


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Formula", ...]


Formula = Literal | Both | Either


def formula(condition: Condition, wanted: bool = True) -> Formula:
    """The condition with its negations moved into the clauses."""
    if isinstance(condition, Clause):
        return Literal(condition, wanted)
    if isinstance(condition, Not):
        return formula(condition.not_, not wanted)
    children = condition.all if isinstance(condition, All) else condition.any
    parts = tuple(formula(child, wanted) for child in children)
    return Both(parts) if isinstance(condition, All) is wanted else Either(parts)


def never_holds(condition: Condition, given: Sequence[Clause] = ()) -> bool:
    """Whether the condition can certainly not hold (where all that is `given` does)."""
    return impossible([formula(condition), *map(Literal, given)])


def implies(condition: Condition, other: Condition) -> bool:
    """Whether `other` certainly holds wherever the condition does."""
    return impossible([formula(condition), formula(other, wanted=False)])


def impossible(formulas: Iterable[Formula]) -> bool:
    literals: list[Literal] = []
    choices: list[Either] = []
    waiting = list(formulas)
    while waiting:
        each = waiting.pop()
        if isinstance(each, Both):
            waiting += each.parts
        elif isinstance(each, Either):
            choices.append(each)
        else:
            literals.append(each)
    if excluded(literals):
        return True
    return _all_branches_fail(literals, choices, [MAX_BRANCHES])


def _all_branches_fail(literals: list[Literal], choices: list[Either], left: list[int]) -> bool:
    if not choices:
        return bool(excluded(literals))
    first, *rest = sorted(choices, key=lambda choice: len(choice.parts))
    for part in first.parts:
        left[0] -= 1
        if left[0] < 0:
            return False
        more, further = _flat(part)
        if not excluded(literals + more) and not _all_branches_fail(literals + more, rest + further, left):
            return False
    return True


def _flat(part: Formula) -> tuple[list[Literal], list[Either]]:
    if isinstance(part, Literal):
        return [part], []
    if isinstance(part, Either):
        return [], [part]
    literals: list[Literal] = []
    choices: list[Either] = []
    for each in part.parts:
        more, further = _flat(each)
        literals += more
        choices += further
    return literals, choices


def excluded(literals: Iterable[Literal]) -> list[Literal]:
    """Literals about one field that cannot hold together; empty where none are seen."""
    by_field: dict[str, list[Literal]] = {}
    for literal in literals:
        by_field.setdefault(literal.clause.field, []).append(literal)
    for field, about in by_field.items():
        if _EXCLUDED[field_type(field) or FieldType.TEXT](about):
            return about
    return []


def _none_fits(candidates: Iterable[Fact], literals: Sequence[Literal]) -> bool:
    return not any(all(literal.allows(candidate) for literal in literals) for candidate in candidates)


def _text(literals: Sequence[Literal]) -> bool:
    known = [literal for literal in literals if not _sets_case(literal)]
    for literal in known:
        candidates = _only_values(literal)
        if candidates is not None and _none_fits(candidates, known):
            return True
    pairs = [(first, second) for first in known for second in known]
    return any(_anchors_differ(*pair) or _needle_forbidden(*pair) for pair in pairs)


def _sets_case(literal: Literal) -> bool:
    """A pattern may switch its own flags; then the text that a clause names stands for no other spelling."""
    return literal.clause.operator is Operator.MATCHES and "(?" in str(literal.clause.value)


def _only_values(literal: Literal) -> list[str] | None:
    """All values that the literal leaves, where they can be listed."""
    clause, wanted = literal.clause, literal.wanted
    if (clause.operator is Operator.IS and wanted) or (clause.operator is Operator.IS_NOT and not wanted):
        return [str(clause.value)]
    if clause.operator is Operator.IN and wanted:
        return list(_texts(clause.value))
    if clause.operator is Operator.EXISTS and bool(clause.value) is not wanted:
        return [""]
    return None


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _anchors_differ(first: Literal, second: Literal) -> bool:
    """Starts with 'a' and starts with 'b'; ends likewise."""
    operator = first.clause.operator
    if (
        operator not in ANCHORED
        or second.clause.operator is not operator
        or not (first.wanted and second.wanted)
    ):
        return False
    one, other = folded(first.clause.value), folded(second.clause.value)
    if operator is Operator.STARTS_WITH:
        return not (one.startswith(other) or other.startswith(one))
    return not (one.endswith(other) or other.endswith(one))


def _needle_forbidden(first: Literal, second: Literal) -> bool:
    """Has 'refund' in it and yet does not contain 'fun'; or the same clause, wanted and unwanted."""
    if not first.wanted or second.wanted:
        return False
    if first.clause == second.clause:
        return True
    operator, forbidden = first.clause.operator, second.clause.operator
    if operator not in NEEDLES or forbidden not in NEEDLES:
        return False
    needle, banned = folded(first.clause.value), folded(second.clause.value)
    if forbidden is Operator.CONTAINS:
        return banned in needle
    if forbidden is not operator:
        return False
    return needle.startswith(banned) if operator is Operator.STARTS_WITH else needle.endswith(banned)


def _number(literals: Sequence[Literal]) -> bool:
    """Numbers are counts: whole and not negative. One of those at and beside the bounds fits, or none at all does."""
    bounds = [number(each.clause.value) for each in literals if each.clause.operator is not Operator.EXISTS]
    candidates = {0, 1} | {count for bound in bounds for count in range(floor(bound) - 1, ceil(bound) + 2)}
    return _none_fits((count for count in candidates if count >= 0), literals)


def _boolean(literals: Sequence[Literal]) -> bool:
    return _none_fits((True, False), literals)


def _words(literals: Sequence[Literal]) -> bool:
    """The largest set of words that nothing forbids satisfies whatever asks for words; the empty one all else."""
    known = [each for each in literals if each.wanted or each.clause.operator is not Operator.HAS_ALL]
    named = {
        word
        for each in known
        if each.clause.operator is not Operator.EXISTS
        for word in folded_all(each.clause.value)
    }
    forbidden = {
        word
        for each in known
        if not each.wanted and each.clause.operator is not Operator.EXISTS
        for word in folded_all(each.clause.value)
    }
    other = "x" * (1 + max(map(len, named), default=0))
    return _none_fits(((), (*sorted(named - forbidden), other)), known)


_EXCLUDED = {
    FieldType.TEXT: _text,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.WORDS: _words,
}
