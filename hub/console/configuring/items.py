"""Queues, rules, templates, hours and automations: listed, edited in forms, tried and previewed. All of it in a draft."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import Response

from hub.configuring import Standing
from hub.console.configuring import saying
from hub.console.configuring.checking import (
    GENERAL,
    Checked,
    checked,
    moved,
    problems_of,
    with_item,
    without_item,
)
from hub.console.configuring.conditions import DEEPEST, OPEN, open_fields
from hub.console.configuring.forms import (
    ACTION_FIELDS,
    PRIORITIES,
    AutomationForm,
    ItemForm,
    QueueForm,
    RuleForm,
    named,
)
from hub.console.configuring.more_forms import HoursForm, TemplateForm
from hub.console.console import Console, go, only_with
from hub.console.places import ROOT
from hub.console.words import Words
from hub.http.rights import Right
from hub.previewing import Previews
from hub.trying import DAYS, MOST_DAYS, Outcome
from processors import hours
from processors.configuration import choices
from processors.templates import VARIABLES
from schemas.accounts import Principal
from schemas.conditions import FIELDS
from schemas.configuration import (
    Automation,
    BusinessHours,
    Configuration,
    Rule,
    Template,
    Trigger,
)
from schemas.errors import Invalid, Unknown
from schemas.sentences import said

BASE = f"{ROOT}/company"
KINDS: dict[str, Any] = {
    each.kind: each for each in (QueueForm, RuleForm, TemplateForm, HoursForm, AutomationForm)
}
ICONS = {
    "queues": "inbox",
    "rules": "flag",
    "templates": "file-text",
    "hours": "clock",
    "automations": "zap",
}
ORDERED = frozenset({"rules", "automations"})
MOST_FIELDS = 4000
TRIED_DAYS = (1, DAYS, MOST_DAYS)


class Lines(Protocol):
    name: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    name: str
    title: str
    url: str
    lines: list[str]
    mark: str
    """`new` or `changed` in the draft."""
    has_problem: bool
    state: str = ""
    is_default: bool = False


async def company(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    standing = await console.context.configuring.standing(principal.id)
    counts = [(kind, ICONS[kind], len(getattr(standing.draft.configuration, kind))) for kind in KINDS]
    return await page(console, request, "company/index.html", "index", standing, {"kinds": counts})


async def list_items(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    kind = _kind(request)
    return await _list(console, request, kind, await console.context.configuring.standing(principal.id))


async def act_on_list(console: Console, request: Request) -> Response:
    """Move a row, or say how many automatic answers one sender may get."""
    principal = only_with(Right.CONFIGURE, console, request)
    kind = _kind(request)
    form = await request.form(max_files=0, max_fields=20)
    do, _, name = str(form.get("do", "")).partition(":")
    configuring = console.context.configuring
    if do in {"up", "down"} and kind in ORDERED:
        by = -1 if do == "up" else 1
        await configuring.edit(principal.id, lambda it: moved(it, kind, name, by))
    elif do == "answers" and kind == "automations":
        most = str(form.get("automatic_answers_per_day", "")).strip()
        if not most.isdecimal() or len(most) > 4:
            problem = {"automatic_answers_per_day": console.words(request).t("company.whole-number")}
            standing = await configuring.standing(principal.id)
            return await _list(console, request, kind, standing, problem)
        update = {"automatic_answers_per_day": int(most)}
        await configuring.edit(principal.id, lambda it: it.model_copy(update=update))
    return console.pages.see(f"{BASE}/{kind}")


async def _list(
    console: Console,
    request: Request,
    kind: str,
    standing: Standing,
    problems: Mapping[str, str] | None = None,
) -> Response:
    words = console.words(request)
    draft = standing.draft
    before = {each.name: each for each in getattr(await console.context.configuring.at(draft.base), kind)}
    rows = [
        ItemRow(
            name=each.name,
            title=getattr(each, "title", "") or each.name,
            url=f"{BASE}/{kind}/{each.name}",
            lines=saying.summary(each, words.t),
            mark="" if before.get(each.name) == each else "changed" if each.name in before else "new",
            has_problem=any(place.startswith(f"{kind}[{index}]") for place in standing.problems),
            state=_opening(each, words) if isinstance(each, BusinessHours) else "",
            is_default=kind == "queues" and each.name == draft.configuration.default_queue,
        )
        for index, each in enumerate(getattr(draft.configuration, kind))
    ]
    values = {
        "kind": kind,
        "rows": rows,
        "is_ordered": kind in ORDERED,
        "kept": request.query_params.get("kept", ""),
        "answers": draft.configuration.automatic_answers_per_day,
        "problems": problems or {},
    }
    return await page(console, request, "company/list.html", kind, standing, values, 422 if problems else 200)


def _opening(item: BusinessHours, words: Words) -> str:
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


async def show_new(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    configuration = (await console.context.configuring.draft(principal.id)).configuration
    return await _item(console, request, KINDS[_kind(request)].of(None, configuration), configuration, {})


async def show_item(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    configuration = (await console.context.configuring.draft(principal.id)).configuration
    form = _form_of(request, configuration)
    problems = await asyncio.to_thread(problems_of, form, configuration)
    return await _item(console, request, form, configuration, problems)


def _form_of(request: Request, configuration: Configuration) -> ItemForm:
    kind, name = _kind(request), request.path_params["name"]
    item = next((each for each in getattr(configuration, kind) if each.name == name), None)
    if item is None:
        raise Unknown(said("there is no such item among the {kind}", kind=kind))
    form: ItemForm = KINDS[kind].of(item, configuration)
    return form


async def act_on_item(console: Console, request: Request) -> Response:
    """One form, many buttons: `save` and `remove` change the draft, `test` and `preview` look, the others make rows."""
    principal = only_with(Right.CONFIGURE, console, request)
    kind, name = _kind(request), request.path_params.get("name", "")
    given = await request.form(max_files=0, max_fields=MOST_FIELDS)
    do = str(given.get("do", "save"))
    configuring = console.context.configuring
    form: ItemForm = KINDS[kind].read(given, name)
    if do == "save":
        return await _save(console, request, principal, form, name)
    if do == "remove" and name:
        await configuring.edit(principal.id, lambda it: without_item(it, kind, name))
        return go(console, request, f"{BASE}/{kind}")
    configuration = (await configuring.draft(principal.id)).configuration
    if do in {"test", "preview"}:
        return await _tried(console, request, principal, form, configuration)
    form.act(do)
    return await _item(console, request, form, configuration, {})


async def _save(
    console: Console, request: Request, principal: Principal, form: ItemForm, name: str
) -> Response:
    configuring, words = console.context.configuring, console.words(request)
    configuration = (await configuring.draft(principal.id)).configuration
    _name_it(form, configuration, name)
    found = checked(form, words.t)
    taken = {each.name for each in getattr(configuration, form.kind)}
    if not name and form.name in {*taken, "new"}:
        found = Checked(None, {**found.problems, "name": words.t("company.name-taken")})
    if found.item is None:
        form.name = name or (form.name if isinstance(form, TemplateForm | HoursForm) else "")
        return await _item(console, request, form, configuration, found.problems, status=422)
    item, is_default = found.item, isinstance(form, QueueForm) and form.default

    def edit(before: Configuration) -> Configuration:
        after = with_item(before, form.kind, name, item)
        return after.model_copy(update={"default_queue": form.name}) if is_default else after

    draft = await configuring.edit(principal.id, edit)
    if await asyncio.to_thread(problems_of, form, draft.configuration):
        return go(console, request, f"{BASE}/{form.kind}/{form.name}?kept=1")
    return go(console, request, f"{BASE}/{form.kind}?kept={form.name}")


def _name_it(form: ItemForm, configuration: Configuration, name: str) -> None:
    """A new item with a title is named by it; one that is there keeps its name."""
    title = getattr(form, "title", None)
    if not name and title is not None:
        taken = {"new", *(each.name for each in getattr(configuration, form.kind))}
        form.name = named(title, taken, form.kind.removesuffix("s"))


async def _tried(
    console: Console, request: Request, principal: Principal, form: ItemForm, configuration: Configuration
) -> Response:
    """What the item would do: on last week's messages, or in a case. Kept nowhere."""
    words, name = console.words(request), form.name
    form.name = name or "new"
    found = checked(form, words.t)
    problems = {field: text for field, text in found.problems.items() if field not in {"title", "name"}}
    if found.item is None and not problems:  # what is missing is not what is tried
        if hasattr(form, "title"):
            form.title = form.title or "-"
        found = checked(form, words.t)
    item = found.item
    values: dict[str, object] = {}
    if item is not None:
        with_it = with_item(configuration, form.kind, form.name, item)
        problems = {
            field: text
            for field, text in (await asyncio.to_thread(problems_of, form, with_it)).items()
            if field.startswith(("when", "variant"))
        }
        if not problems:
            try:
                values = await _outcome(console, request, principal, item, with_it, form)
            except Invalid as error:
                problems = dict(error.problems) or {GENERAL: error.sentence}
            except Unknown as error:
                problems = {"case": error.sentence}
    form.name = name
    if getattr(form, "title", "") == "-":
        form.title = ""  # type: ignore[attr-defined]
    status = 422 if problems else 200
    return await _item(console, request, form, configuration, problems, values, status)


