"""Regular expressions of rules, matched in time linear in the text (RE2).

Why not `re`: it backtracks, so that one rule such as `(a+)+$` written by an agent and one mail written by anybody stop the
hub for hours. See docs/decisions/regular-expressions.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped,unused-ignore]

from schemas.sentences import said

MAX_PATTERN_LENGTH = 1000
MAX_MEMORY_BYTES = 1 << 20
"""Of one compiled pattern and its automaton. RE2 forgets states rather than take more."""


class BadPattern(ValueError):
    """The pattern is no regular expression, or none that can be matched in linear time."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Looks anywhere in the text, ignores case, and `.` stops at a line's end."""

    compiled: Any

    def found_in(self, text: str) -> bool:
        return self.compiled.search(text) is not None

    def span(self, text: str) -> tuple[int, int] | None:
        """Where the leftmost match lies, in characters."""
        match = self.compiled.search(text)
        return None if match is None else match.span()


@lru_cache(maxsize=512)
def pattern(source: str) -> Pattern:
    """Compile once. Raises BadPattern, saying what is wrong."""
    if len(source) > MAX_PATTERN_LENGTH:
        raise BadPattern(said("is longer than {n} characters", n=MAX_PATTERN_LENGTH))
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    try:
        return Pattern(re2.compile(source, options=options))
    except re2.error as error:
        raise BadPattern(_reason(error)) from error


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else "cannot be compiled"
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    if "invalid perl operator" in text:
        return said(
            "uses what cannot be matched in linear time ({what}): look-around", what=text.partition(": ")[2]
        )
    if "invalid escape sequence" in text and text[-1:].isdigit():
        return "uses what cannot be matched in linear time: references to groups"
    return text
