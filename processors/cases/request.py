"""Requests to a case: by an agent (refused with the reason when they cannot be done) or over the log (then ignored)."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from processors.cases import answers
from processors.cases.evolve import FIRST_RESPONSE, SNOOZE, automation_timer, send_timer
from processors.cases.receive import due_at
from processors.cases.work import MOST_MERGES, Work
from processors.identity import seen
from schemas.cases import (
    CaseAbsorbed,
    CaseAssigned,
    CaseClaimed,
    CaseDelivery,
    CaseMerged,
    CaseNoted,
    CaseNotified,
    CaseOverdue,
    CasePrioritized,
    CaseReopened,
    CaseReplied,
    CaseReplyCancelled,
    CaseResolved,
    CaseScheduled,
    CaseScheduleReached,
    CaseSendReleased,
    CaseSnoozed,
    CaseSpamCleared,
    CaseSpamMarked,
    CaseState,
    CaseTagged,
    CaseTransferred,
    CaseWoken,
)
from schemas.commands import (
    AnswerFromTemplate,
    AssignCase,
    CancelReply,
    ClaimCase,
    ClearSpam,
    Command,
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
    TagCase,
    TimerDue,
    TransferCase,
    WakeCase,
)
from schemas.documents import Case, Delivery, Handle
from schemas.errors import Invalid, NotYet, Refused, Stale, Unknown
from schemas.events import SYSTEM
from schemas.identity import HandleSeen
from schemas.notices import CaseNotice, NoticedCase
from schemas.outbound import DeliverySettled, DeliveryState, OutboundMessage

MOST_PENDING = 20
MOST_TAGS = 50
AGENT = "agent"


class Nothing(Exception):
    """The request asks for what is so already, or no longer makes sense. Recorded as ignored, with the reason."""


def request(work: Work, command: Command) -> None:
    """Decide a command. Raises Nothing when there is nothing to do, Refused when it cannot be done, NotYet without a case."""
    case = work.get(Case, command.case)
    if case is None:
        raise NotYet(f"case {command.case} is not there yet")
    if case.state is CaseState.MERGED:
        target = work.case(case.id)
        raise Stale(f"case {case.number} was merged into {target.number if target else case.merged_into}")
    if command.expected_sequence is not None and command.expected_sequence != case.revision:
        raise Stale(
            f"case {case.number} changed meanwhile",
            {"sequence": case.revision, "updated_at": case.updated_at.isoformat()},
        )
    REQUESTS[type(command)](work, case, command)


def _reply(work: Work, case: Case, command: ReplyToCase) -> None:
    if case.state is CaseState.SPAM:
        raise Invalid(f"case {case.number} is marked as spam", {"case": "clear the mark before you answer"})
    if command.send_at is not None and len(case.pending) >= MOST_PENDING:
        raise Invalid(
            f"case {case.number} has {MOST_PENDING} answers that leave later", {"send_at": "cancel one first"}
        )
    if case.assignee is None and command.actor.kind == AGENT:
        case = work.emit(case, CaseClaimed(case=case.id, actor=command.actor, assignee=command.actor.id))
    if case.state in (CaseState.RESOLVED, CaseState.SNOOZED):
        case = work.emit(case, CaseReopened(case=case.id, actor=command.actor, reason="answered again"))
    message = answers.answer(
        work,
        case,
        work.next_id(),
        command.actor,
        answers.signed(work, case, command.text),
        attachments=command.attachments,
    )
    case = _emit_reply(work, case, message, command)
    if command.resolve:
        work.emit(case, CaseResolved(case=case.id, actor=command.actor))


def _emit_reply(work: Work, case: Case, message: OutboundMessage, command: ReplyToCase) -> Case:
    later = command.send_at if command.send_at is not None and command.send_at > work.facts.now else None
    case = work.emit(case, CaseReplied(case=case.id, actor=command.actor, message=message, send_at=later))
    if later is None:
        work.send(message)
    return case


def _answer(work: Work, case: Case, command: AnswerFromTemplate) -> None:
    template = work.facts.templates.get(command.template)
    if template is None:
        raise Invalid(
            f"there is no template {command.template!r}", {"template": "see templates in the configuration"}
        )
    handles, event = _answered_handles(work, case)
    reason = _why_silent(work, case, handles)
    if reason:
        raise Nothing(reason)
    subject, text = answers.from_template(work, case, template)
    message = answers.answer(work, case, work.next_id(), command.actor, text, subject, automatic=True)
    for handle in handles:
        lately = answers.answered_lately(handle, work.facts.now)
        work.put(handle.model_copy(update={"answered_at": (*lately, work.facts.now)}))
    replied = CaseReplied(
        case=case.id,
        actor=command.actor,
        message=message,
        template=template.name,
        interaction=command.interaction,
    )
    work.emit(case, replied)
    work.send(message)
    if event is not None:  # behind the reply: by its entry it is known that the command was done
        work.tell_identity(event)


def _answered_handles(work: Work, case: Case) -> tuple[list[Handle], HandleSeen | None]:
    """Who wrote and who is answered: whoever asks for answers at another's address uses up that one's too."""
    receiver = answers.receiver_of(case)
    handles = {case.handle: work.get(Handle, case.handle)}
    event = None
    if receiver is not None:
        id = work.facts.handle_id(receiver.scheme, receiver.value)
        known = work.get(Handle, id)
        if known is None and work.was_asked(Handle, id):
            known, event = seen(id, receiver, case.channel, work.facts.now)
        handles[id] = known
    return [each for each in handles.values() if each is not None], event


def _why_silent(work: Work, case: Case, handles: Sequence[Handle]) -> str:
    """Why no automatic answer may leave, or nothing (RFC 3834, section 2)."""
    if case.state is CaseState.SPAM:
        return "the case is marked as spam"
    if case.last_automatic:
        return "the last message was written by a machine"
    if answers.receiver_of(case) is None:
        return "there is no address to answer to"
    most = work.facts.configuration.automatic_answers_per_day
    if any(len(answers.answered_lately(each, work.facts.now)) >= most for each in handles):
        return f"the sender had {most} automatic answers within a day"
    return ""


def _cancel(work: Work, case: Case, command: CancelReply) -> None:
    if not any(each.message.message == command.message for each in case.pending):
        raise Stale("that answer has left already, or was cancelled")
    if case.state is CaseState.RESOLVED and len(case.pending) == 1 and case.pending[0].ends_waiting:
        reason = "its answer was taken back"
        case = work.emit(case, CaseReopened(case=case.id, actor=command.actor, reason=reason))
    work.emit(case, CaseReplyCancelled(case=case.id, actor=command.actor, message=command.message))


def _note(work: Work, case: Case, command: NoteCase) -> None:
    work.emit(case, CaseNoted(case=case.id, actor=command.actor, text=command.text))


def _claim(work: Work, case: Case, command: ClaimCase) -> None:
    if case.assignee == command.actor.id:
        raise Nothing(f"case {case.number} is yours already")
    if case.assignee is not None:
        since = case.assigned_at.isoformat() if case.assigned_at else ""
        raise Stale(
            f"{case.assignee} took case {case.number} first",
            {"assignee": case.assignee, "assigned_at": since},
        )
    work.emit(case, CaseClaimed(case=case.id, actor=command.actor, assignee=command.actor.id))


def _assign(work: Work, case: Case, command: AssignCase) -> None:
    if case.assignee == command.assignee:
        raise Nothing(f"case {case.number} is with {command.assignee or 'nobody'} already")
    work.emit(case, CaseAssigned(case=case.id, actor=command.actor, assignee=command.assignee))


def _snooze(work: Work, case: Case, command: SnoozeCase) -> None:
    if case.state is CaseState.SPAM:
        raise Invalid(
            f"case {case.number} is marked as spam", {"case": "clear the mark before you snooze it"}
        )
    if command.until <= work.facts.now:
        raise Invalid("snooze ends in the past", {"until": "give a time to come"})
    work.emit(case, CaseSnoozed(case=case.id, actor=command.actor, until=command.until))


def _wake(work: Work, case: Case, command: WakeCase) -> None:
    if case.state is not CaseState.SNOOZED:
        raise Nothing(f"case {case.number} is not snoozed")
    work.emit(case, CaseWoken(case=case.id, actor=command.actor, reason="by hand"))


def _resolve(work: Work, case: Case, command: ResolveCase) -> None:
    if case.state is CaseState.RESOLVED:
        raise Nothing(f"case {case.number} is resolved already")
    if case.state is CaseState.SPAM:
        raise Invalid(
            f"case {case.number} is marked as spam", {"case": "clear the mark before you resolve it"}
        )
    work.emit(case, CaseResolved(case=case.id, actor=command.actor))


def _reopen(work: Work, case: Case, command: ReopenCase) -> None:
    if case.state is not CaseState.RESOLVED:
        raise Nothing(f"case {case.number} is not resolved")
    waits_again = case.unanswered is not None
    work.emit(
        case, CaseReopened(case=case.id, actor=command.actor, reason="by hand", waits_again=waits_again)
    )


def _tag(work: Work, case: Case, command: TagCase) -> None:
    added = tuple(dict.fromkeys(tag for tag in command.add if tag not in case.tags))
    removed = tuple(dict.fromkeys(tag for tag in command.remove if tag in case.tags))
    if not added and not removed:
        raise Nothing(f"case {case.number} has these tags already")
    if len(case.tags) + len(added) - len(removed) > MOST_TAGS:
        raise Invalid(f"a case has at most {MOST_TAGS} tags", {"add": "remove others first"})
    work.emit(case, CaseTagged(case=case.id, actor=command.actor, added=added, removed=removed))


def _prioritize(work: Work, case: Case, command: PrioritizeCase) -> None:
    if case.priority is command.priority:
        raise Nothing(f"case {case.number} has the priority {command.priority} already")
    work.emit(case, CasePrioritized(case=case.id, actor=command.actor, priority=command.priority))


def _transfer(work: Work, case: Case, command: TransferCase) -> None:
    if command.queue not in work.facts.queues:
        raise Invalid(
            f"there is no queue {command.queue!r}", {"queue": f"one of {', '.join(work.facts.queues)}"}
        )
    if case.queue == command.queue:
        raise Nothing(f"case {case.number} is in {command.queue} already")
    due = (
        due_at(work, command.queue, work.facts.now) if case.waiting_since and not case.responded_at else None
    )
    work.emit(case, CaseTransferred(case=case.id, actor=command.actor, queue=command.queue, due_at=due))


def _merge(work: Work, case: Case, command: MergeCase) -> None:
    target = work.case(command.into)
    if target is None:
        raise Unknown(f"there is no case {command.into}")
    if target.id == case.id:
        raise Invalid("a case cannot be merged into itself", {"into": "name another case"})
    if target.state is CaseState.SPAM:
        raise Invalid(f"case {target.number} is marked as spam", {"into": "clear the mark first"})
    if len(case.absorbed) + len(target.absorbed) >= MOST_MERGES:
        raise Invalid(f"at most {MOST_MERGES} cases can be merged into one", {"into": "name another case"})
    if len(case.pending) + len(target.pending) > MOST_PENDING:
        raise Invalid(
            f"the cases have more than {MOST_PENDING} answers that leave later", {"into": "cancel some first"}
        )
    pending = case.pending
    case = _cancel_pending(work, case, command)
    work.emit(case, CaseMerged(case=case.id, actor=command.actor, into=target.id))
    target = work.emit(
        target,
        CaseAbsorbed(
            case=target.id,
            actor=command.actor,
            absorbed=case.id,
            participants=case.participants,
            earlier=case.absorbed,
            steps=case.revision + case.ahead,
            waiting_since=case.waiting_since,
            due_at=case.due_at,
        ),
    )
    if case.waiting_since is not None and target.state is not CaseState.OPEN:
        reason = f"case {case.number}, which waits for an answer, was merged into it"
        target = work.emit(target, CaseReopened(case=target.id, actor=command.actor, reason=reason))
    for each in pending:  # what somebody wrote leaves when it was meant to, from the case that stays
        moved = {"message": work.next_id(), "case": target.id, "conversation": f"case:{target.id}"}
        message = each.message.model_copy(update=moved)
        replied = CaseReplied(case=target.id, actor=message.author, message=message, send_at=each.send_at)
        target = work.emit(target, replied)


def _cancel_pending(work: Work, case: Case, command: Command) -> Case:
    """Say of each answer that leaves later that it does not leave from this case."""
    for each in case.pending:
        cancelled = CaseReplyCancelled(case=case.id, actor=command.actor, message=each.message.message)
        case = work.emit(case, cancelled)
    return case


def _mark_spam(work: Work, case: Case, command: MarkSpam) -> None:
    if case.state is CaseState.SPAM:
        raise Nothing(f"case {case.number} is marked as spam already")
    case = _cancel_pending(work, case, command)
    work.emit(case, CaseSpamMarked(case=case.id, actor=command.actor))


def _clear_spam(work: Work, case: Case, command: ClearSpam) -> None:
    if case.state is not CaseState.SPAM:
        raise Nothing(f"case {case.number} is not marked as spam")
    work.emit(case, CaseSpamCleared(case=case.id, actor=command.actor))


def _settle(work: Work, case: Case, command: SettleDelivery) -> None:
    delivery = work.get(Delivery, command.message)
    if delivery is None or delivery.message.case not in (case.id, *case.absorbed):
        raise Unknown("there is no such message in this case")
    if delivery.state is not DeliveryState.UNKNOWN:
        raise Stale(f"the message is {delivery.state} by now", {"state": str(delivery.state)})
    if command.state not in (DeliveryState.SENT, DeliveryState.FAILED):
        raise Invalid(
            "state must be sent (it arrived) or failed (send it again)", {"state": "sent or failed"}
        )
    state = DeliveryState.SENT if command.state is DeliveryState.SENT else DeliveryState.QUEUED
    settled = delivery.model_copy(
        update={
            "state": state,
            "changed_at": work.facts.now,
            "next_attempt_at": work.facts.now,
            "queued_at": work.facts.now,
        }
    )
    work.put(settled)
    work.emit(
        case,
        CaseDelivery(case=case.id, actor=command.actor, message=delivery.id, state=state, reason="by hand"),
    )
    work.tell(
        DeliverySettled(
            message=delivery.id,
            case=case.id,
            channel=delivery.message.channel,
            account=delivery.message.account,
            attempts=delivery.attempts,
            state=state,
            actor=command.actor,
        ),
        delivery.message.conversation,
    )


def _schedule(work: Work, case: Case, command: ScheduleAutomation) -> None:
    scheduled = CaseScheduled(
        case=case.id, actor=command.actor, automation=command.automation, due_at=command.due_at
    )
    work.emit(case, scheduled)


def _notify(work: Work, case: Case, command: NotifyOutside) -> None:
    id = work.next_id()
    if command.endpoint is not None:
        told = NoticedCase(id=case.id, **dict(case.summary()))
        notice = CaseNotice(about=command.about, automation=command.actor.id, case=told)
        message = answers.webhook(work, case, id, command.actor, command.endpoint, notice.payload())
    else:
        template = work.facts.templates.get(command.template or "")
        if template is None or command.to is None:
            raise Invalid(
                "a notice needs an address and a template that exist", {"template": str(command.template)}
            )
        subject, text = answers.from_template(work, case, template)
        message = answers.notice(work, case, id, command.actor, command.to, subject, text)
    work.emit(case, CaseNotified(case=case.id, actor=command.actor, message=message))
    work.send(message)


def _timer(work: Work, case: Case, command: TimerDue) -> None:
    held = next((timer for timer in case.timers if timer.name == command.timer), None)
    if held is None or held.due_at != command.due_at:
        raise Nothing(f"the case no longer holds the timer {command.timer}")
    if held.name == SNOOZE:
        work.emit(case, CaseWoken(case=case.id, actor=SYSTEM, reason="time"))
    elif held.name == FIRST_RESPONSE:
        work.emit(case, CaseOverdue(case=case.id, actor=SYSTEM, due_at=held.due_at))
    elif held.name.startswith("automation:"):
        name = held.name.removeprefix(automation_timer(""))
        work.emit(case, CaseScheduleReached(case=case.id, actor=SYSTEM, automation=name))
    else:
        _release(work, case, UUID(held.name.removeprefix("send:")))


def _release(work: Work, case: Case, message: UUID) -> None:
    pending = next((each for each in case.pending if each.message.message == message), None)
    if pending is None:
        raise Nothing(f"the answer {message} was cancelled ({send_timer(message)})")
    work.emit(case, CaseSendReleased(case=case.id, actor=SYSTEM, message=message))
    work.send(pending.message.model_copy(update={"queued_at": work.facts.now}))


REQUESTS: dict[type[Command], Callable[[Work, Case, Any], None]] = {
    ReplyToCase: _reply,
    AnswerFromTemplate: _answer,
    CancelReply: _cancel,
    NoteCase: _note,
    ClaimCase: _claim,
    AssignCase: _assign,
    SnoozeCase: _snooze,
    WakeCase: _wake,
    ResolveCase: _resolve,
    ReopenCase: _reopen,
    TagCase: _tag,
    PrioritizeCase: _prioritize,
    TransferCase: _transfer,
    MergeCase: _merge,
    MarkSpam: _mark_spam,
    ClearSpam: _clear_spam,
    SettleDelivery: _settle,
    ScheduleAutomation: _schedule,
    NotifyOutside: _notify,
    TimerDue: _timer,
}

__all__ = ["REQUESTS", "Nothing", "Refused", "request"]
