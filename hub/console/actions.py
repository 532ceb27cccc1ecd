"""What an agent can do to a case: the command of each action, and what takes it back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.console.asking import Asked
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
from schemas.errors import Invalid
from schemas.outbound import DeliveryState

LONGEST_TAG = 60
SETTLED = {"sent": DeliveryState.SENT, "failed": DeliveryState.FAILED}


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
    return SnoozeCase(case=asked.case.id, actor=asked.actor, until=asked.time("choice"))


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
    "assign": Action("assigned", _assign, "assign", lambda case: {"assignee": case.assignee or ""}),
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
