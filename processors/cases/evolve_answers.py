"""The fold of answers: one that leaves, that is to leave later, or is taken back, and whether the customer waits after it."""

from datetime import datetime
from typing import Any

from processors.cases.timers import FIRST_RESPONSE, send_timer, with_timer, without
from schemas.case_messages import CaseReplied, CaseReplyCancelled, CaseSendReleased
from schemas.cases import CaseState
from schemas.documents import Case, PendingReply

Change = dict[str, Any]


def replied(case: Case, event: CaseReplied, at: datetime) -> Change:
    answers = event.message.forwarded is None
    change: Change = {}
    if event.send_at is not None:
        pending = PendingReply(message=event.message, send_at=event.send_at)
        if answers:
            ended = {name: getattr(case, name) for name in ("waiting_since", "due_at", "overdue")}
            pending = pending.model_copy(update={**ended, "is_first": case.responded_at is None})
        change["pending"] = (*case.pending, pending)
        change["timers"] = with_timer(case.timers, send_timer(event.message.message), event.send_at)
    if event.message.automatic or not answers:
        return change
    if event.send_at is None:
        change["pending"] = _answered(case.pending)
    change["timers"] = without(change.get("timers", case.timers), FIRST_RESPONSE)
    change["responded_at"] = case.responded_at or at
    change["due_at"] = None
    change["overdue"] = False
    change["waiting_since"] = None
    if case.state is CaseState.OPEN:
        change["state"] = CaseState.WAITING
    return change


def _answered(pending: tuple[PendingReply, ...]) -> tuple[PendingReply, ...]:
    """The answers that leave later, now that the customer has another one: taking them back changes nothing more."""
    return tuple(each.model_copy(update=NOTHING_ENDED) if each.ends_waiting else each for each in pending)


def send_released(case: Case, event: CaseSendReleased, at: datetime) -> Change:
    rest = tuple(each for each in case.pending if each.message.message != event.message)
    sent = next((each.message for each in case.pending if each.message.message == event.message), None)
    if sent is None or sent.forwarded is None:
        rest = _answered(rest)
    return {"pending": rest, "timers": without(case.timers, send_timer(event.message))}


def reply_cancelled(case: Case, event: CaseReplyCancelled, at: datetime) -> Change:
    """The customer waits as before the answer, unless another one left or is to leave."""
    rest = tuple(each for each in case.pending if each.message.message != event.message)
    change: Change = {"pending": rest, "timers": without(case.timers, send_timer(event.message))}
    cancelled = next((each for each in case.pending if each.message.message == event.message), None)
    if cancelled is None or not cancelled.ends_waiting:
        return change
    if rest:
        change["pending"] = (rest[0].model_copy(update=_ended_by(cancelled)), *rest[1:])
        return change
    if cancelled.is_first:
        change["responded_at"] = None
    if cancelled.waiting_since is not None:
        change["waiting_since"] = earlier(cancelled.waiting_since, case.waiting_since)
        if case.state is CaseState.WAITING:
            change["state"] = CaseState.OPEN
        if cancelled.due_at is not None:
            change["due_at"] = cancelled.due_at
            change["overdue"] = cancelled.overdue
            if not cancelled.overdue:
                change["timers"] = with_timer(change["timers"], FIRST_RESPONSE, cancelled.due_at)
    return change


NOTHING_ENDED: Change = {"waiting_since": None, "due_at": None, "overdue": False, "is_first": False}


def _ended_by(pending: PendingReply) -> Change:
    return {name: getattr(pending, name) for name in NOTHING_ENDED}


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)