async def _outcome(
    console: Console,
    request: Request,
    principal: Principal,
    item: object,
    configuration: Configuration,
    form: ItemForm,
) -> dict[str, object]:
    context, words = console.context, console.words(request)
    if isinstance(item, Template):
        assert isinstance(form, TemplateForm)
        shown: Previews = await context.previewing.template(principal, item, configuration, form.case.strip())
        form.case = shown.case.number
        return {"previews": shown}
    days = str((await request.form()).get("days", DAYS))
    within = int(days) if days.isdecimal() and int(days) in TRIED_DAYS else DAYS
    if isinstance(item, Rule):
        outcome = await context.trying.rule(item, configuration, within)
    else:
        assert isinstance(item, Automation)
        outcome = await context.trying.automation(item, configuration, within)
    return {"outcome": outcome, "matches": _matches(outcome, words), "days": within}


def _matches(outcome: Outcome, words: Words) -> list[dict[str, object]]:
    return [
        {
            "when": words.ago(each.at),
            "number": each.number,
            "url": f"{ROOT}/cases/{each.number}",
            "subject": each.subject or words.t("list.no-subject"),
            "sender": each.sender,
            "does": words.t(f"company.does.{each.does}"),
        }
        for each in outcome.matches
    ]


async def _item(
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
        "known": {field: sorted(map(str, values)) for field, values in choices(configuration).items()},
        "deepest": DEEPEST,
        "priorities": PRIORITIES,
        "triggers": tuple(Trigger),
        "action_fields": ACTION_FIELDS,
        "variables": VARIABLES,
        "zones": zones() if form.kind == "hours" else (),
        "opening": _opening(item, words) if isinstance(item, BusinessHours) else "",
        "tried_days": TRIED_DAYS,
        "days": DAYS,
        "outcome": None,
        "previews": None,
        "saying": saying,
    }
    return await page(
        console, request, form.template, form.kind, standing, {**values, **(more or {})}, status
    )


def _fields(configuration: Configuration) -> tuple[str, ...]:
    """All fields of conditions: the known ones, those that the company's conditions name, and a place for another one."""
    conditions = [
        *(each.when for each in configuration.rules),
        *(each.when for each in configuration.automations),
    ]
    own = sorted({name for each in conditions for name in open_fields(each)})
    return (*FIELDS, *own, *OPEN.values())


@cache
def zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _kind(request: Request) -> str:
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
        "rail": await console.desk(request).rail(),
        "here": "company",
        "part": here,
        "level": "page",
        "page_title": title,
        "title": title,
        "parts": [(kind, ICONS[kind]) for kind in KINDS],
        "base": BASE,
        "standing": standing,
    }
    return console.pages.render(request, template, {**always, **values}, status)
