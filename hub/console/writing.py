"""Answers and notes. An answer that somebody else sent while this one was written is shown before this one goes out."""

from dataclasses import replace
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.canned import canned_answers
from hub.composing import reply_of
from hub.console.asking import Asked, agent_name, asked_of, refusal_words, request_id
from hub.console.attaching import chips, kept_files
from hub.console.case_view import CaseView
from hub.console.composing import LONGEST_HTML, kept_fields, letter_of, typed
from hub.console.console import Console
from hub.console.previewing import preview_of, preview_page
from hub.console.reading import case_page, place_of, undo_of
from hub.console.rendering import is_partial
from hub.correspondence import text_of
from hub.outgoing import Uploaded
from hub.service import actor_of
from processors.formatted import as_html, formatted
from schemas.commands import Command, NoteCase, ReplyToCase
from schemas.documents import Case, Entry, EntryKind
from schemas.errors import Forbidden, Invalid, Stale, Unknown

LONGEST_TEXT = 200_000
LONGEST_PASTE = 1_000_000
"""What is copied out of other programs comes with much beside its words."""
LOOKED_AT = 20
ATTEMPTS = 3


async def canned(console: Console, request: Request) -> Response:
    """One template, filled for the case, as the plain text that goes into the composer."""
    principal = console.principal(request)
    case = await console.context.service.case(principal, request.path_params["number"])
    wanted = request.path_params["name"]
    for each in await canned_answers(console.context.service, principal, case):
        if each.name == wanted:
            return PlainTextResponse(each.text or each.problem, headers={"Cache-Control": "no-store"})
    raise Unknown("there is no such template")


async def keep_draft(console: Console, request: Request) -> Response:
    """What is being written, so that it is there on another device too."""
    asked = await asked_of(console, request)
    mode = "note" if asked.text("mode") == "note" else "reply"
    await console.context.drafts.keep(
        asked.desk.principal.id,
        asked.case.id,
        _written(asked),
        mode,
        typed(asked.form, "html", LONGEST_HTML),
        kept_fields(asked.form),
    )
    return Response(status_code=204)


async def upload(console: Console, request: Request) -> Response:
    """Keeps files that were chosen, dropped or pasted; answers with what stands for them in the form."""
    asked = await asked_of(console, request)
    kept, problem = [], ""
    try:
        kept = await _kept(console, asked)
    except Invalid as refusal:
        problem = asked.words.t.said(refusal.sentence)
    offered = console.context.service.offered(asked.case)
    values = {"files": chips(kept, asked.words, offered.files), "problem": problem}
    return console.pages.render(request, "fragments/files.html", values, 422 if problem else 200)


async def _kept(console: Console, asked: Asked) -> list[Uploaded]:
    return await kept_files(console, asked.form, asked.desk.principal.id, asked.case.id)


async def clean(_console: Console, request: Request) -> Response:
    """HTML that was pasted, as it would be sent: for the editor, which parses nothing foreign itself."""
    form = await request.form()
    fragment = as_html(formatted(typed(form, "html", LONGEST_PASTE)))
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return Response(fragment, 200, headers, "text/html; charset=utf-8")


async def preview(console: Console, request: Request) -> Response:
    """The answer as it would leave now. Nothing is sent; what is wrong with it is said."""
    asked = await asked_of(console, request)
    problem, made = "", None
    try:
        asked = replace(asked, kept=tuple(await _kept(console, asked)))
        command = await command_of_form(console, asked, asked.case, "reply", _written(asked), None)
        message = await console.context.service.preview(asked.desk.principal, command)
        made = preview_of(console.context.correspondence.preview(message), message, asked.words)
    except (Stale, Invalid, Forbidden) as refusal:
        problem = await refusal_words(console, asked.desk, asked.case, refusal)
    return await preview_page(console, request, made, problem, place_of(request).case_url(asked.case.number))


async def write(console: Console, request: Request) -> Response:
    """Send or note. Whatever goes wrong, the text comes back in the page."""
    desk = console.desk(request)
    case = await console.context.service.case(desk.principal, request.path_params["number"])
    asked = Asked(case, await request.form(), actor_of(desk.principal), desk.words, desk)
    mode = "note" if asked.text("mode") == "note" else "reply"
    text = _written(asked)
    t = desk.words.t
    try:
        kept = await _kept(console, asked) if mode == "reply" else []
    except Invalid as refusal:
        return await _again(console, request, asked, mode, text, composer_problem=t.said(refusal.sentence))
    asked = replace(asked, kept=tuple(kept))
    if mode == "reply" and typed(asked.form, "html", LONGEST_HTML):
        text = text_of(typed(asked.form, "html", LONGEST_HTML)) or text
    if not text.strip():
        return await _again(console, request, asked, mode, text, composer_problem=t("composer.empty"))
    if len(text) > LONGEST_TEXT:
        problem = t("composer.too-long", n=LONGEST_TEXT)
        return await _again(console, request, asked, mode, text, composer_problem=problem)
    try:
        meanwhile = await _send(console, asked, mode, text)
    except (Stale, Invalid, Forbidden) as refusal:
        problem = await refusal_words(console, desk, case, refusal)
        return await _again(console, request, asked, mode, text, composer_problem=problem)
    if meanwhile is not None:
        name = meanwhile.actor.name or await agent_name(console, meanwhile.actor.id)
        said = t("composer.collision", name=name, ago=desk.words.ago(meanwhile.received_at).words)
        return await _again(console, request, asked, mode, text, collision=said)
    await console.context.drafts.forget(desk.principal.id, case.id)
    return await _sent(console, request, asked, mode)


