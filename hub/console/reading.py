"""Lists and cases, as pages and as the fragments that keep them live."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.canned import canned_answers
from hub.console.case_view import CaseView
from hub.console.console import Console
from hub.console.desk import Desk, ListView
from hub.console.frames import has_remote_pictures
from hub.console.narrowing import of_query
from hub.console.places import Place, place
from hub.console.rendering import is_partial
from hub.console.words import catalogue
from hub.http.files import entry_of, read_by
from hub.http.previews import Previews, attachment_of, kind_of
from hub.service import actor_of
from hub.shown import shown_entry
from schemas.accounts import Principal
from schemas.cases import CaseState
from schemas.documents import Case
from schemas.errors import Unknown

HELD = frozenset({"replied", "replied-resolved", "scheduled", "started", "forwarded"})
"""What is taken back by not sending the answer, for as long as it did not leave."""
DONE_UNDO = {
    "claimed": "release",
    "released": "claim",
    "resolved": "reopen",
    "reopened": "resolve",
    "snoozed": "wake",
    "spam": "not-spam",
}


def place_of(request: Request) -> Place:
    """The place that the address names."""
    query = request.query_params
    queue = request.path_params.get("queue")
    show = query.get("show", "") if queue else request.path_params.get("view", "all")
    return place(queue, show, query.get("sort", ""), of_query(query))


async def front(console: Console, request: Request) -> Response:
    """Where a day begins. On a phone it is the rail alone."""
    desk = console.desk(request)
    chosen = place(None, "all")
    listed = await desk.listed(chosen)
    values = {"list": listed, "here": chosen.show, **await _framed(desk, listed, "rail")}
    return console.pages.render(request, "front.html", values)


async def _framed(desk: Desk, listed: ListView, level: str) -> dict[str, object]:
    """What stands around a list, and its title with how many wait there."""
    around = await desk.rail()
    links = (*around.views, *around.queues, *around.saved)
    count = next((each.count for each in links if each.key == listed.place.key), None)
    title = desk.words.t("list.title", place=listed.title, n=count) if count else listed.title
    return {"rail": around, "level": level, "page_title": title}


async def rail(console: Console, request: Request) -> Response:
    values = {"rail": await console.desk(request).rail(), "here": request.query_params.get("here", "")}
    return console.pages.render(request, "fragments/rail_counts.html", values)


async def show_list(console: Console, request: Request) -> Response:
    return await list_page(console, request, console.desk(request))


async def list_page(
    console: Console, request: Request, desk: Desk, more: Mapping[str, object] | None = None
) -> Response:
    """The whole page, or the part that is asked for; for a form that htmx sent, the list with the counts that changed."""
    chosen = place_of(request)
    listed = await desk.listed(chosen, request.query_params.get("after"))
    values = {"list": listed, "here": chosen.key, "done": _done(request), **(more or {})}
    if request.method == "POST" and is_partial(request):
        values |= {"rail": await desk.rail(), "oob": True}
        return console.pages.render(request, "fragments/list_parts.html", values)
    part = request.query_params.get("part", "")
    if part == "rows":
        return console.pages.render(request, "fragments/rows.html", values)
    if part == "list":
        return console.pages.render(request, "fragments/list.html", values)
    values |= await _framed(desk, listed, "list")
    return console.pages.render(request, "list.html", values)


async def show_case(console: Console, request: Request) -> Response:
    desk, chosen = console.desk(request), place_of(request)
    query = request.query_params
    number = request.path_params["number"]
    if query.get("part") == "row":
        return await _show_row(console, request, desk, chosen, number)
    view = await desk.case(number, chosen, query.get("before"))
    if query.get("part") == "timeline":
        person = await desk.person(view.case, chosen, query.get("channel"), query.get("timeline"))
        return console.pages.render(request, "fragments/timeline.html", {"person": person, "view": view})
    if query.get("canned"):
        view = replace(view, draft=await _canned(console, desk.principal, view, query["canned"]))
    if query.get("html"):
        view = await _with_frame(
            console, desk.principal, view, query["html"], images=query.get("images") == "1"
        )
    if query.get("file"):
        view = await _with_file(console, desk.principal, view, query.get("of", ""), query["file"])
    return await case_page(console, request, desk, view)


async def _canned(console: Console, principal: Principal, view: CaseView, name: str) -> str:
    """For who works without scripts: the page again, with the template in the composer."""
    ready = await canned_answers(console.context.service, principal, view.case)
    return next((each.text for each in ready if each.name == name), "")


async def case_page(
    console: Console,
    request: Request,
    desk: Desk,
    view: CaseView,
    status: int = 200,
    more: Mapping[str, object] | None = None,
) -> Response:
    """The whole page, or for htmx the conversation with the person, the row and the counts that changed."""
    query = request.query_params
    chosen = view.place
    values: dict[str, object] = {
        "view": view,
        "list_url": chosen.url,
        "page_title": f"{view.subject} · {view.customer}",
        "here": chosen.key,
        "selected": view.case.number,
        "done": _done(request),
        "undo": undo_of(view, _done(request)),
        **(more or {}),
    }
    values["person"] = await _person(desk, view, query.get("channel"), query.get("timeline"))
    if is_partial(request):
        values |= {"rail": await desk.rail(), "row": await desk.row(view.case, chosen), "oob": True}
        return console.pages.render(request, "fragments/case_parts.html", values, status)
    values |= {
        "rail": await desk.rail(),
        "list": await desk.listed(chosen, query.get("after")),
        "level": "case",
    }
    return console.pages.render(request, "case.html", values, status)


async def _person(desk: Desk, view: CaseView, channel: str | None, after: str | None) -> object:
    try:
        return await desk.person(view.case, view.place, channel, after)
    except Unknown:
        return None


async def _show_row(console: Console, request: Request, desk: Desk, chosen: Place, number: str) -> Response:
    """One row again; nothing when the case does not belong in this list any more."""
    case = await console.context.service.case(desk.principal, number)
    if not belongs(case, chosen, desk.principal.id):
        return Response(status_code=204)
    return console.pages.render(
        request, "fragments/row.html", {"row": await desk.row(case, chosen), "selected": ""}
    )


def belongs(case: Case, chosen: Place, user: str) -> bool:
    """Whether the list of the place holds the case."""
    wanted = chosen.filter(user)
    return (
        (wanted.queue is None or case.queue == wanted.queue)
        and (not wanted.queues or case.queue in wanted.queues)
        and (not wanted.priorities or case.priority in wanted.priorities)
        and case.state in wanted.states
        and (wanted.assignee is None or case.assignee == wanted.assignee)
        and not (wanted.unassigned and case.assignee)
        and not (wanted.overdue and case.due_at is None)
    )


async def find_case(console: Console, request: Request) -> Response:
    """The address of a case alone: to the case in its queue."""
    case = await console.context.service.case(console.principal(request), request.path_params["number"])
    show = {CaseState.SNOOZED: "snoozed", CaseState.RESOLVED: "resolved", CaseState.SPAM: "spam"}.get(
        case.state, "all"
    )
    chosen = place(case.queue, show) if case.queue else place(None, "all")
    return RedirectResponse(chosen.case_url(case.number), 302, {"Cache-Control": "no-store"})


async def _with_frame(
    console: Console, principal: Principal, view: CaseView, entry: str, *, images: bool
) -> CaseView:
    """The view with one mail shown as it was sent, in a frame of the files origin."""
    try:
        id = UUID(entry)
    except ValueError:
        return view
    found = await shown_entry(console.context.engine, id)
    if found is None or not view.case.holds(found) or not found.html:
        return view
    blocked = "blocked" if not images and has_remote_pictures(found.html) else ""
    return replace(view, frame=(id, console.frames.url(id, pictures=images)), frame_images=blocked)


async def _with_file(
    console: Console, principal: Principal, view: CaseView, entry: str, sha256: str
) -> CaseView:
    """The view with one file of a message shown in a frame of the files origin. That it is looked at is recorded."""
    try:
        found = await entry_of(console.context, principal, str(view.case.id), UUID(entry))
        attachment = attachment_of(found, sha256)
    except (ValueError, Unknown):
        return view
    if kind_of(attachment) not in ("text", "pdf"):
        return view
    await read_by(console.context, actor_of(principal), found, "attachment-viewed", sha256)
    url = Previews(console.context).sign(found.id, sha256).url
    return replace(view, shown_file=(found.id, sha256, attachment.name, url))


def undo_of(view: CaseView, done: str, fields: Mapping[str, str] | None = None, action: str = "") -> object:
    if done in HELD and view.case.pending:
        last = view.case.pending[-1].message
        return {"url": view.act("cancel"), "fields": {"message": str(last.message)}}
    action = action or DONE_UNDO.get(done, "")
    return {"url": view.act(action), "fields": dict(fields or {})} if action else None


def _done(request: Request) -> str:
    done = request.query_params.get("done", "")
    return done if f"done.{done}" in catalogue() else ""
