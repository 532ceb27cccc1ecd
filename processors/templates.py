"""Templates of answers: which text in which language, filled with values. Plain text comes out.

While rendering, what is missing is empty: an answer with a gap is better than none. The checks before publication
(`template_problems.problems`) are strict. A value is never read as template code.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError

from processors.template_language import MAX_ITEMS, bounded_output, compiled
from schemas.configuration import Template
from schemas.errors import Never

DEFAULT = "default"
MAX_VALUE_LENGTH = 20_000
MAX_SUBJECT_LENGTH = 250

Value = str | int | float | bool | None | Sequence[str]
Variables = Mapping[str, Mapping[str, Value]]
"""Group -> name -> value, such as customer -> name -> Ada."""

VARIABLES: dict[str, str] = {
    "customer.name": "the customer's name, else the address",
    "customer.X": "attribute X of the customer, such as customer.tier",
    "case.number": "the number that people read out, such as 7K3M9-Q2XAB",
    "case.subject": "subject line of the case",
    "case.queue": "name of the queue that it is in",
    "case.priority": "low, normal, high, urgent",
    "case.language": "language of the case, BCP 47",
    "case.tags": "list of the case's tags",
    "brand.title": "the brand as customers read it",
    "brand.signature": "the brand's signature",
    "agent.name": "who answers; empty in automatic answers",
    "message.text": "what the customer wrote last; empty where no message is answered",
}
"""All variables. Groups that end in `.X` take any name."""


_compiled = lru_cache(maxsize=1024)(compiled)


def variant(texts: Mapping[str, str], language: str) -> str | None:
    """The text in this language: the exact tag, else its primary subtag, else `default`; None where there is none."""
    tag = language.casefold()
    by_tag = {name.casefold(): text for name, text in texts.items()}
    return by_tag.get(tag, by_tag.get(tag.partition("-")[0], by_tag.get(DEFAULT)))


def render(template: Template, language: str, variables: Variables) -> tuple[str, str]:
    """(subject, text) in this language. The subject is one line, and empty where answers keep the case's.

    Raises Never for a template that the checks refuse, and where the text gets too long.
    """
    values = {
        group: {name: _bounded(value) for name, value in names.items()} for group, names in variables.items()
    }
    subject = " ".join(_rendered(template, variant(template.subject, language) or "", values).split())
    text = _rendered(template, variant(template.text, language) or "", values)
    return subject[:MAX_SUBJECT_LENGTH], text


def _bounded(value: Value) -> str | int | float | tuple[str, ...]:
    """A plain copy of bounded size."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)[:MAX_VALUE_LENGTH]
    if isinstance(value, int | float):
        return value
    return tuple(str(each)[: MAX_VALUE_LENGTH // MAX_ITEMS] for each in value[:MAX_ITEMS])


def _rendered(template: Template, source: str, values: Mapping[str, Any]) -> str:
    try:
        return bounded_output(_compiled(source), values)
    except (TemplateError, TypeError, ValueError) as error:
        raise Never(f"template {template.name}: {error}") from error
