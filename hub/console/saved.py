"""Saved views: made of the filter of a list, put in order, shared, removed."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.account import URL, account_page
from hub.console.console import Console
from hub.console.narrowing import of_filter, of_query
from hub.console.places import Place, place
from hub.console.words import Words
from schemas.accounts import Role
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.saved_views import EVERYBODY, ME, NOBODY, SavedView, ViewFilter

LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True)
class ViewRow:
    id: UUID
    number: int
    url: str
    title: str
    says: str
    count: int
    shared: bool
    may_change: bool
    above: UUID | None
    """The one before it of the same kind."""


def place_of_view(view: SavedView) -> Place:
    return place(None, "all", view.filter.sort, of_filter(view.filter, view.id))


def says(filter: ViewFilter, words: Words, titles: dict[str, str]) -> str:
    """The filter in words."""
    t = words.t
    parts = [titles.get(each, each) for each in filter.queues]
    parts += [t(f"state.{each}") for each in filter.states]
    if filter.assignee:
        named = {ME: t("rail.mine"), NOBODY: t("rail.unassigned")}
        parts.append(named.get(filter.assignee, filter.assignee))
    parts += [t(f"priority.{each}") for each in filter.priorities]
    if filter.overdue:
        parts.append(t("rail.overdue"))
    return " · ".join([*parts, t(f"list.sort-{filter.sort}")])


async def save_view(console: Console, request: Request) -> Response:
    """The form of a list's filter, with a title."""
    form = await request.form(max_files=0, max_fields=200)
    narrow, sort = of_query(form), str(form.get("sort", "waiting"))
    chosen = place(None, "all", sort, narrow)
    try:
        view = await console.context.saved_views.save(
            console.principal(request),
            str(form.get("title", ""))[: LONGEST_TITLE + 1],
            narrow.saved(chosen.sort),
            shared=bool(form.get("shared")),
        )
    except (Invalid, Forbidden):
        return await _page(console, request, console.words(request).t("saved.refused"), 422)
    return console.pages.see(place_of_view(view).url)


async def views_page(console: Console, request: Request) -> Response:
    return await _page(console, request)


async def change_view(console: Console, request: Request) -> Response:
    """`up`, `share`, `own` or `remove`; a title when none of them is asked for."""
    views, principal = console.context.saved_views, console.principal(request)
    form = await request.form(max_files=0, max_fields=10)
    try:
        id = UUID(request.path_params["id"])
        action = str(form.get("action", ""))
        if action == "remove":
            await views.remove(principal, id)
        elif action == "up":
            await views.change(principal, id, before=UUID(str(form.get("above", ""))))
        elif action in {"share", "own"}:
            await views.change(principal, id, shared=action == "share")
        else:
            await views.change(principal, id, title=str(form.get("title", ""))[: LONGEST_TITLE + 1])
    except (Invalid, Forbidden):
        return await _page(console, request, console.words(request).t("saved.refused"), 422)
    except ValueError:
        raise Unknown("there is no such view") from None
    return console.pages.see(f"{URL}/views")


async def _page(console: Console, request: Request, problem: str = "", status: int = 200) -> Response:
    words, principal = console.words(request), console.principal(request)
    views = await console.context.saved_views.seen_by(principal)
    counts = await console.context.saved_views.counts(principal, views)
    titles = {each.name: each.title for each in console.context.service.company.current.configuration.queues}
    is_supervisor = principal.is_at_least(Role.SUPERVISOR)
    rows = []
    above: dict[str, UUID] = {}
    for number, (view, count) in enumerate(zip(views, counts, strict=True), start=1):
        shared = view.audience == EVERYBODY
        url, said = place_of_view(view).url, says(view.filter, words, titles)
        may_change = is_supervisor or not shared
        rows.append(
            ViewRow(
                view.id, number, url, view.title, said, count, shared, may_change, above.get(view.audience)
            )
        )
        above[view.audience] = view.id
    values = {"rows": rows, "problem": problem, "may_share": is_supervisor, "action": f"{URL}/views"}
    return await account_page(console, request, "account_views.html", "views", values, status)
