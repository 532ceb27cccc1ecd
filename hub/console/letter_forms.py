"""Messages with a page of their own: its form as it is shown, shown again, previewed and sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.asking import LONGEST_REQUEST
from hub.console.attaching import chips
from hub.console.case_view import FileChip
from hub.console.composing import LONGEST_HTML, WritingView, typed
from hub.console.console import Console
from hub.console.previewing import preview_of, preview_page
from hub.console.times import time_of
from hub.outgoing import Uploaded
from schemas.commands import Command
from schemas.errors import HubbubError, Stale
from schemas.ids import command_id

UNPROCESSABLE, CONFLICT = 422, 409


@dataclass(frozen=True, slots=True)
class LetterForm:
    """`fields` has what was filled in; `url` is where the form goes, `files_url` where its files do."""

    title: str
    url: str
    back: str
    files_url: str
    place: UUID
    nonce: str
    writing: WritingView
    fields: dict[str, str]
    text: str = ""
    draft_url: str = ""
    draft_at: int = 0
    senders: Sequence[tuple[str, str]] = ()
    queues: Sequence[tuple[str, str]] = ()
    chips: Sequence[FileChip] = ()
    attached: Sequence[tuple[str, str, bool]] = ()
    """SHA-256, name and whether it goes along, of each file of a message that is handed on."""
    quoted: str = ""
    problem: str = ""

    def value(self, name: str) -> str:
        return self.fields.get(name, "")


async def show(console: Console, request: Request, made: LetterForm, status: int = 200) -> Response:
    here = "new" if made.senders else ""
    return await console.page(request, "writing.html", here, made.title, {"letter": made}, status)


async def again(
    console: Console, request: Request, made: LetterForm, kept: Sequence[Uploaded], refusal: HubbubError
) -> Response:
    """The form as it was sent, with what is wrong with it."""
    form, words = await request.form(), console.words(request)
    made = replace(
        made,
        text=typed(form, "text", LONGEST_HTML),
        writing=replace(
            made.writing,
            html=typed(form, "html", LONGEST_HTML),
            cc=typed(form, "cc"),
            bcc=typed(form, "bcc"),
            opens_copies=True,
        ),
        chips=chips(kept, words),
        problem=console.words(request).t.to_change(refusal),
    )
    return await show(console, request, made, CONFLICT if isinstance(refusal, Stale) else UNPROCESSABLE)


async def previewed(console: Console, request: Request, command: Command, back: str) -> Response:
    message = await console.context.service.preview(console.principal(request), command)
    made = preview_of(console.context.correspondence.preview(message), message, console.words(request))
    return await preview_page(console, request, made, "", back)


def send_at(console: Console, request: Request, form: FormData) -> datetime | None:
    """When it leaves: as chosen, else after the time in which it can be taken back."""
    words, chosen = console.words(request), typed(form, "later")
    if chosen:
        return time_of(chosen, typed(form, "at"), words)
    seconds = console.context.facts.undo_seconds
    return words.now + timedelta(seconds=seconds) if seconds else None


def request_of(user: str, form: FormData, action: str) -> UUID:
    """A form that is sent twice is one request; what it says is part of it."""
    said_in_it = "\x1f".join(
        f"{name}={value}" for name, value in sorted(form.multi_items()) if isinstance(value, str)
    )
    nonce = typed(form, "request")[:LONGEST_REQUEST]
    return command_id(user, f"console\x1f{nonce}\x1f{action}\x1f{said_in_it}")
