"""What is said in English below the console (refusals, explanations, problems, reasons), in the language of who reads it.

The catalogues are sentences/**/<language>.toml. A key is the English template as the code has it; what a catalogue does not hold is
shown as it is: words of customers and vendors, and sentences that nobody translated yet.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

import re2  # type: ignore[import-untyped,unused-ignore]

from schemas.sentences import Sentence, in_a_row

FOLDER = Path(__file__).parent / "sentences"
LONGEST_RECOGNIZED = 2000
DEEPEST = 6
IN_A_ROW = "; "
MOST_IN_A_ROW = 8
REMEMBERED = 512
FEWEST_LETTERS = 8
"""A template with fewer letters of its own fits too much to be recognized by."""
NEVER_STORED = "explaining"
"""The part whose short templates are only ever put together on the spot: words of vendors would fit them by chance."""

Forms = str | Mapping[str, str]
"""The text, or one for each form of the plural that the value `n` asks for."""


@cache
def sentences_of(language: str) -> Mapping[str, Forms]:
    """What the files of a language say; none for English, which needs none."""
    found: dict[str, Forms] = {}
    for path in sorted(FOLDER.glob(f"*/{language}.toml")):
        with path.open("rb") as file:
            found |= tomllib.load(file)
    return found


@cache
def _never_stored() -> frozenset[str]:
    found: set[str] = set()
    for path in (FOLDER / NEVER_STORED).glob("*.toml"):
        with path.open("rb") as file:
            found |= tomllib.load(file).keys()
    return frozenset(found)


class Sayings:
    """Sentences in one language, each in the direction of that language. `form` names the form of the plural for a number, `isolated` guards a value's own direction."""

    def __init__(
        self, texts: Mapping[str, Forms], form: Callable[[int], str], isolated: Callable[[object], object]
    ) -> None:
        self._texts = texts
        self._form = form
        self._isolated = isolated
        self._recognized = lru_cache(REMEMBERED)(self._recognize)

    def __call__(self, text: str) -> str:
        found = self._say(text, DEEPEST)
        return found if found != text else str(self._isolated(found))  # English, or a vendor's words

    def _say(self, text: str, depth: int) -> str:
        if not self._texts or not text or depth == 0:
            return str(text)
        if isinstance(text, Sentence):
            return self._filled(text.template, text.values, depth, str(text))
        if text in self._texts:
            return self._filled(text, {}, depth, text)
        return self._recognized(text, depth)

    def _filled(self, template: str, values: Mapping[str, object], depth: int, otherwise: str) -> str:
        forms = self._texts.get(template)
        if forms is None:
            return otherwise
        if not isinstance(forms, str):
            number = values.get("n", 0)
            forms = forms.get(self._form(number) if isinstance(number, int) else "other") or forms["other"]
        return forms.format_map({name: self._value(each, depth) for name, each in values.items()})

    def _value(self, value: object, depth: int) -> object:
        return self._say(value, depth - 1) if isinstance(value, Sentence) else self._isolated(value)

    def _recognize(self, text: str, depth: int) -> str:
        """A text that was stored, or came over a wire, and so lost its template; several may stand in a row."""
        if len(text) > LONGEST_RECOGNIZED:
            return text
        whole = self._fitting(text, depth)
        parts = text.split(IN_A_ROW)
        if whole is not None or not 1 < len(parts) <= MOST_IN_A_ROW:
            return whole or text
        said: list[str] = []
        while parts:
            for count in range(len(parts), 0, -1):
                part = IN_A_ROW.join(parts[:count])
                found = self._plain(part, depth)
                if found is not None or count == 1:
                    said.append(found or str(self._isolated(part)))
                    parts = parts[count:]
                    break
        row = in_a_row([Sentence(each) for each in said])
        return self._say(row, len(said) + 1) if any(each not in text for each in said) else text

    def _plain(self, text: str, depth: int) -> str | None:
        return self._filled(text, {}, depth, text) if text in self._texts else self._fitting(text, depth)

    def _fitting(self, text: str, depth: int) -> str | None:
        """By the most literal template that fits."""
        for template, names, longest, pattern in self._patterns:
            found = pattern.fullmatch(text) if longest in text else None
            if found is not None:
                values = dict(zip(names, map(self._read, found.groups(), [depth] * len(names)), strict=True))
                return self._filled(template, values, depth, text)
        return None

    def _read(self, value: str, depth: int) -> object:
        if value.isascii() and value.isdecimal():
            return int(value)
        inner = self._say(value, depth - 1)
        return Sentence(inner) if inner != value else value

    @cached_property
    def _patterns(self) -> list[tuple[str, list[str], str, Any]]:
        """Templates with something to fill in, those with the most letters of their own first; the longest piece is asked before the pattern."""
        found = []
        for template in self._texts:
            parts = list(Formatter().parse(template))
            literals = [literal for literal, *_ in parts]
            names = [name for _, name, _, _ in parts if name]
            if names and len("".join(literals)) >= FEWEST_LETTERS and template not in _never_stored():
                longest = max((each.strip("'") for each in literals), key=len)
                found.append(
                    (-len("".join(literals)), (template, names, longest, re2.compile(_pattern(parts))))
                )
        return [each for _, each in sorted(found, key=lambda each: (each[0], each[1][0]))]


def _pattern(parts: list[tuple[str, str | None, str | None, str | None]]) -> str:
    pattern = "(?s)"
    for literal, name, _, conversion in parts:
        pattern += re2.escape(literal)
        if name:
            pattern += "['\"](.*?)['\"]" if conversion == "r" else "(.*?)"
    return pattern
