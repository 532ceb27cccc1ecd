"""What commands print: results on stdout, all else on stderr. What customers wrote never controls the terminal."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

COLUMN_AT_MOST = 60
ALLOWED = frozenset("\n\t")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Controls, directions and private characters: they could move the cursor, hide text or turn it round."""


def safe(text: object) -> str:
    """Text for a terminal."""
    return "".join(
        letter
        if letter in ALLOWED or unicodedata.category(letter) not in INVISIBLE
        else "\N{REPLACEMENT CHARACTER}"
        for letter in str(text)
    )


def line(text: object) -> str:
    """Text for one line of a terminal."""
    return safe(" ".join(str(text).split()))


def say(text: str = "") -> None:
    """A result."""
    click.echo(text)


def note(text: str) -> None:
    """Something beside the result."""
    click.echo(text, err=True)


def say_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def say_json_line(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def say_json_list(items: Iterable[Any]) -> None:
    """A JSON array with one item a line."""
    lines = [json.dumps(each, ensure_ascii=False, separators=(", ", ": ")) for each in items]
    click.echo("[" + ",".join(f"\n  {each}" for each in lines) + ("\n]" if lines else "]"))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Columns as wide as they need to be; `empty` is told on stderr when there are no rows."""
    if not rows:
        note(empty)
        return
    cells = [[_cell(each) for each in row] for row in rows]
    widths = [max(_width(row[index]) for row in [list(columns), *cells]) for index in range(len(columns))]
    for row in [list(columns), *cells]:
        say("  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())


def say_fields(fields: Mapping[str, object]) -> None:
    """Names and values below each other; empty values are left out."""
    shown = {name: value for name, value in fields.items() if value not in (None, "", (), [], {})}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        say(f"{name:<{width}}  {line(_joined(value))}")


def moment(text: object) -> str:
    """A time of the API, to the minute."""
    return str(text)[:16].replace("T", " ") if text else ""


def _joined(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _cell(value: object) -> str:
    text = line("" if value is None else _joined(value))
    return text if len(text) <= COLUMN_AT_MOST else text[: COLUMN_AT_MOST - 1] + "…"


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
