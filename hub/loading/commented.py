"""Settings as YAML that explains itself: what each setting means stands above it, taken from the models."""

import json
import re
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from pydantic import BaseModel

from hub.loading import shapes
from hub.loading.reading import scalar
from hub.loading.tree import Part

WIDTH = 100
OTHER_WORDS = re.compile(r"y|n|yes|no|on|off|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.IGNORECASE)
"""Text that YAML 1.1, which other programs read, takes for something else."""

INLINE = 100


def commented(model: type[BaseModel], settings: dict[str, Any]) -> str:
    """The settings in the order given, two empty lines between sections. What was explained once is not said again."""
    said: set[str] = set()
    sections = [
        "\n".join(_key(model, (name,), name, value, settings, said)) for name, value in settings.items()
    ]
    return "\n\n".join(sections) + "\n"


def _key(
    model: type[BaseModel], place: tuple[Part, ...], name: str, value: Any, whole: Any, said: set[str]
) -> Iterator[str]:
    indent = "  " * (sum(1 for part in place) - 1)
    meaning = shapes.meaning(model, place, whole)
    if meaning and meaning not in said:
        said.add(meaning)
        for each in wrap(meaning, WIDTH - len(indent)):
            yield f"{indent}# {each}"
    short = _short(value)
    if short is not None and len(indent) + len(name) + len(short) + 2 <= INLINE:
        yield f"{indent}{_word(name)}: {short}"
    elif isinstance(value, str):
        yield f"{indent}{_word(name)}: |"
        yield from (f"{indent}  {each}".rstrip() for each in value.rstrip("\n").split("\n"))
    else:
        yield f"{indent}{_word(name)}:"
        yield from _below(model, place, value, whole, said)


def _below(
    model: type[BaseModel], place: tuple[Part, ...], value: Any, whole: Any, said: set[str]
) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _key(model, (*place, name), name, child, whole, said)
        return
    indent = "  " * len(place)
    for index, child in enumerate(value):
        short = _short(child)
        if short is not None and not isinstance(child, dict):
            yield f"{indent}- {short}"
            continue
        lines = list(_below(model, (*place, index), child, whole, said))
        marker = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
        for number, line in enumerate(lines):
            if number < marker:  # comments stand above the dash
                yield indent + line.strip()
            else:
                yield f"{indent}- {line.strip()}" if number == marker else line


def _short(value: Any) -> str | None:
    """On one line, where that reads well."""
    if isinstance(value, str) and "\n" in value:
        return None
    if isinstance(value, dict | list):
        text = _flow(value)
        is_leaf = isinstance(value, list) and all(not isinstance(each, dict | list) for each in value)
        return text if is_leaf or len(text) <= 70 else None
    return _word(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_word(name)}: {_flow(child)}" for name, child in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _word(value)


def _word(value: Any) -> str:
    """A scalar; text stands in quotes where it would be read as something else."""
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    is_plain = scalar(text, is_plain=True) == text and text.strip() == text and not _is_special(text)
    return (
        text
        if is_plain and text and not OTHER_WORDS.fullmatch(text)
        else json.dumps(text, ensure_ascii=False)
    )


def _is_special(text: str) -> bool:
    return (
        text[:1] in set("!&*-?|>%@`\"'#,[]{}:")
        or any(each in text for each in (": ", " #", *",[]{}?"))
        or text.endswith(":")
    )
