"""The timeline: one entry for every interaction and every case step, made from the case event alone or with its message."""

from datetime import datetime

from schemas.case_messages import (
    CaseChangeAsked,
    CaseDelivery,
    CaseMessageDeleted,
    CaseMessageEdited,
    CaseMessageHidden,
    CaseMessageReacted,
    CaseNoted,
    CaseNotified,
    CaseReplied,
    CaseReplyCancelled,
    CaseSendReleased,
    CaseStarted,
    CaseWentPrivate,
    CaseWentPublic,
    MessageEvent,
)
from schemas.case_work import (
    CaseAbsorbed,
    CaseAssigned,
    CaseClaimed,
    CaseMerged,
    CaseOverdue,
    CasePrioritized,
    CaseReopened,
    CaseRouted,
    CaseScheduled,
    CaseScheduleReached,
    CaseSnoozed,
    CaseSplit,
    CaseTagged,
    CaseTransferred,
    CaseWoken,
)
from schemas.cases import CaseEvent
from schemas.documents import Case, Entry, EntryKind
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.outbound import DeliveryState
from schemas.steps import EntryChange

DETAILS: dict[type[CaseEvent], tuple[str, ...]] = {
    CaseRouted: ("queue", "priority", "tags", "due_at"),
    CaseSplit: ("into", "number", "entries"),
    CaseStarted: ("queue", "subject", "related"),
    CaseReopened: ("reason",),
    CaseClaimed: ("assignee",),
    CaseAssigned: ("assignee",),
    CaseSnoozed: ("until",),
    CaseWoken: ("reason",),
    CaseTagged: ("added", "removed"),
    CasePrioritized: ("priority",),
    CaseTransferred: ("queue", "due_at"),
    CaseMerged: ("into",),
    CaseAbsorbed: ("absorbed",),
    CaseOverdue: ("due_at",),
    CaseScheduled: ("automation", "due_at"),
    CaseScheduleReached: ("automation",),
    CaseSendReleased: ("message",),
    CaseMessageEdited: ("entry", "external_id"),
    CaseMessageDeleted: ("entry", "external_id"),
    CaseWentPrivate: ("account", "conversation"),
    CaseWentPublic: ("account", "reason"),
    CaseMessageHidden: ("entry", "external_id", "hidden"),
    CaseMessageReacted: ("entry", "external_id", "emoji", "added"),
}
"""Which fields of a step a reader of the timeline wants to see."""


def step_name(event: CaseEvent) -> str:
    """`opened` of `hubbub.case.opened`."""
    return event.type.rpartition(".")[2]


def entry_of(event: Event, case: Case, interaction: InteractionReceived | None) -> Entry:
    """The entry of a case event. For a message its id is the interaction's; `interaction` must then be given."""
    data = event.data
    if isinstance(data, MessageEvent):
        if interaction is None:
            raise ValueError(f"{data.type} {event.id} needs its interaction {data.interaction}")
        return _message(event, data, case, interaction)
    assert isinstance(data, CaseEvent)
    if isinstance(data, CaseReplied):
        return _reply(event, data, case)
    return _step(event, data, case)


def _message(event: Event, data: MessageEvent, case: Case, interaction: InteractionReceived) -> Entry:
    content = interaction.content
    sender = interaction.sender
    return Entry.model_construct(
        id=data.interaction,
        case=case.id,
        handle=data.handle,
        conversation=interaction.conversation,
        channel=interaction.channel,
        kind=EntryKind.MESSAGE,
        step=step_name(data),
        sequence=event.sequence or 0,
        occurred_at=interaction.occurred_at,
        received_at=interaction.received_at,
        actor=data.actor,
        subject=content.subject,
        text=content.text,
        text_new=content.text_new if content.text_new != content.text else "",
        html=content.html,
        attachments=interaction.attachments,
        participants=interaction.participants,
        form=interaction.form,
        flags=interaction.flags,
        verified=sender.verified if sender else False,
        spoof_suspect=interaction.authentication.spoof_suspect,
        original=interaction.original,
        detail=_detail(interaction),
    )


def _detail(interaction: InteractionReceived) -> dict[str, object]:
    """With the channel's name of a message that may change: what happened to it is found by that."""
    detail: dict[str, object] = {"kind": str(interaction.kind), "queue_hint": interaction.queue_hint}
    if interaction.may_change:
        detail["external_id"] = interaction.external_id
    return detail


def _reply(event: Event, data: CaseReplied, case: Case) -> Entry:
    message = data.message
    return Entry.model_construct(
        id=event.id,
        case=case.id,
        handle=case.handle,
        conversation=message.conversation,
        channel=message.channel,
        kind=EntryKind.REPLY,
        step=step_name(data),
        sequence=event.sequence or 0,
        occurred_at=event.time,
        received_at=event.time,
        actor=data.actor,
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachments=message.attachments,
        participants=message.recipients,
        flags=("auto",) if message.automatic else (),
        message=message.message,
        delivery=DeliveryState.SCHEDULED if data.send_at else DeliveryState.QUEUED,
        detail=_reply_detail(data),
    )


def _reply_detail(data: CaseReplied) -> dict[str, object]:
    detail: dict[str, object] = {}
    if data.send_at is not None:
        detail["send_at"] = data.send_at.isoformat()
    if data.message.forwarded is not None:
        detail["forwarded"] = str(data.message.forwarded)
    if data.interaction is not None:
        detail["answers"] = str(data.interaction)
    return detail


def _step(event: Event, data: CaseEvent, case: Case) -> Entry:
    kind = EntryKind.STEP
    text = ""
    message = None
    delivery = None
    reason = ""
    detail: dict[str, object] = {}
    if isinstance(data, CaseNoted):
        kind, text = EntryKind.NOTE, data.text
    elif isinstance(data, CaseDelivery):
        kind, message, delivery, reason = EntryKind.DELIVERY, data.message, data.state, data.reason
        detail = {"change": str(data.change)} if data.change is not None else {}
    elif isinstance(data, CaseChangeAsked):
        message, delivery = data.message.message, DeliveryState.QUEUED
        change = data.message.change
        detail = {"kind": str(data.kind), "of": str(change.message) if change is not None else ""}
    elif isinstance(data, CaseNotified):
        message = data.message.message
    names = DETAILS.get(type(data), ())
    return Entry.model_construct(
        id=event.id,
        case=case.id,
        handle=case.handle,
        conversation=case.conversation,
        channel=case.channel,
        kind=kind,
        step=step_name(data),
        sequence=event.sequence or 0,
        occurred_at=event.time,
        received_at=event.time,
        actor=data.actor,
        text=text,
        message=message,
        delivery=delivery,
        delivery_reason=reason,
        detail=detail or {name: _plain(getattr(data, name)) for name in names},
    )


def _plain(value: object) -> object:
    """As JSON has it, so that an entry made now equals one read back."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [str(each) for each in value]
    if isinstance(value, bool):
        return value
    return None if value is None else str(value)


def change_of(event: Event, case: Case) -> EntryChange | None:
    """The later state of a reply's entry that this case event tells of; `case` is the case after it.

    The reply may be of a case that was merged into this one and that counted further: `ahead` makes up for that.
    """
    data, place = event.data, (event.sequence or 0) + case.ahead
    if isinstance(data, CaseDelivery):
        return EntryChange(data.message, place, data.state, data.reason)
    if isinstance(data, CaseSendReleased):
        return EntryChange(data.message, place, DeliveryState.QUEUED)
    if isinstance(data, CaseReplyCancelled):
        return EntryChange(data.message, place, DeliveryState.CANCELLED)
    return None
