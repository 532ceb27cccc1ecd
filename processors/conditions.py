"""Conditions: a tree of clauses, compiled once to closures that evaluate in about a microsecond a clause.

Texts are compared without regard to case (Unicode case folding). What is not there counts as empty: the text "", no words, 0, false.
"""

from collections.abc import Callable
from dataclasses import dataclass

from processors.looking import Facts, Looked, unfolded_span
from processors.patterns import pattern
from schemas.conditions import All, AnyOf, Clause, Condition, FieldType, Not, Operator, field_type

Test = Callable[[Looked], bool]
Trace = Callable[[Looked], tuple[bool, str]]

TRUE, FALSE, UNSEEN = "t", "f", "-"
Value = str | int | float | bool | tuple[str, ...]


def folded(value: Value) -> str:
    return str(value).casefold()


def folded_all(value: Value) -> frozenset[str]:
    return frozenset(map(folded, value if isinstance(value, tuple) else (value,)))


def number(value: Value) -> float:
    return 0 if isinstance(value, tuple) else float(value)


def _text_is(field: str, value: Value) -> Test:
    wanted = folded(value)
    return lambda looked: bool(looked[field] == wanted)


def _text_is_not(field: str, value: Value) -> Test:
    unwanted = folded(value)
    return lambda looked: bool(looked[field] != unwanted)


def _text_contains(field: str, value: Value) -> Test:
    needle = folded(value)
    return lambda looked: needle in looked[field]


def _text_starts_with(field: str, value: Value) -> Test:
    prefix = folded(value)
    return lambda looked: bool(looked[field].startswith(prefix))


def _text_ends_with(field: str, value: Value) -> Test:
    suffix = folded(value)
    return lambda looked: bool(looked[field].endswith(suffix))


def _text_matches(field: str, value: Value) -> Test:
    compiled = pattern(str(value))
    return lambda looked: compiled.found_in(looked.raw_text(field))


def _text_in(field: str, value: Value) -> Test:
    choices = folded_all(value)
    return lambda looked: looked[field] in choices


def _words_contain(field: str, value: Value) -> Test:
    word = folded(value)
    return lambda looked: word in looked[field]


def _words_have_any(field: str, value: Value) -> Test:
    words = folded_all(value)
    return lambda looked: not words.isdisjoint(looked[field])


def _words_have_all(field: str, value: Value) -> Test:
    words = folded_all(value)
    return lambda looked: words <= looked[field]


def _number_is(field: str, value: Value) -> Test:
    wanted = number(value)
    return lambda looked: bool(looked[field] == wanted)


def _number_is_not(field: str, value: Value) -> Test:
    unwanted = number(value)
    return lambda looked: bool(looked[field] != unwanted)


def _at_least(field: str, value: Value) -> Test:
    bound = number(value)
    return lambda looked: bool(looked[field] >= bound)


def _at_most(field: str, value: Value) -> Test:
    bound = number(value)
    return lambda looked: bool(looked[field] <= bound)


def _boolean_is(field: str, value: Value) -> Test:
    wanted = bool(value)
    return lambda looked: looked[field] is wanted


def _exists(field: str, value: Value) -> Test:
    """Something is there: a text that is not empty, at least one word, a number other than 0."""
    wanted = bool(value)
    return lambda looked: bool(looked[field]) is wanted


TESTS: dict[tuple[FieldType, Operator], Callable[[str, Value], Test]] = {
    (FieldType.TEXT, Operator.IS): _text_is,
    (FieldType.TEXT, Operator.IS_NOT): _text_is_not,
    (FieldType.TEXT, Operator.CONTAINS): _text_contains,
    (FieldType.TEXT, Operator.STARTS_WITH): _text_starts_with,
    (FieldType.TEXT, Operator.ENDS_WITH): _text_ends_with,
    (FieldType.TEXT, Operator.MATCHES): _text_matches,
    (FieldType.TEXT, Operator.IN): _text_in,
    (FieldType.TEXT, Operator.EXISTS): _exists,
    (FieldType.WORDS, Operator.CONTAINS): _words_contain,
    (FieldType.WORDS, Operator.HAS_ANY): _words_have_any,
    (FieldType.WORDS, Operator.HAS_ALL): _words_have_all,
    (FieldType.WORDS, Operator.EXISTS): _exists,
    (FieldType.NUMBER, Operator.IS): _number_is,
    (FieldType.NUMBER, Operator.IS_NOT): _number_is_not,
    (FieldType.NUMBER, Operator.AT_LEAST): _at_least,
    (FieldType.NUMBER, Operator.AT_MOST): _at_most,
    (FieldType.NUMBER, Operator.EXISTS): _exists,
    (FieldType.BOOLEAN, Operator.IS): _boolean_is,
}


def clauses(condition: Condition) -> tuple[Clause, ...]:
    """All clauses in reading order: the order of the letters of a trace."""
    if isinstance(condition, Clause):
        return (condition,)
    if isinstance(condition, Not):
        return clauses(condition.not_)
    children = condition.all if isinstance(condition, All) else condition.any
    return tuple(clause for child in children for clause in clauses(child))


