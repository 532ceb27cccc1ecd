"""What is typed, asked of the very models that hold it: the item, or what is wrong, each beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.console.configuring.forms import ItemForm
from hub.console.words import Catalogue
from hub.loading.sentences import sentence
from processors.configuration import problems as all_problems
from schemas.configuration import Configuration

GENERAL = ""
"""The place of a problem that no field shows."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`item` is None where it is none; `problems` by field of the form, `GENERAL` for what has none."""

    item: BaseModel | None
    problems: Mapping[str, str]


def checked(form: ItemForm, t: Catalogue) -> Checked:
    """By itself, without what it names: the shape."""
    data = form.data()
    problems = {field: t(said) for field, said in form.faults().items()}
    if "title" in data and not data["title"]:
        problems["title"] = t("company.title-missing")
    try:
        item = form.model.model_validate(data)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            place = _place(data, each["loc"])
            said = sentence(
                each["type"], each["msg"], each.get("ctx", {}), each.get("input"), is_secret=False
            )
            problems.setdefault(shown_at(form, place), said)
        return Checked(None, problems)
    return Checked(None if problems else item, problems)


def problems_of(form: ItemForm, configuration: Configuration) -> dict[str, str]:
    """What is wrong with it among the others, by field of the form. Its place is that of its name."""
    items = getattr(configuration, form.kind)
    index = next((at for at, each in enumerate(items) if each.name == form.name), -1)
    start = f"{form.kind}[{index}]"
    form.data()
    found: dict[str, str] = {}
    for problem in all_problems(configuration):
        if problem.path == start or problem.path.startswith(f"{start}."):
            place = problem.path.removeprefix(start).removeprefix(".")
            found.setdefault(shown_at(form, place), problem.message)
    return found


def shown_at(form: ItemForm, place: str) -> str:
    """The field that shows a place of the data: itself, one that stands for it, or one for what is around it."""
    places = form.places
    if place in places:
        return places[place]
    around = max((each for each in places if place.startswith((f"{each}.", f"{each}["))), key=len, default="")
    if around:
        return places[around]
    return place.partition(".")[0].partition("[")[0]


def _place(data: Any, loc: tuple[str | int, ...]) -> str:
    """Pydantic's place without the names of union members, which nobody typed."""
    place = ""
    for part in loc:
        if isinstance(data, dict) and part in data:
            data, place = data[part], f"{place}.{part}" if place else str(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data, place = data[part], f"{place}[{part}]"
    return place


def with_item(configuration: Configuration, kind: str, name: str, item: BaseModel) -> Configuration:
    """The item at the place of the one of this name, else at the end."""
    items = list(getattr(configuration, kind))
    at = next((index for index, each in enumerate(items) if each.name == name), None)
    if at is None:
        items.append(item)
    else:
        items[at] = item
    return configuration.model_copy(update={kind: tuple(items)})


def without_item(configuration: Configuration, kind: str, name: str) -> Configuration:
    kept = tuple(each for each in getattr(configuration, kind) if each.name != name)
    return configuration.model_copy(update={kind: kept})


def moved(configuration: Configuration, kind: str, name: str, by: int) -> Configuration:
    items = list(getattr(configuration, kind))
    at = next((index for index, each in enumerate(items) if each.name == name), None)
    if at is not None and 0 <= at + by < len(items):
        items[at], items[at + by] = items[at + by], items[at]
    return configuration.model_copy(update={kind: tuple(items)})
