"""What one of us asks of an answer that was sent: that it reads otherwise, or is taken back; and of a customer's message, that it is hidden.

It leaves as an outbound message of its own, so it is queued, sent, failed or unknown as any other; what the answer says changes
here only once the channel did it. One at a time for each answer, so that they end in the order in which they were asked.
"""

from uuid import UUID

from processors.cases.changes import bounded, nothing_yet
from processors.cases.work import Work
from schemas.capabilities import Capabilities, first_fault
from schemas.case_messages import CaseChangeAsked, CaseMessageDeleted, CaseMessageEdited, CaseMessageHidden
from schemas.commands import Command, DeleteReply, EditReply, HideMessage
from schemas.documents import Case, Delivery
from schemas.errors import Invalid, Stale, Unknown
from schemas.interactions import Content
from schemas.message_changes import Edit, MessageChanges, OwnChange, Way, changes_id
from schemas.outbound import ChangeKind, DeliveryState, OutboundMessage, SentChange
from schemas.sentences import said

NOTHING = Capabilities()


def edit(work: Work, case: Case, command: EditReply) -> None:
    delivery, changes = _target(work, case, command.message)
    text = command.text.rstrip()
    channel, account = delivery.message.channel, delivery.message.account
    faults = _offered(work, channel, account).edit_faults(text, work.facts.counts.get(channel))
    _must_be_none(faults, channel)
    if _reads_now(delivery, changes) == text:
        raise Stale("the answer reads so already")
    _ask(work, case, command, delivery, changes, ChangeKind.EDIT, text)


def delete(work: Work, case: Case, command: DeleteReply) -> None:
    delivery, changes = _target(work, case, command.message)
    channel, account = delivery.message.channel, delivery.message.account
    _must_be_none(_offered(work, channel, account).delete_faults(), channel)
    _ask(work, case, command, delivery, changes, ChangeKind.DELETE, "")


def hide(work: Work, case: Case, command: HideMessage) -> None:
    """Hidden from those who read along, and only there: here it stays what it is. By the account that it came by, wherever the case
    is answered now."""
    changes = work.get(MessageChanges, changes_id(command.external_id))
    if changes is None or changes.case not in (case.id, *case.absorbed) or changes.entry is None:
        raise Unknown("there is no such message in this case")
    way = changes.way or Way(channel=case.channel, account=case.account, conversation=case.conversation)
    _must_be_none(_offered(work, way.channel, way.account).hide_faults(), way.channel)
    if changes.deleted_at is not None:
        raise Stale("its author took the message back already")
    _must_be_idle(changes)
    if (changes.hidden_at is not None) is command.hidden:
        raise Stale("the message is hidden already" if command.hidden else "the message is not hidden")
    kind = ChangeKind.HIDE if command.hidden else ChangeKind.SHOW
    change = SentChange(kind=kind, message=changes.entry, external_id=command.external_id)
    message = OutboundMessage(
        message=work.next_id(),
        case=case.id,
        channel=way.channel,
        account=way.account,
        brand=case.brand,
        conversation=way.conversation,
        recipients=(),
        text="",
        author=command.actor,
        queued_at=work.facts.now,
        change=change,
    )
    _send(work, case, command, changes, message, change)


def told(work: Work, case: Case, change: SentChange, message: UUID, state: DeliveryState) -> None:
    """What became of it. Where the channel did it the answer reads so from now on; while that is unknown, no other is asked for."""
    changes = work.get(MessageChanges, changes_id(change.external_id))
    asked = changes.asked if changes is not None else None
    if changes is None or asked is None or asked.message != message:
        return
    if state not in (DeliveryState.SENT, DeliveryState.FAILED):
        return
    changes = changes.model_copy(update={"asked": None})
    if state is DeliveryState.FAILED or changes.deleted_at is not None:
        work.put(changes)
        return
    about = {"case": case.id, "actor": asked.by, "external_id": change.external_id, "entry": change.message}
    now = work.facts.now
    if change.kind is ChangeKind.DELETE:
        work.put(changes.model_copy(update={"deleted_at": now, "deleted_by": asked.by}))
        work.emit(case, CaseMessageDeleted.model_validate(about))
        return
    if change.kind in (ChangeKind.HIDE, ChangeKind.SHOW):
        hidden = change.kind is ChangeKind.HIDE
        work.put(
            changes.model_copy(
                update={"hidden_at": now if hidden else None, "hidden_by": asked.by if hidden else None}
            )
        )
        work.emit(case, CaseMessageHidden.model_validate({**about, "hidden": hidden}))
        return
    edits = (*changes.edits, Edit(at=now, by=asked.by, content=Content(text=asked.text)))
    work.put(changes.model_copy(update={"edits": bounded(edits)}))
    work.emit(case, CaseMessageEdited.model_validate({**about, "text": asked.text}))


def _target(work: Work, case: Case, message: UUID) -> tuple[Delivery, MessageChanges]:
    """The answer that is meant, and what is known of it since. Raises Refused where it cannot be changed now."""
    delivery = work.get(Delivery, message)
    if delivery is None or delivery.message.case not in (case.id, *case.absorbed) or delivery.message.change:
        raise Unknown("there is no such answer in this case")
    if delivery.state is not DeliveryState.SENT:
        raise Stale(
            said("the answer is {state}, and only what was sent can be changed", state=said(delivery.state))
        )
    name = delivery.external_id
    changes = work.get(MessageChanges, changes_id(name)) or nothing_yet(work, name)
    if changes.deleted_at is not None:
        raise Stale("the answer was taken back already")
    _must_be_idle(changes)
    return delivery, changes.model_copy(update={"case": case.id, "entry": delivery.id})


def _must_be_idle(changes: MessageChanges) -> None:
    if changes.asked is not None:
        raise Stale("a change of this message is on its way; wait for it, or say what became of it")


def _offered(work: Work, channel: str, account: str) -> Capabilities:
    return work.facts.capabilities.get(f"{channel}:{account}", NOTHING)


def _must_be_none(faults: dict[str, str], channel: str) -> None:
    if faults:
        raise Invalid(
            said("{channel} cannot do this: its {field} {fault}", **first_fault(channel, faults)), faults
        )


def _reads_now(delivery: Delivery, changes: MessageChanges) -> str:
    return changes.edits[-1].content.text if changes.edits else delivery.message.text


def _ask(
    work: Work,
    case: Case,
    command: Command,
    delivery: Delivery,
    changes: MessageChanges,
    kind: ChangeKind,
    text: str,
) -> None:
    sent = delivery.message
    change = SentChange(
        kind=kind, message=delivery.id, external_id=delivery.external_id, parts=delivery.parts
    )
    message = OutboundMessage(
        message=work.next_id(),
        case=case.id,
        channel=sent.channel,
        account=sent.account,
        brand=sent.brand,
        conversation=sent.conversation,
        recipients=sent.recipients,
        text=text,
        author=command.actor,
        queued_at=work.facts.now,
        change=change,
    )
    _send(work, case, command, changes, message, change)


def _send(
    work: Work,
    case: Case,
    command: Command,
    changes: MessageChanges,
    message: OutboundMessage,
    change: SentChange,
) -> None:
    asked = OwnChange(message=message.message, kind=change.kind, by=command.actor, text=message.text)
    work.put(changes.model_copy(update={"asked": asked}))
    work.emit(case, CaseChangeAsked(case=case.id, actor=command.actor, kind=change.kind, message=message))
    work.send(message)
