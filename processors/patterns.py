"""Regular expressions of rules, matched in time linear in the text (RE2).

Why not `re`: it backtracks, so that one rule such as `(a+)+$` written by an agent and one mail written by anybody stop the
hub for hours. See docs/decisions/regular-expressions.md.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped,unused-ignore]

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
        raise BadPattern(f"is longer than {MAX_PATTERN_LENGTH} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_MEMORY_BYTES
    try:
        return Pattern(re2.compile(source, options=options))
    except re2.error as error:
        raise BadPattern(_reason(error)) from error


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else "cannot be compiled"
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if "invalid perl operator" in text:
        return f"uses what cannot be matched in linear time ({text.partition(': ')[2]}): look-around"
    if "invalid escape sequence" in text and text[-1:].isdigit():
        return "uses what cannot be matched in linear time: references to groups"
    return text
