"""The texts of our own on a form's pages, one file a language in texts/."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "pl": "Polski",
    "ro": "Română",
    "ms": "Bahasa Melayu",
    "fa": "فارسی",
}
"""Those that there are, by their own names."""
RIGHT_TO_LEFT = frozenset({"fa"})
PRIMARY = re.compile(r"[a-z]{2,3}")
FOLDER = Path(__file__).parent / "texts"


@cache
def strings(language: str) -> Mapping[str, str]:
    """Every text by its name; the same names in each language."""
    texts: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return texts


def direction(language: str) -> str:
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def preferred(offered: tuple[str, ...], accept_language: str) -> str:
    """The offered language that the visitor likes best (RFC 9110 section 12.5.4); the first offered when none fits."""
    return next((tag for tag in _wishes(accept_language) if tag in offered), offered[0])


def first_wish(accept_language: str) -> str | None:
    """The language that the visitor likes best, as its primary subtag."""
    return next((tag for tag in _wishes(accept_language) if PRIMARY.fullmatch(tag)), None)


def _wishes(accept_language: str) -> list[str]:
    weighed: list[tuple[float, int, str]] = []
    for place, item in enumerate(accept_language[:500].split(",")[:20]):
        tag, _, parameters = item.strip().partition(";")
        weighed.append((-_quality(parameters), place, tag.strip().lower().partition("-")[0]))
    return [tag for quality, _, tag in sorted(weighed) if quality < 0]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
