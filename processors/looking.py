"""What conditions look at: facts, each folded for comparison once, and cut to what explains a decision."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.conditions import FieldType, field_type

Fact = str | int | float | bool | Sequence[str]
Facts = Mapping[str, Fact]
"""Field -> value. May compute its values when asked; a field that is not there counts as empty."""

EXCERPT_LENGTH = 200
MAX_PLACES = 3
MAX_WORDS = 50
ELLIPSIS = "…"
STRIDES = (1024, 128, 16, 1)


def _folded_words(value: Any) -> frozenset[str]:
    words = (value,) if isinstance(value, str) else value
    return frozenset(str(word).casefold() for word in words)


FOLD: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.TEXT: lambda value: str(value).casefold(),
    FieldType.WORDS: _folded_words,
    FieldType.NUMBER: lambda value: value,
    FieldType.BOOLEAN: bool,
}
EMPTY: dict[FieldType, Any] = {
    FieldType.TEXT: "",
    FieldType.WORDS: frozenset(),
    FieldType.NUMBER: 0,
    FieldType.BOOLEAN: False,
}


class Looked(dict[str, Any]):
    """Field -> folded value, filled when a clause looks; its keys are the fields that were looked at."""

    __slots__ = ("facts",)

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts

    def __missing__(self, field: str) -> Any:
        declared = field_type(field) or FieldType.TEXT
        fact = self.facts.get(field)
        value = EMPTY[declared] if fact is None else FOLD[declared](fact)
        self[field] = value
        return value

    def raw_text(self, field: str) -> str:
        """The text as it was written; counts as looked at."""
        if field not in self:
            self[field]
        return str(self.facts.get(field, ""))


def unfolded_span(text: str, folded_text: str, start: int, end: int) -> tuple[int, int]:
    """Where a span of the folded text lies in the text itself. Folding works character by character and never shortens."""
    if len(folded_text) == len(text):
        return start, end
    place = reached = 0  # the folded text is `reached` long where the text is `place` long
    for stride in STRIDES:
        while reached + stride <= start and place + stride <= len(text):
            width = len(text[place : place + stride].casefold())
            if reached + width > start:
                break
            place += stride
            reached += width
    last = place
    while reached < end:
        reached += len(text[last].casefold())
        last += 1
    return place, last


def excerpt(text: str, spans: Sequence[tuple[int, int]], length: int = EXCERPT_LENGTH) -> str:
    """At most about `length` characters of the text: around the first spans, else its beginning. Gaps are marked."""
    if len(text) <= length:
        return text
    places = sorted(set(spans))[:MAX_PLACES] or [(0, 0)]
    share = length // len(places)
    windows: list[list[int]] = []
    for start, end in places:
        margin = max(0, share - (end - start)) // 2
        left = max(0, start - margin)
        right = min(len(text), left + share)
        if windows and left <= windows[-1][1]:
            windows[-1][1] = max(windows[-1][1], right)
        else:
            windows.append([left, right])
    opening = ELLIPSIS if windows[0][0] > 0 else ""
    closing = ELLIPSIS if windows[-1][1] < len(text) else ""
    return opening + ELLIPSIS.join(text[left:right] for left, right in windows) + closing
