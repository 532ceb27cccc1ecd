"""How one configuration differs from another, in sentences for whoever publishes it or looks back."""

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
}
ORDERED = ("rules", "automations")
SHORT = 60


def difference(old: Configuration, new: Configuration) -> list[str]:
    """One sentence a change; empty where nothing changed."""
    sentences: list[str] = []
    for kind in NAMED:
        sentences += _items(kind, getattr(old, kind), getattr(new, kind))
    for name in Configuration.model_fields:
        if name not in NAMED and getattr(old, name) != getattr(new, name):
            sentences.append(f"{name} {_change(getattr(old, name), getattr(new, name))}.")
    return sentences


def _items(kind: str, old: tuple[BaseModel, ...], new: tuple[BaseModel, ...]) -> list[str]:
    before = {_name(item): item for item in old}
    after = {_name(item): item for item in new}
    noun = KINDS[kind]
    sentences = [f"{noun} {name!r} is new." for name in after if name not in before]
    sentences += [f"{noun} {name!r} is removed." for name in before if name not in after]
    for name, item in after.items():
        if name in before:
            sentences += _fields(f"{noun} {name!r}", before[name], item)
    stayed_before = [name for name in before if name in after]
    stayed_after = [name for name in after if name in before]
    if kind in ORDERED and stayed_before != stayed_after:
        sentences.append(f"{kind} are tried in another order: {', '.join(after)}.")
    return sentences


def _name(item: BaseModel) -> str:
    return str(getattr(item, "name", ""))


def _fields(subject: str, old: BaseModel, new: BaseModel) -> list[str]:
    return [
        f"{subject}: {name} {_change(getattr(old, name), getattr(new, name))}."
        for name in type(new).model_fields
        if getattr(old, name) != getattr(new, name)
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
