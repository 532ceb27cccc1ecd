"""A message of a case that is handed on to somebody outside: its page, its preview, and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.composing import forward_of
from hub.console.attaching import kept_files
from hub.console.composing import LONGEST_HTML, WritingView, kept_fields, letter_of, typed
from hub.console.console import Console, go
from hub.console.letter_forms import LetterForm, again, previewed, request_of, send_at, show
from hub.console.previewing import preview_page
from hub.console.reading import place_of
from hub.correspondence import shown
from hub.outgoing import Uploaded
from hub.service import actor_of
from schemas.commands import ForwardMessage
from schemas.documents import Case, Entry
from schemas.errors import Forbidden, Invalid, Stale, Unknown


async def forward_page(console: Console, request: Request) -> Response:
    case, entry = await _message(console, request)
    subject = f"Fwd: {entry.subject or case.subject}".strip()
    made = await _forward_form(console, request, case, entry, {"subject": subject}, None)
    return await show(console, request, made)


async def forward(console: Console, request: Request) -> Response:
    form, principal = await request.form(), console.principal(request)
    case, entry = await _message(console, request)
    chosen = place_of(request)
    kept: list[Uploaded] = []
    try:
        kept = await kept_files(console, form, principal.id, case.id)
        command = await _forward_of(
            console, request, form, case, entry, kept, send_at(console, request, form)
        )
        await console.context.service.command(principal, command, request_of(principal.id, form, "forward"))
    except (Stale, Invalid, Forbidden) as refusal:
        made = await _forward_form(console, request, case, entry, kept_fields(form), _chosen(form))
        return await again(console, request, made, kept, refusal)
    return go(console, request, chosen.case_url(case.number, done="forwarded"))


async def preview_forward(console: Console, request: Request) -> Response:
    form, principal = await request.form(), console.principal(request)
    case, entry = await _message(console, request)
    back = _forward_url(request, case, entry)
    try:
        kept = await kept_files(console, form, principal.id, case.id)
        command = await _forward_of(console, request, form, case, entry, kept, None)
        return await previewed(console, request, command, back)
    except (Stale, Invalid, Forbidden) as refusal:
        return await preview_page(console, request, None, console.words(request).t.to_change(refusal), back)


async def _message(console: Console, request: Request) -> tuple[Case, Entry]:
    case = await console.context.service.case(console.principal(request), request.path_params["number"])
    try:
        id = UUID(request.path_params["entry"])
    except ValueError:
        raise Unknown("there is no such message in this case") from None
    return case, await console.context.correspondence.message(case, id)


async def _forward_form(
    console: Console,
    request: Request,
    case: Case,
    entry: Entry,
    fields: dict[str, str],
    chosen: Sequence[str] | None,
) -> LetterForm:
    """`chosen`: the files that go along; None: all of them."""
    words, chosen_place = console.words(request), place_of(request)
    writing = console.context.correspondence
    known = writing.proposed(case, [entry])
    quoted = await writing.quoted(case, entry.id, whole=True)
    files = [(each.blob.sha256, each.name) for each in entry.attachments if each.blob is not None]
    return LetterForm(
        title=words.t(
            "writing.forward-of", subject=entry.subject or case.subject or words.t("list.no-subject")
        ),
        url=_forward_url(request, case, entry),
        back=chosen_place.case_url(case.number),
        files_url=f"{chosen_place.path}/{case.number}/files",
        place=entry.id,
        nonce=token_hex(8),
        writing=WritingView(
            formats=True,
            copies=True,
            cc=fields.get("cc", ""),
            bcc=fields.get("bcc", ""),
            known=[shown(each) for each in known.known],
        ),
        fields=fields,
        attached=[(sha, name, chosen is None or sha in chosen) for sha, name in files],
        quoted=f"{quoted.said}\n{quoted.text}",
    )


async def _forward_of(
    console: Console,
    request: Request,
    form: FormData,
    case: Case,
    entry: Entry,
    kept: Sequence[Uploaded],
    later: datetime | None,
) -> ForwardMessage:
    attachments = tuple([each.attachment for each in kept])
    return await forward_of(
        console.context.correspondence,
        case,
        actor_of(console.principal(request)),
        letter_of(form, typed(form, "text", LONGEST_HTML), attachments, later),
        entry=entry.id,
        to=typed(form, "to"),
        subject=typed(form, "subject"),
        files=_chosen(form),
    )


def _chosen(form: FormData) -> list[str]:
    return [each for each in form.getlist("attached") if isinstance(each, str)]


def _forward_url(request: Request, case: Case, entry: Entry) -> str:
    chosen = place_of(request)
    return f"{chosen.path}/{case.number}/forward/{entry.id}{chosen.query()}"
