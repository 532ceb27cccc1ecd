"""The fold: what a case is after an event. Total over all case events; a case is exactly the fold of its events.

Whoever changes what the same events make raises `FOLD` in folds.py: stored cases are then folded again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from processors.cases.evolve_answers import Change, earlier, replied, reply_cancelled, send_released
from processors.cases.folds import FOLD
from processors.cases.timers import FIRST_RESPONSE, SNOOZE, automation_timer, with_timer, without
from schemas.case_messages import (
    CaseDelivery,
    CaseMessageDeleted,
    CaseMessageEdited,
    CaseOpened,
    CaseReceived,
    CaseReplied,
    CaseReplyCancelled,
    CaseSendReleased,
    CaseStarted,
    CaseWentPrivate,
    CaseWentPublic,
    MessageChanged,
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
    CaseResolved,
    CaseRouted,
    CaseScheduled,
    CaseScheduleReached,
    CaseSnoozed,
    CaseSpamCleared,
    CaseSpamMarked,
    CaseTagged,
    CaseTransferred,
    CaseWoken,
)
from schemas.cases import CaseEvent, CaseState, Timer
from schemas.documents import Case, Moved, Unanswered
from schemas.events import Event
from schemas.ids import case_id
from schemas.outbound import DeliveryState

MOST_PARTICIPANTS = 50
MOST_REFERENCES = 20
MOST_BROUGHT = 200


def _join(case: Case | None, event: MessageEvent, at: datetime) -> Change:
    """What a message from outside does to a case, apart from opening it."""
    participants = case.participants if case else ()
    references = case.references if case else ()
    change: Change = {
        "participants": _union(participants, (event.handle, *event.participants)),
        "references": _append(references, event.external_id),
        "last_external_id": event.external_id,
        "last_automatic": event.automatic,
        "messages": (case.messages if case else 0) + 1,
    }
    if event.reply_recipients:
        change["reply_recipients"] = event.reply_recipients
    if not event.automatic:
        change["wrote_at"] = event.received_at or at
        change["waiting_since"] = (case.waiting_since if case else None) or change["wrote_at"]
    return change


def _union(known: tuple[UUID, ...], more: tuple[UUID, ...]) -> tuple[UUID, ...]:
    for each in more:
        if each not in known:
            return tuple(dict.fromkeys((*known, *more)))[:MOST_PARTICIPANTS]
    return known


def _append(references: tuple[str, ...], reference: str) -> tuple[str, ...]:
    """The first reference and the last ones: the root keeps threads together, the latest keep clients content."""
    if not reference or reference in references:
        return references
    if len(references) < MOST_REFERENCES:
        return (*references, reference)
    return (references[0], *references[2:], reference)


def _received(case: Case, event: CaseReceived, at: datetime) -> Change:
    change = _join(case, event, at)
    if not event.automatic and case.state is CaseState.WAITING:
        change["state"] = CaseState.OPEN
    return change


def _due(case: Case, due_at: datetime | None) -> Change:
    timers = without(case.timers, FIRST_RESPONSE)
    if due_at is not None:
        timers = with_timer(timers, FIRST_RESPONSE, due_at)
    return {"due_at": due_at, "timers": timers, "overdue": False}


def _routed(case: Case, event: CaseRouted, at: datetime) -> Change:
    return {
        "queue": event.queue,
        "priority": event.priority,
        "tags": tuple(dict.fromkeys((*case.tags, *event.tags))),
        **_due(case, event.due_at),
    }


def _replied(case: Case, event: CaseReplied, at: datetime) -> Change:
    change = replied(case, event, at)
    if event.participants:
        known = "participants" if event.message.forwarded is None else "outside"
        change[known] = _union(getattr(case, known), event.participants)
    return change


def _reopened(case: Case, event: CaseReopened, at: datetime) -> Change:
    change: Change = {
        "state": CaseState.OPEN,
        "resolved_at": None,
        "snoozed_until": None,
        "unanswered": None,
        "timers": without(case.timers, SNOOZE),
    }
    if event.waits_from is not None:
        change["waiting_since"] = event.waits_from
    return change | _as_before(case) if event.waits_again else change


def _as_before(case: Case) -> Change:
    """The customer waits as when the case was resolved, or marked as spam, without an answer."""
    before = case.unanswered
    if before is None:
        return {}
    change: Change = {name: getattr(before, name) for name in ("waiting_since", "due_at", "overdue")}
    if before.due_at is not None and not before.overdue:
        change["timers"] = with_timer(without(case.timers, SNOOZE), FIRST_RESPONSE, before.due_at)
    return change


def _resolved(case: Case, event: CaseResolved, at: datetime) -> Change:
    return {
        "state": CaseState.RESOLVED,
        "resolved_at": at,
        "unanswered": _unanswered(case),
        "waiting_since": None,
        "due_at": None,
        "overdue": False,
        "snoozed_until": None,
        "timers": without(case.timers, SNOOZE, FIRST_RESPONSE),
    }


def _unanswered(case: Case) -> Unanswered | None:
    if case.waiting_since is None:
        return None
    return Unanswered(waiting_since=case.waiting_since, due_at=case.due_at, overdue=case.overdue)


def _snoozed(case: Case, event: CaseSnoozed, at: datetime) -> Change:
    return {
        "state": CaseState.SNOOZED,
        "resolved_at": None,
        "snoozed_until": event.until,
        "timers": with_timer(case.timers, SNOOZE, event.until),
    }


def _woken(case: Case, event: CaseWoken, at: datetime) -> Change:
    return {"state": CaseState.OPEN, "snoozed_until": None, "timers": without(case.timers, SNOOZE)}


def _assigned(case: Case, event: CaseClaimed | CaseAssigned, at: datetime) -> Change:
    return {"assignee": event.assignee, "assigned_at": at if event.assignee else None}


def _tagged(case: Case, event: CaseTagged, at: datetime) -> Change:
    kept = tuple(tag for tag in case.tags if tag not in event.removed)
    return {"tags": tuple(dict.fromkeys((*kept, *event.added)))}


def _prioritized(case: Case, event: CasePrioritized, at: datetime) -> Change:
    return {"priority": event.priority}


def _transferred(case: Case, event: CaseTransferred, at: datetime) -> Change:
    return {"queue": event.queue, "assignee": None, "assigned_at": None, **_due(case, event.due_at)}


def _merged(case: Case, event: CaseMerged, at: datetime) -> Change:
    return {
        "state": CaseState.MERGED,
        "merged_into": event.into,
        "waiting_since": None,
        "due_at": None,
        "timers": (),
        "pending": (),
    }


def _absorbed(case: Case, event: CaseAbsorbed, at: datetime) -> Change:
    change: Change = {
        "absorbed": tuple(dict.fromkeys((*case.absorbed, *event.earlier, event.absorbed))),
        "ahead": max(case.ahead, event.steps - case.revision),
        "participants": _union(case.participants, event.participants),
    }
    if event.brought:
        change["brought"] = tuple(dict.fromkeys((*case.brought, *event.brought)))[:MOST_BROUGHT]
    if event.waiting_since is not None:
        change["waiting_since"] = earlier(case.waiting_since, event.waiting_since)
    if event.due_at is not None and (case.due_at is None or event.due_at < case.due_at):
        change |= _due(case, event.due_at)
    return change


def _spam_marked(case: Case, event: CaseSpamMarked, at: datetime) -> Change:
    kept: Change = {"unanswered": _unanswered(case) or case.unanswered} if event.keeps_wait else {}
    return kept | {
        "state": CaseState.SPAM,
        "timers": (),
        "pending": (),
        "due_at": None,
        "overdue": False,
        "snoozed_until": None,
        "waiting_since": None,
    }


def _spam_cleared(case: Case, event: CaseSpamCleared, at: datetime) -> Change:
    change: Change = {"state": CaseState.OPEN, "waiting_since": at, "resolved_at": None}
    return change | _as_before(case) | {"unanswered": None} if event.waits_again else change


def _overdue(case: Case, event: CaseOverdue, at: datetime) -> Change:
    return {"overdue": True, "timers": without(case.timers, FIRST_RESPONSE)}


def _delivery(case: Case, event: CaseDelivery, at: datetime) -> Change:
    change: Change = {"references": _append(case.references, event.external_id)}
    moved = case.moved
    if moved is not None and moved.message == event.message and event.state is DeliveryState.SENT:
        change["moved"] = moved.model_copy(update={"public": None})  # it is said now
    return change


def _went_private(case: Case, event: CaseWentPrivate, at: datetime) -> Change:
    moved = Moved(
        message=event.message, account=case.account, conversation=case.conversation, public=event.public
    )
    return {"account": event.account, "conversation": event.conversation, "moved": moved}


def _went_public(case: Case, event: CaseWentPublic, at: datetime) -> Change:
    return {"account": event.account, "conversation": event.conversation, "moved": None}


def _scheduled(case: Case, event: CaseScheduled, at: datetime) -> Change:
    return {"timers": with_timer(case.timers, automation_timer(event.automation), event.due_at)}


def _schedule_reached(case: Case, event: CaseScheduleReached, at: datetime) -> Change:
    return {"timers": without(case.timers, automation_timer(event.automation))}


def _message_edited(case: Case, event: CaseMessageEdited, at: datetime) -> Change:
    """A case is called as its first message is."""
    return {"subject": event.subject} if event.subject and _is_first(case, event) else {}


def _message_deleted(case: Case, event: CaseMessageDeleted, at: datetime) -> Change:
    return {"subject": ""} if event.withheld and _is_first(case, event) else {}


def _is_first(case: Case, event: MessageChanged) -> bool:
    return event.entry is not None and case_id(event.entry) == case.id


CHANGES: dict[type[CaseEvent], Callable[[Case, Any, datetime], Change]] = {
    CaseReceived: _received,
    CaseRouted: _routed,
    CaseReopened: _reopened,
    CaseReplied: _replied,
    CaseSendReleased: send_released,
    CaseReplyCancelled: reply_cancelled,
    CaseClaimed: _assigned,
    CaseAssigned: _assigned,
    CaseSnoozed: _snoozed,
    CaseWoken: _woken,
    CaseResolved: _resolved,
    CaseTagged: _tagged,
    CasePrioritized: _prioritized,
    CaseTransferred: _transferred,
    CaseMerged: _merged,
    CaseAbsorbed: _absorbed,
    CaseSpamMarked: _spam_marked,
    CaseSpamCleared: _spam_cleared,
    CaseOverdue: _overdue,
    CaseDelivery: _delivery,
    CaseWentPrivate: _went_private,
    CaseWentPublic: _went_public,
    CaseMessageEdited: _message_edited,
    CaseMessageDeleted: _message_deleted,
    CaseScheduled: _scheduled,
    CaseScheduleReached: _schedule_reached,
}
"""Events that are not here (a note, a notice) change nothing but the sequence and the time."""


def evolve(case: Case | None, event: CaseEvent, at: datetime, chain: tuple[str, ...] = ()) -> Case:
    """The case after `event`, which happened `at`. Its revision is the event's sequence.

    `chain` is the event's: the automations that led to it lead to what its timers will bring about, too.
    """
    if isinstance(event, CaseOpened):
        return _opened(event, at)
    if isinstance(event, CaseStarted):
        return _started(event, at)
    if case is None:
        raise ValueError(f"{event.type} of the case {event.case}, which was never opened")
    change = CHANGES.get(type(event))
    update = change(case, event, at) if change else {}
    if chain and "timers" in update:
        update["timers"] = tuple(_chained(each, case.timers, chain) for each in update["timers"])
    update["revision"] = case.revision + 1
    update["updated_at"] = at
    return case.model_copy(update=update)


def _chained(timer: Timer, before: tuple[Timer, ...], chain: tuple[str, ...]) -> Timer:
    """A timer that was there before stays as it is."""
    return timer if timer in before else timer.model_copy(update={"chain": chain})


def _opened(event: CaseOpened, at: datetime) -> Case:
    return Case.model_construct(
        id=event.case,
        revision=1,
        number=event.number,
        brand=event.brand,
        channel=event.channel,
        account=event.account,
        conversation=event.conversation,
        handle=event.handle,
        subject=event.subject,
        language=event.language,
        related=event.related,
        opened_at=at,
        updated_at=at,
        fold=FOLD,
        **_join(None, event, at),
    )


def _started(event: CaseStarted, at: datetime) -> Case:
    return Case(
        id=event.case,
        revision=1,
        number=event.number,
        brand=event.brand,
        channel=event.channel,
        account=event.account,
        conversation=event.conversation,
        handle=event.handle,
        queue=event.queue,
        subject=event.subject,
        language=event.language,
        participants=(event.handle,),
        reply_recipients=event.reply_recipients,
        related=event.related,
        brought=event.brought,
        waiting_since=event.waiting_since,
        wrote_at=event.waiting_since,
        due_at=event.due_at,
        timers=with_timer((), FIRST_RESPONSE, event.due_at) if event.due_at is not None else (),
        opened_at=at,
        updated_at=at,
        fold=FOLD,
    )


def fold(events: list[Event]) -> Case | None:
    """The case that these events make, in their order."""
    case: Case | None = None
    for event in events:
        if isinstance(event.data, CaseEvent) and not event.late:  # a replay says again what happened before
            case = evolve(case, event.data, event.time, event.chain)
    return case
