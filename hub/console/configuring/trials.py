"""What an item would do, before it is kept: a rule or an automation on past messages, a template in a case. Kept nowhere."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from hub.console.configuring.checking import GENERAL, checked, problems_of, with_item
from hub.console.configuring.forms import ItemForm
from hub.console.configuring.pages import TRIED_DAYS, item_page
from hub.console.configuring.text_forms import TemplateForm
from hub.console.console import Console
from hub.console.places import ROOT
from hub.console.words import Words
from hub.previewing import Previews
from hub.trying import DAYS, Outcome
from schemas.accounts import Principal
from schemas.configuration import Automation, Configuration, Rule, Template
from schemas.errors import Invalid, Unknown

TRIED = frozenset({"rules", "automations", "templates"})


async def tried(
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
    return await item_page(console, request, form, configuration, problems, values, status)


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