def clause_test(clause: Clause) -> Test:
    """Raises ValueError where the clause is none: unknown field, operator that does not fit, bad pattern."""
    declared = field_type(clause.field)
    if declared is None:
        raise ValueError(f"there is no field {clause.field!r}")
    make = TESTS.get((declared, clause.operator))
    if make is None:
        raise ValueError(f"{clause.operator} does not fit {clause.field}, which is {declared}")
    return make(clause.field, clause.value)


def _test(condition: Condition) -> Test:
    if isinstance(condition, Clause):
        return clause_test(condition)
    if isinstance(condition, Not):
        negated = _test(condition.not_)
        return lambda looked: not negated(looked)
    if isinstance(condition, All):
        return _test_all(tuple(map(_test, condition.all)))
    return _test_any(tuple(map(_test, condition.any)))


def _test_all(tests: tuple[Test, ...]) -> Test:
    def holds(looked: Looked) -> bool:
        for test in tests:  # noqa: SIM110 -- all() of a generator takes twice as long
            if not test(looked):
                return False
        return True

    return holds


def _test_any(tests: tuple[Test, ...]) -> Test:
    def holds(looked: Looked) -> bool:
        for test in tests:  # noqa: SIM110 -- any() of a generator takes twice as long
            if test(looked):
                return True
        return False

    return holds


def _trace(condition: Condition) -> Trace:
    if isinstance(condition, Clause):
        test = clause_test(condition)
        return lambda looked: (True, TRUE) if test(looked) else (False, FALSE)
    if isinstance(condition, Not):
        return _trace_not(_trace(condition.not_))
    children = condition.all if isinstance(condition, All) else condition.any
    stops_at = isinstance(condition, AnyOf)
    if all(isinstance(child, Clause) for child in children):
        return _trace_flat(tuple(map(_test, children)), stops_at)
    widths = [len(clauses(child)) for child in children]
    unseen = tuple(UNSEEN * sum(widths[index + 1 :]) for index in range(len(widths)))
    return _trace_nested(tuple(zip(map(_trace, children), unseen, strict=True)), stops_at)


def _trace_not(traced: Trace) -> Trace:
    def trace(looked: Looked) -> tuple[bool, str]:
        holds, letters = traced(looked)
        return not holds, letters

    return trace


def _trace_flat(tests: tuple[Test, ...], stops_at: bool) -> Trace:
    """All or any of clauses: the few possible answers are made beforehand. `stops_at` is the result that decides early."""
    count = len(tests)
    passed, decisive = (FALSE, TRUE) if stops_at else (TRUE, FALSE)
    answers = tuple(
        (stops_at, passed * index + decisive + UNSEEN * (count - index - 1)) for index in range(count)
    )
    to_the_end = (not stops_at, passed * count)
    steps = tuple(zip(tests, answers, strict=True))

    def trace(looked: Looked) -> tuple[bool, str]:
        for test, answer in steps:
            if test(looked) is stops_at:
                return answer
        return to_the_end

    return trace


def _trace_nested(steps: tuple[tuple[Trace, str], ...], stops_at: bool) -> Trace:
    def trace(looked: Looked) -> tuple[bool, str]:
        seen = ""
        for traced, unseen in steps:
            holds, letters = traced(looked)
            seen += letters
            if holds is stops_at:
                return stops_at, seen + unseen
        return not stops_at, seen

    return trace


def needed_text(condition: Condition) -> tuple[str, str] | None:
    """Field and folded text that must be in it for the condition to hold, where its first clause says so: asked before all else."""
    first = condition
    while isinstance(first, All) and first.all:
        first = first.all[0]
    if not isinstance(first, Clause) or first.operator is not Operator.CONTAINS:
        return None
    return (first.field, folded(first.value)) if field_type(first.field) is FieldType.TEXT else None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition ready to run. Give the same `Looked` to many conditions and each fact is fetched and folded once."""

    condition: Condition
    clauses: tuple[Clause, ...]
    holds: Test
    traced: Trace

    def evaluate(self, facts: Facts | Looked) -> bool:
        return self.holds(facts if isinstance(facts, Looked) else Looked(facts))

    def trace(self, facts: Facts | Looked) -> tuple[bool, str]:
        """The result, and one letter a clause in reading order: t true, f false, - not looked at."""
        return self.traced(facts if isinstance(facts, Looked) else Looked(facts))


def compile_condition(condition: Condition) -> Compiled:
    """Raises ValueError for what `condition_problems.problems` finds to be no condition at all."""
    return Compiled(condition, clauses(condition), _test(condition), _trace(condition))


def match_span(clause: Clause, text: str, folded_text: str) -> tuple[int, int] | None:
    """Where in a text the clause, which holds, found what it looks for; None where no place explains it."""
    if clause.operator is Operator.MATCHES:
        return pattern(str(clause.value)).span(text)
    if clause.operator not in PLACES:
        return None
    needle = folded(clause.value)
    start = PLACES[clause.operator](folded_text, needle)
    return None if start < 0 else unfolded_span(text, folded_text, start, start + len(needle))


PLACES: dict[Operator, Callable[[str, str], int]] = {
    Operator.CONTAINS: str.find,
    Operator.STARTS_WITH: lambda text, prefix: 0 if text.startswith(prefix) else -1,
    Operator.ENDS_WITH: lambda text, suffix: len(text) - len(suffix) if text.endswith(suffix) else -1,
}
