"""Answers: written by an agent or by an automation, sent now or later, taken back, settled by hand."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from processors.cases import answers, own_changes, privately
from processors.cases.taking_up import must_be_answerable, must_have_room, taken_up
from processors.cases.timers import send_timer
from processors.cases.wording import Written
from processors.cases.work import Nothing, Work
from processors.identity import seen
from schemas.case_messages import CaseDelivery, CaseReplied, CaseReplyCancelled, CaseSendReleased
from schemas.case_work import CaseReopened, CaseResolved
from schemas.cases import CaseState
from schemas.commands import AnswerFromTemplate, CancelReply, ReplyToCase, SettleDelivery
from schemas.documents import Case, Delivery, Handle
from schemas.errors import Invalid, Stale, Unknown
from schemas.events import SYSTEM
from schemas.identity import HandleSeen
from schemas.interactions import Participant
from schemas.outbound import DeliverySettled, DeliveryState, OutboundMessage
from schemas.sentences import said


def reply(work: Work, case: Case, command: ReplyToCase) -> None:
    must_be_answerable(case)
    must_have_room(case, command.send_at)
    case = taken_up(work, case, command.actor)
    message = answers.answer(
        work,
        case,
        work.next_id(),
        command.actor,
        Written(command.text, command.html, command.quoted, command.attachments, command.copies),
    )
    case = emit_written(work, case, message, command.send_at, addressed(work, command.copies or ()))
    if command.resolve:
        work.emit(case, CaseResolved(case=case.id, actor=command.actor))


def emit_written(
    work: Work,
    case: Case,
    message: OutboundMessage,
    send_at: datetime | None,
    participants: tuple[UUID, ...] = (),
) -> Case:
    """The message is in the case, and leaves: now, or at its time."""
    later = send_at if send_at is not None and send_at > work.facts.now else None
    replied = CaseReplied(
        case=case.id, actor=message.author, message=message, send_at=later, participants=participants
    )
    case = work.emit(case, replied)
    if later is None:
        work.send(message)
    return case


def addressed(work: Work, people: Sequence[Participant]) -> tuple[UUID, ...]:
    """The handles of people to whom a message goes."""
    return tuple([work.facts.handle_id(each.scheme, each.value) for each in people])


def answer_from_template(work: Work, case: Case, command: AnswerFromTemplate) -> None:
    template = work.facts.templates.get(command.template)
    if template is None:
        raise Invalid(
            said("there is no template {name!r}", name=command.template),
            {"template": "see templates in the configuration"},
        )
    handles, event = _answered_handles(work, case)
    reason = _why_silent(work, case, handles)
    if reason:
        raise Nothing(reason)
    subject, text = answers.from_template(work, case, template)
    message = answers.answer(
        work, case, work.next_id(), command.actor, Written(text), subject, automatic=True
    )
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


def cancel(work: Work, case: Case, command: CancelReply) -> None:
    if not any(each.message.message == command.message for each in case.pending):
        raise Stale("that answer has left already, or was cancelled")
    if case.state is CaseState.RESOLVED and len(case.pending) == 1 and case.pending[0].ends_waiting:
        reason = "its answer was taken back"
        case = work.emit(case, CaseReopened(case=case.id, actor=command.actor, reason=reason))
    work.emit(case, CaseReplyCancelled(case=case.id, actor=command.actor, message=command.message))


def release_answer(work: Work, case: Case, message: UUID) -> None:
    pending = next((each for each in case.pending if each.message.message == message), None)
    if pending is None:
        raise Nothing(f"the answer {message} was cancelled ({send_timer(message)})")
    work.emit(case, CaseSendReleased(case=case.id, actor=SYSTEM, message=message))
    work.send(pending.message.model_copy(update={"queued_at": work.facts.now}))


def settle(work: Work, case: Case, command: SettleDelivery) -> None:
    delivery = work.get(Delivery, command.message)
    if delivery is None or delivery.message.case not in (case.id, *case.absorbed):
        raise Unknown("there is no such message in this case")
    if delivery.state is not DeliveryState.UNKNOWN:
        raise Stale(
            said("the message is {state} by now", state=said(delivery.state)), {"state": str(delivery.state)}
        )
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
    change, moved = delivery.message.change, privately.moved_of(work, delivery.message.case)
    case = work.emit(
        case,
        CaseDelivery(
            case=case.id,
            actor=command.actor,
            message=delivery.id,
            state=state,
            reason="by hand",
            change=change.kind if change else None,
        ),
    )
    if change is not None:
        own_changes.told(work, case, change, delivery.id, state)
    elif moved is not None and moved.message == delivery.id and state is DeliveryState.SENT:
        privately.say_in_public(work, case, moved)
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