def _written(asked: Asked) -> str:
    value = asked.form.get("text", "")
    return value.replace("\r\n", "\n").replace("\x00", "") if isinstance(value, str) else ""


async def _send(console: Console, asked: Asked, mode: str, text: str) -> Entry | None:
    """Sends, unless a colleague answered since this agent looked: that answer, then, and nothing was sent."""
    case = asked.case
    send_at = _send_at(console, asked)
    for _ in range(ATTEMPTS):
        command = await command_of_form(console, asked, case, mode, text, send_at)
        if isinstance(command, ReplyToCase):
            meanwhile = await _answered_since(console, asked, case)
            if meanwhile is not None:
                return meanwhile
        try:
            await console.context.service.command(asked.desk.principal, command, request_id(asked, command))
        except Stale:
            after = await console.context.service.case(asked.desk.principal, case.id)
            if after.revision == case.revision:
                raise
            case = after  # something happened between the look and the sending: look again
            continue
        return None
    raise Stale("the case is changing right now; try again")


def _send_at(console: Console, asked: Asked) -> datetime | None:
    """When the answer leaves: as chosen, else after the time in which it can be taken back."""
    if asked.text("later"):
        return asked.time("later")
    seconds = console.context.facts.undo_seconds
    return asked.words.now + timedelta(seconds=seconds) if seconds else None


async def command_of_form(
    console: Console, asked: Asked, case: Case, mode: str, text: str, send_at: datetime | None
) -> Command:
    """What the composer asks for. Raises Invalid for what cannot be meant."""
    if mode == "note":
        return NoteCase(case=case.id, actor=asked.actor, text=text)
    attachments = tuple([each.attachment for each in asked.kept])
    return await reply_of(
        console.context.correspondence,
        case,
        asked.actor,
        letter_of(asked.form, text, attachments, send_at),
        resolve=asked.text("then") == "resolve",
        expected=case.revision,
    )


async def _answered_since(console: Console, asked: Asked, case: Case) -> Entry | None:
    try:
        seen = int(asked.text("seen") or case.revision)
    except ValueError:
        seen = case.revision
    if seen >= case.revision:
        return None
    service = console.context.service
    page = await service.timeline(asked.desk.principal, case, LOOKED_AT, kinds=(EntryKind.REPLY,))
    return next(
        (
            each
            for each in page.items
            if each.sequence > seen
            and each.case == case.id
            and each.actor.id != asked.actor.id
            and "auto" not in each.flags
        ),
        None,
    )


async def _again(
    console: Console,
    request: Request,
    asked: Asked,
    mode: str,
    text: str,
    collision: str = "",
    composer_problem: str = "",
) -> Response:
    view: CaseView = await asked.desk.case(asked.case.number, place_of(request))
    files = chips(asked.kept, asked.words, console.context.service.offered(asked.case).files)
    view = replace(
        view,
        draft=text,
        mode=mode,
        collision=collision,
        composer_problem=composer_problem,
        files=files,
        writing=replace(
            view.writing,
            html=typed(asked.form, "html", LONGEST_HTML),
            cc=typed(asked.form, "cc"),
            bcc=typed(asked.form, "bcc"),
            opens_copies=bool(asked.text("cc") or asked.text("bcc")),
            quoting=bool(asked.text("quote")),
        ),
    )
    return await case_page(console, request, asked.desk, view, 409 if collision else 422)


def _sent_word(asked: Asked, resolved: bool) -> str:
    return "scheduled" if asked.text("later") else "replied-resolved" if resolved else "replied"


async def _sent(console: Console, request: Request, asked: Asked, mode: str) -> Response:
    resolved = mode == "reply" and asked.text("then") == "resolve"
    done = "noted" if mode == "note" else _sent_word(asked, resolved)
    chosen = place_of(request)
    if not is_partial(request):
        return console.pages.see(chosen.case_url(asked.case.number, done=done))
    view = await asked.desk.case(asked.case.number, chosen)
    if mode == "note":  # who writes on is still among colleagues, until they choose to write to the customer
        view = replace(view, mode=mode)
    response = await case_page(
        console, request, asked.desk, view, more={"done": done, "undo": undo_of(view, done)}
    )
    response.headers["HX-Trigger"] = "hubbub:written"
    if resolved:
        response.headers["HX-Trigger-After-Settle"] = "hubbub:resolved"
    return response
