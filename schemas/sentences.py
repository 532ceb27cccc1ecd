"""Sentences for people. Whoever makes one writes it in English and knows no other language; whoever shows it may say it in another.

A sentence is a text like any other, so the API, the command line and the log show it as it is. It also remembers its template, which
is its name in the catalogues of other languages, and what was filled in.
"""

from collections.abc import Mapping, Sequence
from functools import reduce


class Sentence(str):
    """A text in English with the `template` that it was made from and the `values` in it; a value may be a sentence too.

    What is put into an f-string, or changed in any way, is a plain text again: name parts as values of a template instead.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object] | None = None) -> "Sentence":
        filled = values or {}
        made = super().__new__(cls, template.format_map(filled) if filled else template)
        made.template, made.values = template, filled
        return made


def said(template: str, /, **values: object) -> Sentence:
    """`said("there is no queue {name!r}", name=queue)`. A value `n` is a number that chooses the form of a plural."""
    return Sentence(template, values)


def listed(parts: Sequence[str]) -> str:
    """`a, b, c`; empty where there is none."""
    return reduce(lambda start, last: said("{start}, {last}", start=start, last=last), parts) if parts else ""


def both(parts: Sequence[str]) -> str:
    """`a and b and c`; empty where there is none."""
    return (
        reduce(lambda start, last: said("{start} and {last}", start=start, last=last), parts) if parts else ""
    )


def in_a_row(parts: Sequence[str]) -> str:
    """`a; b; c`; empty where there is none."""
    return reduce(lambda start, last: said("{start}; {last}", start=start, last=last), parts) if parts else ""
