"""Conditions in plain English: what a clause says, how it went with these facts, and which clauses made the result."""

from collections.abc import Callable, Iterator, Sequence

from processors.conditions import FALSE, TRUE, clauses
from processors.looking import Fact, Facts, excerpt
from schemas.conditions import All, AnyOf, Clause, Condition, FieldType, Not, Operator, field_type

SHOWN_LENGTH = 200

VERBS: dict[Operator, tuple[str, str]] = {
    Operator.IS: ("is", "is not"),
    Operator.IS_NOT: ("is not", "is"),
    Operator.CONTAINS: ("contains", "does not contain"),
    Operator.STARTS_WITH: ("starts with", "does not start with"),
    Operator.ENDS_WITH: ("ends with", "does not end with"),
    Operator.MATCHES: ("matches", "does not match"),
    Operator.IN: ("is one of", "is none of"),
    Operator.HAS_ANY: ("has any of", "has none of"),
    Operator.HAS_ALL: ("has all of", "has not all of"),
    Operator.AT_LEAST: ("is at least", "is less than"),
    Operator.AT_MOST: ("is at most", "is more than"),
}
"""What an operator says of a field, and what holds where it does not."""

LABELS: dict[str, str] = {
    "event": "the event", "channel": "the channel", "account": "the account", "brand": "the brand",
    "kind": "the kind of message", "subject": "the subject", "text": "the text", "language": "the language",
    "sender.address": "the sender's address", "sender.domain": "the sender's domain", "sender.name": "the sender's name",
    "sender.verified": "“the sender is verified”", "recipient": "the list of recipients", "flags": "the list of flags",
    "attachments": "the number of attachments", "queue_hint": "the queue that the form asks for",
    "case.state": "the state", "case.queue": "the queue", "case.priority": "the priority",
    "case.assignee": "the assignee", "case.tags": "the list of tags", "within_hours": "“within business hours”",
}  # fmt: skip


def label(field: str) -> str:
    """How a field reads in a sentence: `form.order` is "the form's order"."""
    known = LABELS.get(field)
    if known:
        return known
    owner, _, name = field.partition(".")
    return f"the {owner}'s {name}"


def quoted(value: object) -> str:
    """A value in a sentence: 'text', true, 3, or 'a', 'b'. Long texts are cut, line breaks become blanks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return f"'{excerpt(' '.join(value.split()), (), SHOWN_LENGTH)}'"
    return ", ".join(map(quoted, value)) if isinstance(value, Sequence) else quoted(str(value))


def phrase(clause: Clause, holds: bool = True, name: Callable[[str], str] = str) -> str:
    """What is so when the clause holds, or when it does not: "subject contains 'refund'"."""
    if clause.operator is Operator.EXISTS:
        is_there = bool(clause.value) is holds
        return f"{name(clause.field)} is {'not empty' if is_there else 'empty'}"
    verb = VERBS[clause.operator][0 if holds else 1]
    return f"{name(clause.field)} {verb} {quoted(clause.value)}"


def explain(condition: Condition, facts: Facts, letters: str) -> list[str]:
    """One sentence a clause, in reading order: "subject contains 'refund': no, it is 'Order 123'".

    `letters` is the trace of the evaluation. `or` leads alternatives, `unless` what must not hold.
    """
    sentences: list[str] = []
    for (prefix, clause), letter in zip(_prefixed(condition, ""), letters, strict=False):
        said = f"{prefix}{phrase(clause)}"
        if letter not in {TRUE, FALSE}:
            sentences.append(f"{said}: not looked at")
            continue
        answer = "yes" if letter == TRUE else "no"
        sentences.append(f"{said}: {answer}, {_as_it_is(clause.field, facts.get(clause.field))}")
    return sentences


def _prefixed(condition: Condition, prefix: str) -> Iterator[tuple[str, Clause]]:
    if isinstance(condition, Clause):
        yield prefix, condition
    elif isinstance(condition, Not):
        yield from _prefixed(condition.not_, prefix + "unless ")
    elif isinstance(condition, All):
        for child in condition.all:
            yield from _prefixed(child, prefix)
    else:
        for index, child in enumerate(condition.any):
            yield from _prefixed(child, prefix if index == 0 else f"{prefix}or ")


def _as_it_is(field: str, fact: Fact | None) -> str:
    if field_type(field) is FieldType.WORDS:
        return f"it has {quoted(tuple(fact))}" if fact and isinstance(fact, Sequence) else "it has none"
    if fact is None or fact == "":
        return "it is empty"
    return f"it is {quoted(fact)}"


def because(condition: Condition, letters: str, name: Callable[[str], str] = label) -> list[str]:
    """The clauses that made the condition hold, or fail, as they were: ["the subject contains 'invoice'"]."""
    return _because(condition, letters, name)[1]


def _because(condition: Condition, letters: str, name: Callable[[str], str]) -> tuple[bool | None, list[str]]:
    """(result, phrases); the result is None for what was not looked at."""
    if isinstance(condition, Clause):
        if letters[:1] not in {TRUE, FALSE}:
            return None, []
        holds = letters[0] == TRUE
        return holds, [phrase(condition, holds, name)]
    if isinstance(condition, Not):
        holds_inside, phrases = _because(condition.not_, letters, name)
        return None if holds_inside is None else not holds_inside, phrases
    decisive = isinstance(condition, AnyOf)
    collected: list[str] = []
    place = 0
    for child in condition.any if isinstance(condition, AnyOf) else condition.all:
        width = len(clauses(child))
        result, phrases = _because(child, letters[place : place + width], name)
        place += width
        if result is decisive:
            return decisive, phrases
        collected += phrases
    return not decisive, collected
