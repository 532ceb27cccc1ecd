"""What is wrong with something that people edit, found before it runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from schemas.sentences import said


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` leads to the place as it is written, such as `rules[2].when.all[0].field`; `message` says what to change."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def nearest(wrong: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the end of a sentence; empty where none is near."""
    close = get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    return said("; did you mean {name!r}?", name=close[0]) if close else ""


def joined(parent: str, child: str) -> str:
    """The path of a child: `a.b`, or `a[0]` for a child that is written `[0]`."""
    if not parent or child.startswith("["):
        return parent + child
    return f"{parent}.{child}"
