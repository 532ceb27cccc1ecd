"""What a form asks of one case: read, made a request of its own, and what is shown when it was done, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console
from hub.console.desk import Desk
from hub.console.reading import case_page, place_of, undo_of
from hub.console.rendering import is_partial
from hub.console.times import time_of
from hub.console.words import Words
from hub.outgoing import Uploaded
from hub.service import actor_of
from schemas.cases import CaseState
from schemas.commands import Command
from schemas.documents import Case
from schemas.errors import Forbidden, HubbubError, Invalid, Stale, Unknown
from schemas.events import Actor
from schemas.ids import command_id

LONGEST_REQUEST = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """One action on one case, as its form says it."""

    case: Case
    form: FormData
    actor: Actor
    words: Words
    desk: Desk
    kept: tuple[Uploaded, ...] = ()
    """Files that go with an answer."""

    def text(self, name: str) -> str:
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def id(self, name: str) -> UUID:
        try:
            return UUID(self.text(name))
        except ValueError:
            raise Invalid("this is not one of this case's messages") from None

    def time(self, name: str) -> datetime:
        """What a choice means to who asks; `at` means the time that was typed."""
        return time_of(self.text(name), self.text("at"), self.words)


async def asked_of(console: Console, request: Request) -> Asked:
    desk = console.desk(request)
    case = await console.context.service.case(desk.principal, request.path_params["number"])
    form = await request.form()
    return Asked(case, form, actor_of(desk.principal), desk.words, desk)


async def command_of(console: Console, asked: Asked, command: Command) -> Case:
    return await console.context.service.command(asked.desk.principal, command, request_id(asked, command))


def request_id(asked: Asked, command: Command) -> UUID:
    """Times that were made of a choice count as that choice: made again a moment later they are others."""
    said = command.model_dump_json(exclude={"actor", "expected_sequence", "send_at", "until"})
    chosen = "\x1f".join(asked.text(name) for name in ("choice", "later", "at"))
    return request_key(asked, command.type, f"{said}\x1f{chosen}")


def request_key(asked: Asked, action: str, said: str) -> UUID:
    """A form that is sent twice is one request; what it says is part of it, so that another choice is another one."""
    nonce = asked.text("request")[:LONGEST_REQUEST] or str(asked.case.revision)
    return command_id(asked.actor.id, f"console\x1f{nonce}\x1f{action}\x1f{said}")


async def done(
    console: Console,
    request: Request,
    asked: Asked,
    done: str,
    back: str = "",
    fields: Mapping[str, str] | None = None,
) -> Response:
    """The case as it is now, with the word for what was done, and the action that takes it back."""
    chosen = place_of(request)
    if not is_partial(request):
        return console.pages.see(chosen.case_url(asked.case.number, done=done))
    view = await asked.desk.case(asked.case.number, chosen)
    undo = undo_of(view, "", fields, back)
    return await case_page(console, request, asked.desk, view, more={"done": done, "undo": undo})


async def refused(
    console: Console,
    request: Request,
    desk: Desk,
    asked: Asked,
    refusal: HubbubError,
    **changes: object,
) -> Response:
    view = await desk.case(asked.case.number, place_of(request))
    view = replace(view, **{"problem": await refusal_words(console, desk, view.case, refusal), **changes})  # type: ignore[arg-type]
    status = {Stale: 409, Forbidden: 403}.get(type(refusal), 422)
    return await case_page(console, request, desk, view, status)


async def refusal_words(console: Console, desk: Desk, case: Case, refusal: HubbubError) -> str:
    """Who was first and when, where that is why; else the reason."""
    words = desk.words
    if (
        isinstance(refusal, Stale)
        and case.assignee
        and case.assigned_at
        and case.assignee != desk.principal.id
    ):
        name = await agent_name(console, case.assignee)
        return words.t("case.taken", name=name, ago=words.ago(case.assigned_at).words)
    if isinstance(refusal, Stale) and case.state is CaseState.MERGED:
        return words.t("case.moved-on")
    return words.t("case.refused", reason=words.t.why(refusal))


async def agent_name(console: Console, user: str) -> str:
    try:
        found = await console.context.accounts.users.get(user)
    except Unknown:
        return user
    return found.title or found.name
