"""Requests to a case: by an agent (refused with the reason when they cannot be done) or over the log (then ignored)."""

from collections.abc import Callable
from typing import Any

from processors.cases import (
    following,
    handling,
    merging,
    own_changes,
    privately,
    replying,
    splitting,
    starting,
)
from processors.cases.work import Work
from schemas.cases import CaseState
from schemas.commands import (
    AnswerFromTemplate,
    AnswerPrivately,
    AssignCase,
    CancelReply,
    ClaimCase,
    ClearSpam,
    Command,
    DeleteReply,
    EditReply,
    ForwardMessage,
    HideMessage,
    MarkSpam,
    MergeCase,
    NoteCase,
    NotifyOutside,
    PrioritizeCase,
    ReopenCase,
    ReplyToCase,
    ResolveCase,
    ScheduleAutomation,
    SettleDelivery,
    SnoozeCase,
    SplitCase,
    StartCase,
    TagCase,
    TimerDue,
    TransferCase,
    WakeCase,
)
from schemas.documents import Case
from schemas.errors import NotYet, Stale
from schemas.sentences import said


def request(work: Work, command: Command) -> None:
    """Decide a command. Raises Nothing when there is nothing to do, Refused when it cannot be done, NotYet without a case."""
    if isinstance(command, StartCase):
        starting.start(work, command)
        return
    case = work.get(Case, command.case)
    if case is None:
        raise NotYet(f"case {command.case} is not there yet")
    if case.state is CaseState.MERGED:
        target = work.case(case.id)
        raise Stale(
            said(
                "case {number} was merged into {other}",
                number=case.number,
                other=target.number if target else case.merged_into,
            )
        )
    if command.expected_sequence is not None and command.expected_sequence != case.revision:
        raise Stale(
            said("case {number} changed meanwhile", number=case.number),
            {"sequence": case.revision, "updated_at": case.updated_at.isoformat()},
        )
    REQUESTS[type(command)](work, case, command)


REQUESTS: dict[type[Command], Callable[[Work, Case, Any], None]] = {
    ReplyToCase: replying.reply,
    ForwardMessage: starting.forward,
    SplitCase: splitting.split,
    AnswerFromTemplate: replying.answer_from_template,
    CancelReply: replying.cancel,
    EditReply: own_changes.edit,
    DeleteReply: own_changes.delete,
    HideMessage: own_changes.hide,
    AnswerPrivately: privately.answer_privately,
    NoteCase: handling.note,
    ClaimCase: handling.claim,
    AssignCase: handling.assign,
    SnoozeCase: handling.snooze,
    WakeCase: handling.wake,
    ResolveCase: handling.resolve,
    ReopenCase: handling.reopen,
    TagCase: handling.tag,
    PrioritizeCase: handling.prioritize,
    TransferCase: handling.transfer,
    MergeCase: merging.merge,
    MarkSpam: merging.mark_spam,
    ClearSpam: merging.clear_spam,
    SettleDelivery: replying.settle,
    ScheduleAutomation: following.schedule,
    NotifyOutside: following.notify,
    TimerDue: following.timer,
}
