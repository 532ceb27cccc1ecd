"""How one configuration differs from another: change by change, and in sentences for whoever publishes it or looks back."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from processors.configuration import NAMED
from processors.explaining import quoted
from schemas.configuration import Configuration

KINDS = {
    "brands": "brand",
    "hours": "hours",
    "queues": "queue",
    "rules": "rule",
    "templates": "template",
    "automations": "automation",
    "webhooks": "webhook",
    "person_attributes": "attribute",
}
ORDERED = ("rules", "automations")
SHORT = 60


@dataclass(frozen=True, slots=True)
class Change:
    """`what`: new, removed, changed (its `field`), order (of the whole list). Fields of no list have no `name`."""

    kind: str
    what: str
    name: str = ""
    field: str = ""
    old: object = None
    new: object = None

    @property
    def order(self) -> tuple[str, ...]:
        return self.new if isinstance(self.new, tuple) else ()

    def __str__(self) -> str:
        if not self.name and self.what != "order":
            return f"{self.kind} {_change(self.old, self.new)}."
        if self.what == "order":
            return f"{self.kind} are tried in another order: {', '.join(self.order)}."
        subject = f"{KINDS[self.kind]} {self.name!r}"
        if self.what != "changed":
            return f"{subject} is {self.what}."
        return f"{subject}: {self.field} {_change(self.old, self.new)}."


def changes(old: Configuration, new: Configuration) -> list[Change]:
    """In the order of the parts; empty where nothing changed."""
    found: list[Change] = []
    for kind in NAMED:
        found += _items(kind, getattr(old, kind), getattr(new, kind))
    for name in Configuration.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if name not in NAMED and before != after:
            found.append(Change(name, "changed", old=before, new=after))
    return found


def difference(old: Configuration, new: Configuration) -> list[str]:
    """One sentence a change; empty where nothing changed."""
    return [str(each) for each in changes(old, new)]


def _items(kind: str, old: tuple[BaseModel, ...], new: tuple[BaseModel, ...]) -> list[Change]:
    before, after = by_name(old), by_name(new)
    found = [Change(kind, "new", name, new=item) for name, item in after.items() if name not in before]
    found += [Change(kind, "removed", name, old=item) for name, item in before.items() if name not in after]
    for name, item in after.items():
        if name in before:
            found += _fields(kind, name, before[name], item)
    stayed_before = [name for name in before if name in after]
    stayed_after = [name for name in after if name in before]
    if kind in ORDERED and stayed_before != stayed_after:
        found.append(Change(kind, "order", old=tuple(before), new=tuple(after)))
    return found


def by_name(items: Sequence[BaseModel]) -> dict[str, BaseModel]:
    return {str(getattr(each, "name", "")): each for each in items}


def _fields(kind: str, name: str, old: BaseModel, new: BaseModel) -> list[Change]:
    return [
        Change(kind, "changed", name, field, getattr(old, field), getattr(new, field))
        for field in type(new).model_fields
        if getattr(old, field) != getattr(new, field)
    ]


def _change(old: object, new: object) -> str:
    """`is 5 now (was 3)` for what is short, else `changed`."""
    before, after = _short(old), _short(new)
    return "changed" if before is None or after is None else f"is {after} now (was {before})"


def _short(value: object) -> str | None:
    if value is None or value in ((), ""):
        return "nothing"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple) and not all(isinstance(each, str) for each in value):
        return None
    if not isinstance(value, str | int | tuple):
        return None
    said = quoted(value)
    return said if len(said) <= SHORT else None
