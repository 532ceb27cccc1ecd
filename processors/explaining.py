"""Conditions in plain sentences: what a clause says, how it went with these facts, and which clauses made the result."""

from collections.abc import Callable, Iterator, Sequence

from processors.conditions import FALSE, TRUE, clauses
from processors.looking import Fact, Facts, excerpt
from schemas.conditions import All, AnyOf, Clause, Condition, FieldType, Not, Operator, field_type
from schemas.sentences import Sentence, listed, said

SHOWN_LENGTH = 200

PHRASES: dict[Operator, tuple[str, str]] = {
    Operator.IS: ("{field} is {value}", "{field} is not {value}"),
    Operator.IS_NOT: ("{field} is not {value}", "{field} is {value}"),
    Operator.CONTAINS: ("{field} contains {value}", "{field} does not contain {value}"),
    Operator.STARTS_WITH: ("{field} starts with {value}", "{field} does not start with {value}"),
    Operator.ENDS_WITH: ("{field} ends with {value}", "{field} does not end with {value}"),
    Operator.MATCHES: ("{field} matches {value}", "{field} does not match {value}"),
    Operator.IN: ("{field} is one of {value}", "{field} is none of {value}"),
    Operator.HAS_ANY: ("{field} has any of {value}", "{field} has none of {value}"),
    Operator.HAS_ALL: ("{field} has all of {value}", "{field} has not all of {value}"),
    Operator.AT_LEAST: ("{field} is at least {value}", "{field} is less than {value}"),
    Operator.AT_MOST: ("{field} is at most {value}", "{field} is more than {value}"),
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
OWNED = {"form": "the form's {name}", "customer": "the customer's {name}"}


def label(field: str) -> str:
    """How a field reads in a sentence: `form.order` is "the form's order"."""
    known = LABELS.get(field)
    if known:
        return said(known)
    owner, _, name = field.partition(".")
    return said(OWNED.get(owner, "the {owner}'s {name}"), owner=owner, name=name)


def written(field: str) -> str:
    """A field as the configuration writes it."""
    return said(field)


def quoted(value: object) -> str:
    """A value in a sentence: 'text', true, 3, or 'a', 'b'. Long texts are cut, line breaks become blanks."""
    if isinstance(value, bool):
        return said("true") if value else said("false")
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return said("'{text}'", text=excerpt(" ".join(value.split()), (), SHOWN_LENGTH))
    return listed(list(map(quoted, value))) if isinstance(value, Sequence) else quoted(str(value))


def phrase(clause: Clause, holds: bool = True, name: Callable[[str], str] = written) -> Sentence:
    """What is so when the clause holds, or when it does not: "subject contains 'refund'"."""
    field = name(clause.field)
    if clause.operator is Operator.EXISTS:
        is_there = bool(clause.value) is holds
        return (
            said("{field} is not empty", field=field) if is_there else said("{field} is empty", field=field)
        )
    return said(PHRASES[clause.operator][0 if holds else 1], field=field, value=quoted(clause.value))


def explain(condition: Condition, facts: Facts, letters: str) -> list[str]:
    """One sentence a clause, in reading order: "subject contains 'refund': no, it is 'Order 123'".

    `letters` is the trace of the evaluation. `or` leads alternatives, `unless` what must not hold.
    """
    sentences: list[str] = []
    for (around, clause), letter in zip(_in_order(condition, ()), letters, strict=False):
        asked = phrase(clause)
        for template in around:
            asked = said(template, clause=asked)
        if letter not in {TRUE, FALSE}:
            sentences.append(said("{clause}: not looked at", clause=asked))
            continue
        answer = "{clause}: yes, {fact}" if letter == TRUE else "{clause}: no, {fact}"
        sentences.append(said(answer, clause=asked, fact=_as_it_is(clause.field, facts.get(clause.field))))
    return sentences


def _in_order(condition: Condition, around: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Clause]]:
    """Each clause with the templates that it stands in, the innermost first."""
    if isinstance(condition, Clause):
        yield around, condition
    elif isinstance(condition, Not):
        yield from _in_order(condition.not_, ("unless {clause}", *around))
    elif isinstance(condition, All):
        for child in condition.all:
            yield from _in_order(child, around)
    else:
        for index, child in enumerate(condition.any):
            yield from _in_order(child, around if index == 0 else ("or {clause}", *around))


def _as_it_is(field: str, fact: Fact | None) -> Sentence:
    if field_type(field) is FieldType.WORDS:
        if fact and isinstance(fact, Sequence):
            return said("it has {value}", value=quoted(tuple(fact)))
        return said("it has none")
    if fact is None or fact == "":
        return said("it is empty")
    return said("it is {value}", value=quoted(fact))


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
