"""The first message of a conversation: its page, its preview, its draft, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from secrets import token_hex

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.composing import new_place, start_of
from hub.console.attaching import chips, kept_files
from hub.console.composing import LONGEST_HTML, WritingView, kept_fields, letter_of, typed
from hub.console.console import Console, go
from hub.console.letter_forms import LetterForm, again, previewed, request_of, send_at, show
from hub.console.places import ROOT, place
from hub.console.previewing import preview_page
from hub.outgoing import Uploaded
from hub.service import actor_of
from schemas.commands import StartCase
from schemas.errors import Forbidden, Invalid, Stale, Unknown

NEW = f"{ROOT}/new"
UNPROCESSABLE = 422


async def new(console: Console, request: Request) -> Response:
    """The form, with what the address says of it: to whom, in which queue."""
    principal = console.principal(request)
    draft = await console.context.drafts.read(principal.id, new_place(principal.id))
    query = {name: request.query_params.get(name, "")[:500] for name in ("to", "queue", "sender", "subject")}
    fields = {**(draft.fields if draft else {}), **{name: value for name, value in query.items() if value}}
    draft_at = int(draft.kept_at.timestamp() * 1000) if draft else 0
    made = _new_form(console, request, fields, draft.text if draft else "", draft.html if draft else "")
    return await show(console, request, replace(made, draft_at=draft_at))


def _new_form(
    console: Console, request: Request, fields: dict[str, str], text: str = "", html: str = ""
) -> LetterForm:
    words, principal = console.words(request), console.principal(request)
    identities = console.context.correspondence.identities()
    sender = next(
        (each for each in identities if each.key == fields.get("sender")), next(iter(identities), None)
    )
    offered = console.context.service.capabilities.get(sender.key) if sender else None
    visible = principal.queues()
    queues = console.context.service.company.current.configuration.queues
    return LetterForm(
        title=words.t("writing.new"),
        url=NEW,
        back=ROOT,
        files_url=f"{NEW}/files",
        place=new_place(principal.id),
        nonce=token_hex(8),
        writing=WritingView(
            formats=offered is not None and (offered.html or offered.markdown),
            copies=offered is not None and offered.copies,
            html=html,
            cc=fields.get("cc", ""),
            bcc=fields.get("bcc", ""),
            opens_copies=bool(fields.get("cc") or fields.get("bcc")),
        ),
        fields={**fields, "sender": sender.key if sender else ""},
        text=text,
        draft_url=f"{NEW}/draft",
        senders=[(each.key, each.shown) for each in identities],
        queues=[(each.name, each.title) for each in queues if visible is None or each.name in visible],
        problem="" if identities else words.t("writing.nobody-to-be"),
    )


async def start(console: Console, request: Request) -> Response:
    form = await request.form()
    principal = console.principal(request)
    kept: list[Uploaded] = []
    try:
        kept = await kept_files(console, form, principal.id, new_place(principal.id))
        command = _start_of(console, request, form, kept, send_at(console, request, form))
        case = await console.context.service.start(
            principal, command, request_of(principal.id, form, "start")
        )
    except (Stale, Invalid, Forbidden, Unknown) as refusal:
        made = _new_form(console, request, kept_fields(form))
        return await again(console, request, made, kept, refusal)
    await console.context.drafts.forget(principal.id, new_place(principal.id))
    return go(console, request, place(case.queue).case_url(case.number, done="started"))


async def preview_new(console: Console, request: Request) -> Response:
    form = await request.form()
    principal = console.principal(request)
    try:
        kept = await kept_files(console, form, principal.id, new_place(principal.id))
        command = _start_of(console, request, form, kept, None)
        return await previewed(console, request, command, NEW)
    except (Stale, Invalid, Forbidden, Unknown) as refusal:
        return await preview_page(console, request, None, console.words(request).t.to_change(refusal), NEW)


def _start_of(
    console: Console, request: Request, form: FormData, kept: Sequence[Uploaded], later: datetime | None
) -> StartCase:
    principal, writing = console.principal(request), console.context.correspondence
    attachments = tuple([each.attachment for each in kept])
    return start_of(
        writing,
        request_of(principal.id, form, "start"),
        actor_of(principal),
        letter_of(form, typed(form, "text", LONGEST_HTML), attachments, later),
        sender=writing.identity(typed(form, "sender")),
        queue=typed(form, "queue"),
        to=typed(form, "to"),
        subject=typed(form, "subject"),
    )


async def keep_new_draft(console: Console, request: Request) -> Response:
    form = await request.form()
    user = console.principal(request).id
    await console.context.drafts.keep(
        user,
        new_place(user),
        typed(form, "text", LONGEST_HTML),
        "reply",
        typed(form, "html", LONGEST_HTML),
        kept_fields(form),
    )
    return Response(status_code=204)


async def upload_new(console: Console, request: Request) -> Response:
    form, user, words = await request.form(), console.principal(request).id, console.words(request)
    kept: list[Uploaded] = []
    problem = ""
    try:
        kept = await kept_files(console, form, user, new_place(user))
    except Invalid as refusal:
        problem = words.t.said(refusal.sentence)
    values = {"files": chips(kept, words), "problem": problem}
    return console.pages.render(request, "fragments/files.html", values, UNPROCESSABLE if problem else 200)
