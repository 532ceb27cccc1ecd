"""One item of the configuration in its form: shown, kept in the draft, removed, tried."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from hub.console.configuring.attribute_form import AttributeForm
from hub.console.configuring.checking import Checked, checked, problems_of, with_item, without_item
from hub.console.configuring.forms import ItemForm, named
from hub.console.configuring.hours_form import HoursForm
from hub.console.configuring.pages import BASE, FIXED, KINDS, item_page, kind_of
from hub.console.configuring.routing_forms import QueueForm
from hub.console.configuring.text_forms import TemplateForm
from hub.console.configuring.trials import TRIED, tried
from hub.console.console import Console, go, only_with
from hub.http.rights import Right
from schemas.accounts import Principal
from schemas.configuration import Configuration
from schemas.errors import Unknown
from schemas.sentences import said

MOST_FIELDS = 4000


async def show_new(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    kind, configuration = (
        kind_of(request),
        (await console.context.configuring.draft(principal.id)).configuration,
    )
    _must_be_makeable(kind, "", configuration)
    return await item_page(console, request, KINDS[kind].of(None, configuration), configuration, {})


def _must_be_makeable(kind: str, name: str, configuration: Configuration) -> None:
    if kind in FIXED and name not in {each.name for each in getattr(configuration, kind)}:
        raise Unknown("there is no such page")


async def show_item(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    configuration = (await console.context.configuring.draft(principal.id)).configuration
    form = _form_of(request, configuration)
    problems = await asyncio.to_thread(problems_of, form, configuration)
    return await item_page(console, request, form, configuration, problems)


def _form_of(request: Request, configuration: Configuration) -> ItemForm:
    kind, name = kind_of(request), request.path_params["name"]
    item = next((each for each in getattr(configuration, kind) if each.name == name), None)
    if item is None:
        raise Unknown(said("there is no such item among the {kind}", kind=kind))
    form: ItemForm = KINDS[kind].of(item, configuration)
    return form


async def act_on_item(console: Console, request: Request) -> Response:
    """One form, many buttons: `save` and `remove` change the draft, `test` and `preview` look, the others make rows."""
    principal = only_with(Right.CONFIGURE, console, request)
    kind, name = kind_of(request), request.path_params.get("name", "")
    given = await request.form(max_files=0, max_fields=MOST_FIELDS)
    do = str(given.get("do", "save"))
    configuring = console.context.configuring
    configuration = (await configuring.draft(principal.id)).configuration
    _must_be_makeable(kind, name, configuration)
    form = KINDS[kind].read(given, name)
    if do == "save":
        return await _save(console, request, principal, form, name, configuration)
    if do == "remove" and name and kind not in FIXED:
        await configuring.edit(principal.id, lambda it: without_item(it, kind, name))
        return go(console, request, f"{BASE}/{kind}")
    if do in {"test", "preview"} and kind in TRIED:
        return await tried(console, request, principal, form, configuration)
    form.act(do)
    return await item_page(console, request, form, configuration, {})


async def _save(
    console: Console,
    request: Request,
    principal: Principal,
    form: ItemForm,
    name: str,
    configuration: Configuration,
) -> Response:
    configuring, words = console.context.configuring, console.words(request)
    _name_it(form, configuration, name)
    found = checked(form, words.t)
    taken = {each.name for each in getattr(configuration, form.kind)}
    if not name and form.name in {*taken, "new"}:
        found = Checked(None, {**found.problems, "name": words.t("company.name-taken")})
    if found.item is None:
        form.name = name or (form.name if isinstance(form, TemplateForm | HoursForm) else "")
        return await item_page(console, request, form, configuration, found.problems, status=422)
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
        joint = "_" if isinstance(form, AttributeForm) else "-"
        form.name = named(title, taken, form.kind.removesuffix("s"), joint)
