"""What an agent does to a case. Each action is a form that works without scripts: it acts, then shows the case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.composing import written_again, written_text
from hub.console.console import Console, go
from hub.console.desk import CaseView, Desk, FileChip
from hub.console.reading import case_page, place_of, undo_of
from hub.console.rendering import is_partial
from hub.console.words import Words
from hub.outgoing import Uploaded
from hub.service import actor_of
from schemas.cases import CaseState
from schemas.commands import (
    AnswerPrivately,
    AssignCase,
    CancelReply,
    ClaimCase,
    ClearSpam,
    Command,
    DeleteReply,
    EditReply,
    HideMessage,
    MarkSpam,
    MergeCase,
    PrioritizeCase,
    ReopenCase,
    ResolveCase,
    SettleDelivery,
    SnoozeCase,
    TagCase,
    TransferCase,
    WakeCase,
)
from schemas.configuration import Priority
from schemas.documents import Case
from schemas.errors import Forbidden, HubbubError, Invalid, Stale, Unknown
from schemas.events import Actor
from schemas.ids import command_id
from schemas.outbound import DeliveryState

MORNING = 9
LONGEST_TAG = 60
LONGEST_REQUEST = 60
LONGEST_WAIT = timedelta(days=366)
SETTLED = {"sent": DeliveryState.SENT, "failed": DeliveryState.FAILED}


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


@dataclass(frozen=True, slots=True)
class Action:
    """`command` makes the command; `undo` names the action that takes it back, with its fields."""

    done: str
    command: Callable[[Asked], Command]
    undo: str = ""
    undo_fields: Callable[[Case], Mapping[str, str]] | None = None

    @property
    def needs_fields_to_undo(self) -> bool:
        """Whether taking it back depends on what each case was before."""
        return self.undo_fields is not None


def _simple(kind: type[Command]) -> Callable[[Asked], Command]:
    return lambda asked: kind(case=asked.case.id, actor=asked.actor)


def _release(asked: Asked) -> Command:
    return AssignCase(case=asked.case.id, actor=asked.actor, assignee=None)


def _assign(asked: Asked) -> Command:
    return AssignCase(case=asked.case.id, actor=asked.actor, assignee=asked.text("assignee") or None)


def _snooze(asked: Asked) -> Command:
    return SnoozeCase(case=asked.case.id, actor=asked.actor, until=at_choice(asked, asked.text("choice")))


def _tag(asked: Asked) -> Command:
    add, remove = asked.text("add")[:LONGEST_TAG], asked.text("remove")
    if not add and not remove:
        raise Invalid("write a tag first")
    return TagCase(
        case=asked.case.id,
        actor=asked.actor,
        add=(add,) if add else (),
        remove=(remove,) if remove else (),
    )


def _prioritize(asked: Asked) -> Command:
    try:
        priority = Priority(asked.text("priority"))
    except ValueError:
        raise Invalid("there is no such priority") from None
    return PrioritizeCase(case=asked.case.id, actor=asked.actor, priority=priority)


def _move(asked: Asked) -> Command:
    return TransferCase(case=asked.case.id, actor=asked.actor, queue=asked.text("queue"))


def _settle(asked: Asked) -> Command:
    state = SETTLED.get(asked.text("state"))
    if state is None:
        raise Invalid("say whether it arrived or is to be sent again")
    return SettleDelivery(case=asked.case.id, actor=asked.actor, message=asked.id("message"), state=state)


def _cancel(asked: Asked) -> Command:
    return CancelReply(case=asked.case.id, actor=asked.actor, message=asked.id("message"))


def _edit_answer(asked: Asked) -> Command:
    text = asked.text("text")
    if not text:
        raise Invalid("write what the answer is to say")
    return EditReply(case=asked.case.id, actor=asked.actor, message=asked.id("message"), text=text)


def _delete_answer(asked: Asked) -> Command:
    return DeleteReply(case=asked.case.id, actor=asked.actor, message=asked.id("message"))


def _hide(asked: Asked) -> Command:
    external_id, hidden = asked.text("external_id"), asked.text("hidden") != "no"
    return HideMessage(case=asked.case.id, actor=asked.actor, external_id=external_id, hidden=hidden)


def _answer_privately(asked: Asked) -> Command:
    text = asked.text("text")
    if not text:
        raise Invalid("write what the answer is to say")
    return AnswerPrivately(
        case=asked.case.id, actor=asked.actor, text=text, public_text=asked.text("public_text")
    )


ACTIONS: dict[str, Action] = {
    "claim": Action("claimed", _simple(ClaimCase), "release"),
    "release": Action("released", _release, "claim"),
    "assign": Action("assigned", _assign),
    "resolve": Action("resolved", _simple(ResolveCase), "reopen"),
    "reopen": Action("reopened", _simple(ReopenCase), "resolve"),
    "snooze": Action("snoozed", _snooze, "wake"),
    "wake": Action("woken", _simple(WakeCase)),
    "tag": Action("tagged", _tag),
    "prioritize": Action(
        "prioritized", _prioritize, "prioritize", lambda case: {"priority": str(case.priority)}
    ),
    "move": Action("moved", _move, "move", lambda case: {"queue": case.queue}),
    "spam": Action("spam", _simple(MarkSpam), "not-spam"),
    "not-spam": Action("cleared", _simple(ClearSpam), "spam"),
    "settle": Action("settled", _settle),
    "cancel": Action("cancelled", _cancel),
    "edit-answer": Action("answer-changed", _edit_answer),
    "delete-answer": Action("answer-changed", _delete_answer),
    "answer-privately": Action("answered-privately", _answer_privately),
    "hide-message": Action("answer-changed", _hide),
}


def at_choice(asked: Asked, choice: str) -> datetime:
    """The time that a choice means to who asks; `at` means the one that was typed."""
    return time_of(choice, asked.text("at"), asked.words)


def time_of(choice: str, written: str, words: Words) -> datetime:
    if choice != "at":
        return snooze_until(choice, words.now, words.zone)
    try:
        typed = datetime.fromisoformat(written)
        at = typed.replace(tzinfo=words.zone).astimezone(words.now.tzinfo)
    except (ValueError, OverflowError):
        raise Invalid("write a day and a time") from None
    if not words.now < at < words.now + LONGEST_WAIT:
        raise Invalid("choose a time between now and a year from now")
    return at


def snooze_until(choice: str, now: datetime, zone: tzinfo) -> datetime:
    """The time that a choice means to the reader. Raises Invalid for what is no choice."""
    spans = {"hour": timedelta(hours=1), "three-hours": timedelta(hours=3)}
    if choice in spans:
        return now + spans[choice]
    local = now.astimezone(zone)
    days = {"tomorrow": 1, "monday": 7 - local.weekday(), "week": 7}.get(choice)
    if days is None:
        raise Invalid("choose when the case comes back")
    morning = (local + timedelta(days=days)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return morning.astimezone(now.tzinfo)


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
            files = [chip(file, asked.words) for file in kept]
            return replace(view, draft=written_text(each.message), files=files, writing=writing)
    return view


def chip(kept: Uploaded, words: Words) -> FileChip:
    return FileChip(kept.token, kept.attachment.name, words.size(kept.attachment.size))


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
