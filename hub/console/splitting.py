"""The page on which messages are chosen that go on in a case of their own."""

from dataclasses import dataclass
from secrets import token_hex
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.composing import typed
from hub.console.console import Console, go
from hub.console.conversation import Line, lines
from hub.console.faces import faces
from hub.console.letter_forms import request_of
from hub.console.places import place
from hub.console.reading import place_of
from hub.queries import PAGE_LIMIT
from hub.service import actor_of
from hub.splitting import split_of
from schemas.documents import Case, EntryKind
from schemas.errors import Forbidden, Invalid, Stale

KINDS = (EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.NOTE)


@dataclass(frozen=True, slots=True)
class SplitView:
    number: str
    url: str
    back: str
    nonce: str
    lines: list[Line]
    chosen: frozenset[str]
    queues: list[tuple[str, str]]
    queue: str
    subject: str
    problem: str = ""


async def split_page(console: Console, request: Request) -> Response:
    case = await console.context.service.case(console.principal(request), request.path_params["number"])
    chosen = frozenset(request.query_params.getlist("with")[:1])
    return await _show(console, request, case, chosen, case.queue, "", "")


async def split(console: Console, request: Request) -> Response:
    principal, form = console.principal(request), await request.form()
    case = await console.context.service.case(principal, request.path_params["number"])
    chosen = [each for each in form.getlist("entries") if isinstance(each, str)]
    queue, subject = typed(form, "queue"), typed(form, "subject")
    asked = request_of(principal.id, form, f"split {case.id}")
    try:
        command = await split_of(
            console.context.service,
            principal,
            case,
            actor_of(principal),
            asked,
            [_id(each) for each in chosen],
            queue=queue,
            subject=subject,
        )
        await console.context.service.command(principal, command, asked)
    except (Stale, Invalid, Forbidden) as refusal:
        return await _show(
            console,
            request,
            case,
            frozenset(chosen),
            queue,
            subject,
            console.words(request).t.to_change(refusal),
        )
    made = await console.context.service.case_after(command.into)
    if principal.role_in(made.queue) is None:  # it went to where this agent does not read
        return go(console, request, place_of(request).case_url(case.number, done="split"))
    return go(console, request, place(made.queue).case_url(made.number, done="split"))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("this is not one of this case's messages") from None


async def _show(
    console: Console,
    request: Request,
    case: Case,
    chosen: frozenset[str],
    queue: str,
    subject: str,
    problem: str,
) -> Response:
    desk, here = console.desk(request), place_of(request)
    page = await console.context.service.timeline(desk.principal, case, PAGE_LIMIT, kinds=KINDS)
    known = await faces(console.context.engine, desk.principal, [case])
    view = SplitView(
        number=case.number,
        url=f"{here.path}/{case.number}/split{here.query()}",
        back=here.case_url(case.number),
        nonce=token_hex(8),
        lines=lines(page.items, desk.telling(known, case), case.subject),
        chosen=chosen,
        queues=[
            (each.name, each.title) for each in console.context.service.company.current.configuration.queues
        ],
        queue=queue,
        subject=subject,
        problem=problem,
    )
    title, status = desk.words.t("writing.split"), 422 if problem else 200
    return await console.page(request, "split.html", "", title, {"split": view}, status)
