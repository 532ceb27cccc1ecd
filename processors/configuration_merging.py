"""Two people changed one configuration: what both changed is put together, item by item, and where they met is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from processors.configuration import NAMED
from processors.configuration_difference import by_name
from schemas.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Met:
    """Both changed the same thing, differently; ours was kept. `name` is empty for what is no list."""

    kind: str
    name: str = ""


Items = Mapping[str, BaseModel]


def merged(
    base: Configuration, ours: Configuration, theirs: Configuration
) -> tuple[Configuration, tuple[Met, ...]]:
    """Their configuration with what we changed since `base`."""
    met: list[Met] = []
    values: dict[str, object] = {}
    for kind in NAMED:
        values[kind] = _items(kind, getattr(base, kind), getattr(ours, kind), getattr(theirs, kind), met)
    for name in Configuration.model_fields:
        if name not in NAMED:
            before, mine, other = (getattr(each, name) for each in (base, ours, theirs))
            if mine not in (before, other) and other != before:
                met.append(Met(name))
            values[name] = other if mine == before else mine
    return theirs.model_copy(update=values), tuple(met)


def _items(
    kind: str,
    base: Sequence[BaseModel],
    ours: Sequence[BaseModel],
    theirs: Sequence[BaseModel],
    met: list[Met],
) -> tuple[BaseModel, ...]:
    before, mine, other = by_name(base), by_name(ours), by_name(theirs)
    kept: dict[str, BaseModel] = {}
    for name in {**other, **mine}:
        changed_here, changed_there = (
            mine.get(name) != before.get(name),
            other.get(name) != before.get(name),
        )
        if changed_here and changed_there and mine.get(name) != other.get(name):
            met.append(Met(kind, name))
        item = (mine if changed_here else other).get(name)
        if item is not None:
            kept[name] = item
    return tuple(kept[name] for name in _order(before, mine, other) if name in kept)


def _order(before: Items, mine: Items, other: Items) -> list[str]:
    """Their order, or ours where we changed it; what only the other side has stands after whom it follows there."""
    shared = [name for name in before if name in mine]
    first, second = (other, mine) if [name for name in mine if name in before] == shared else (mine, other)
    order = list(first)
    previous = ""
    for name in second:
        if name not in first:
            order.insert(order.index(previous) + 1 if previous in order else 0, name)
        previous = name
    return order
