"""Pages of the configuration: the kinds of items that there are, what stands around each page, and the page of one item."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response

from hub.configuring import Standing
from hub.console.configuring import saying
from hub.console.configuring.attribute_form import AttributeForm
from hub.console.configuring.automation_form import ACTION_FIELDS, AutomationForm
from hub.console.configuring.checking import GENERAL
from hub.console.configuring.conditions import DEEPEST, OPEN
from hub.console.configuring.forms import ItemForm
from hub.console.configuring.hours_form import HoursForm
from hub.console.configuring.routing_forms import QueueForm, RuleForm
from hub.console.configuring.text_forms import BrandForm, TemplateForm
from hub.console.console import Console
from hub.console.places import ROOT
from hub.console.words import Words
from hub.trying import DAYS, MOST_DAYS
from processors import hours
from processors.conditions import clauses
from processors.configuration import choices
from processors.templates import VARIABLES
from schemas.conditions import FIELDS
from schemas.configuration import AttributeType, BusinessHours, Configuration, Priority, Trigger
from schemas.errors import Unknown

BASE = f"{ROOT}/company"
KINDS: dict[str, type[ItemForm]] = {
    each.kind: each
    for each in (QueueForm, RuleForm, TemplateForm, HoursForm, AutomationForm, AttributeForm, BrandForm)
}
ICONS = {
    "queues": "inbox",
    "rules": "flag",
    "templates": "file-text",
    "hours": "clock",
    "automations": "zap",
    "person_attributes": "user",
    "brands": "square-pen",
}
FIXED = frozenset({"brands"})
"""Kinds whose items are neither made nor removed in forms: accounts of the settings file name them."""
TRIED_DAYS = (1, DAYS, MOST_DAYS)
MOST_PEOPLE = 200
PRIORITIES = tuple(Priority)[::-1]


def kind_of(request: Request) -> str:
    kind = str(request.path_params["kind"])
    if kind not in KINDS:
        raise Unknown("there is no such page")
    return kind


async def page(
    console: Console,
    request: Request,
    template: str,
    here: str,
    standing: Standing,
    values: Mapping[str, object],
    status: int = 200,
) -> Response:
    """A page of the configuration: its parts beside it, and what the draft changes above it."""
    t = console.words(request).t
    title = t("company.title") if here == "index" else t(f"company.{here}")
    always = {
        "part": here,
        "title": title,
        "parts": [(kind, ICONS[kind]) for kind in KINDS],
        "base": BASE,
        "standing": standing,
    }
    return await console.page(request, template, "company", title, {**always, **values}, status)


async def item_page(
    console: Console,
    request: Request,
    form: ItemForm,
    configuration: Configuration,
    problems: Mapping[str, str],
    more: Mapping[str, object] | None = None,
    status: int = 200,
) -> Response:
    standing = await console.context.configuring.standing(console.principal(request).id)
    words = console.words(request)
    name = request.path_params.get("name", "")
    item = next((each for each in getattr(configuration, form.kind) if each.name == name), None)
    titles = {each.name: each.title for each in configuration.queues}
    values: dict[str, object] = {
        "kind": form.kind,
        "form": form,
        "item_name": name,
        "item_title": getattr(item, "title", "") or name,
        "url": f"{BASE}/{form.kind}/{name}" if name else f"{BASE}/{form.kind}/new",
        "problems": {**problems},
        "general": problems.get(GENERAL, ""),
        "kept": request.query_params.get("kept", "") if request.method == "GET" else "",
        "configuration": configuration,
        "queue_titles": titles,
        "fields": _fields(configuration),
        "known": {field: sorted(map(str, values)) for field, values in choices(configuration).items()}
        | {f"customer.{each.name}": each.choices for each in configuration.person_attributes if each.choices},
        "people": await _people(console) if form.kind == "brands" else (),
        "deepest": DEEPEST,
        "priorities": PRIORITIES,
        "triggers": tuple(Trigger),
        "attribute_types": tuple(AttributeType),
        "is_fixed": form.kind in FIXED,
        "action_fields": ACTION_FIELDS,
        "variables": VARIABLES,
        "zones": zones() if form.kind == "hours" else (),
        "opening": opening(item, words) if isinstance(item, BusinessHours) else "",
        "tried_days": TRIED_DAYS,
        "days": DAYS,
        "outcome": None,
        "previews": None,
        "saying": saying,
    }
    return await page(
        console, request, form.template, form.kind, standing, {**values, **(more or {})}, status
    )


async def _people(console: Console) -> list[tuple[str, str]]:
    """Those who answer: the name that each signs in with, and the one that is read."""
    users = await console.context.accounts.users.list(MOST_PEOPLE)
    return [(each.name, each.title or each.name) for each in users.items if each.active]


def _fields(configuration: Configuration) -> tuple[str, ...]:
    """All fields of conditions: the known ones, those that the company's conditions name, and a place for another one."""
    conditions = [each.when for each in configuration.rules]
    conditions += [each.when for each in configuration.automations if each.when is not None]
    named = {clause.field for each in conditions for clause in clauses(each)}
    named |= {f"customer.{each.name}" for each in configuration.person_attributes}
    own = sorted(named - {*FIELDS})
    return (*FIELDS, *own, *OPEN.values())


@cache
def zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def opening(item: BusinessHours, words: Words) -> str:
    """Open now until, or closed until."""
    try:
        is_open, changes = hours.next_change(item, words.now)
    except ValueError:
        return ""
    if changes is None:
        return words.t("company.always-open" if is_open else "company.always-closed")
    return words.t(
        "company.open-until" if is_open else "company.closed-until", when=words.when(changes).words
    )
