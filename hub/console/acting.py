"""Acting on a case. Each action is a form that works without scripts: it acts, then shows the case."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hub.console.actions import ACTIONS, Action
from hub.console.asking import Asked, asked_of, command_of, refused
from hub.console.attaching import chips
from hub.console.case_view import CaseView
from hub.console.composing import written_again, written_text
from hub.console.console import Console, go
from hub.console.reading import case_page, place_of, undo_of
from hub.console.rendering import is_partial
from schemas.commands import MergeCase
from schemas.errors import Forbidden, Invalid, Stale, Unknown


async def act(console: Console, request: Request) -> Response:
    """One of ACTIONS. A refusal shows the case as it is now, with the reason in words."""
    desk = console.desk(request)
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        raise Unknown("there is no such action")
    asked = await asked_of(console, request)
    try:
        await command_of(console, asked, action.command(asked))
    except (Stale, Invalid, Forbidden) as refusal:
        return await refused(console, request, desk, asked, refusal, **_written_again(request, asked))
    return await _done(console, request, asked, action)


def _written_again(request: Request, asked: Asked) -> dict[str, str]:
    """What was written into a form of its own comes back with the reason."""
    if request.path_params["action"] != "answer-privately":
        return {}
    return {"private_text": asked.text("text"), "public_text": asked.text("public_text")}


async def merge(console: Console, request: Request) -> Response:
    desk = console.desk(request)
    asked = await asked_of(console, request)
    try:
        into = await console.context.service.case(desk.principal, asked.text("into"))
        await command_of(console, asked, MergeCase(case=asked.case.id, actor=asked.actor, into=into.id))
    except (Stale, Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, desk, asked, refusal)
    return go(console, request, place_of(request).case_url(into.number, done="merged"))


async def _done(console: Console, request: Request, asked: Asked, action: Action) -> Response:
    chosen = place_of(request)
    try:
        view = await asked.desk.case(asked.case.number, chosen)
    except Unknown:  # it was moved to where this agent does not read
        return go(console, request, f"{chosen.path}{chosen.query(done=action.done)}")
    if not is_partial(request):
        return console.pages.see(chosen.case_url(asked.case.number, done=action.done))
    if action.done == "cancelled":
        view = _written_on(console, asked, view)
    undo = undo_of(view, "", action.undo_fields(asked.case) if action.undo_fields else {}, action.undo)
    response = await case_page(console, request, asked.desk, view, more={"done": action.done, "undo": undo})
    response.headers["HX-Trigger-After-Settle"] = f"hubbub:{action.done}"
    if asked.case.number not in request.headers.get(
        "hx-current-url", ""
    ):  # taken back after the next one opened
        response.headers["HX-Push-Url"] = chosen.case_url(asked.case.number)
    return response


def _written_on(console: Console, asked: Asked, view: CaseView) -> CaseView:
    """The answer that does not leave is back in the composer; its signature is put under it again when it does."""
    for each in asked.case.pending:
        if str(each.message.message) == asked.text("message"):
            if each.message.forwarded is not None:
                return view
            outgoing, user = console.context.outgoing, asked.desk.principal.id
            kept = [outgoing.offer(user, asked.case.id, file) for file in each.message.attachments]
            writing = written_again(view.writing, each.message)
            files = chips(kept, asked.words, console.context.service.offered(asked.case).files)
            return replace(view, draft=written_text(each.message), files=files, writing=writing)
    return view
