"""What a form of an item is: what is typed in it, and the data that the item's model is asked about."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Self, TypeVar
from unicodedata import normalize

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from schemas.configuration import Configuration

LONGEST = 20_000
MOST_ROWS = 60
Row = TypeVar("Row")


@dataclass(kw_only=True)
class ItemForm:
    """`places` says which field of the form shows a place of the data; it is filled by `data`. `focus` is what is looked at next."""

    kind: ClassVar[str]
    template: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    typed: ClassVar[tuple[str, ...]] = ()
    """Fields of the item that are one field of the form each, of the same name."""

    name: str = ""
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        """As the item is; None: a new one."""
        if item is None:
            return cls()
        shown: dict[str, Any] = {each: written(getattr(item, each)) for each in cls.typed}
        return cls(name=item.name, **shown)

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        """As it was typed. `name` is that of an item that is there, else empty."""
        given: dict[str, Any] = {each: text(form, each) for each in cls.typed}
        return cls(name=name, **given)

    def data(self) -> dict[str, object]:
        raise NotImplementedError

    def faults(self) -> dict[str, str]:
        """What only the form can say: field -> the string that says what is wrong."""
        return {}

    def act(self, do: str) -> None:
        """What a button says that only changes rows."""

    def change_rows(self, do: str, noun: str, rows: list[Row], make: Callable[[], Row], first: str) -> bool:
        """Whether `do` was about these rows: `NOUN` adds one and looks at its field `first`, `unNOUN:INDEX` takes one away."""
        what, _, index = do.partition(":")
        if what == noun and len(rows) < MOST_ROWS:
            rows.append(make())
            self.focus = f"{noun}.{len(rows) - 1}.{first}"
        elif what == f"un{noun}" and index.isdecimal() and int(index) < len(rows):
            del rows[int(index)]
        return what in {noun, f"un{noun}"}


def text(form: Fields, name: str) -> str:
    return str(form.get(name, "")).replace("\r\n", "\n")[:LONGEST]


def rows_in(form: Fields, key: str, most: int = MOST_ROWS) -> range:
    """The rows that were sent. `key` names a field that each has, such as `variant.{}.text`."""
    return range(next((index for index in range(most) if key.format(index) not in form), most))


def written(value: object) -> str:
    """As a field of a form shows it."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value.value if isinstance(value, Enum) else value)


def number(typed: str) -> object:
    """A whole number, nothing, or what was typed, so that the model says what is wrong with it."""
    plain = typed.strip()
    return None if not plain else int(plain) if re.fullmatch(r"-?\d{1,12}", plain) else plain


def split(typed: str) -> list[str]:
    """Tags and the like: between commas."""
    return list(dict.fromkeys(each.strip() for each in typed.split(",") if each.strip()))


def named(title: str, taken: Collection[str], otherwise: str, joint: str = "-") -> str:
    """The name that rules and roles use, made of a title; it never changes again. Names with `_` begin with a letter."""
    plain = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", joint, plain.lstrip("0123456789 ") if joint == "_" else plain)
    base = base.strip(joint)[: 35 if joint == "_" else 50] or otherwise
    return next(
        each
        for each in (base, *(f"{base}{joint}{count}" for count in range(2, len(taken) + 3)))
        if each not in taken
    )
