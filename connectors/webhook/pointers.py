"""JSON Pointer (RFC 6901): where in a payload something stands. No expression, no code; a look-up costs its length."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

LONGEST = 500
INDEX = re.compile(r"0|[1-9]\d{0,5}")
BAD_ESCAPE = re.compile(r"~(?![01])")


def _pointer(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is no JSON pointer; write /like/this, with /0 for the first of a list")
    if len(text) > LONGEST or BAD_ESCAPE.search(text):
        raise ValueError(
            f"{text[:60]!r} is no JSON pointer (RFC 6901): ~ is written ~0, and / within a name ~1"
        )
    return text


Pointer = Annotated[str, AfterValidator(_pointer)]
"""Empty: the whole document."""


def find(document: object, pointer: str) -> object:
    """What stands there; None where nothing does."""
    value: Any = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, Sequence) and not isinstance(value, str) and INDEX.fullmatch(name):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def text_at(document: object, pointer: str | None, most: int = 100_000) -> str:
    """A string, number or truth as text; empty for all else."""
    if pointer is None:
        return ""
    value = find(document, pointer)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value}"[:most]
    return value[:most].replace("\x00", "") if isinstance(value, str) else ""
