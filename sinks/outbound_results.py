"""What a channel said to a message, as the state of the message and the event that tells of it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from schemas.documents import Delivery
from schemas.events import Event
from schemas.ids import effect_id
from schemas.outbound import DeliveryEvent, DeliveryFailed, DeliverySent, DeliveryState, DeliveryUnknown
from schemas.ports import Receipt, ReceiptStatus
from schemas.steps import Step

CONSUMER = "outbound"
LATE = "outbound-late"
"""Names what is told after others had called the message unknown: another fact, with another id."""
SETTLED = "outbound-settled"
"""The same, of what the channel said when it was asked later."""
FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 3600.0
GIVE_UP_AFTER = timedelta(days=3)


def backoff(attempts: int, asked_seconds: float | None) -> timedelta:
    """How long to wait after so many attempts: what the peer asks for, or 5 s doubled up to an hour."""
    seconds = FIRST_BACKOFF_SECONDS * 2 ** min(attempts - 1, 12)
    return timedelta(seconds=min(LONGEST_BACKOFF_SECONDS, asked_seconds or seconds))


@dataclass(frozen=True, slots=True)
class Ended:
    """A message after an attempt. `event` None: it is queued again."""

    delivery: Delivery
    decided_on: int
    event: Event | None

    def into(self, step: Step) -> Step:
        step.documents.append((self.delivery, self.decided_on))
        if self.event is not None:
            step.events.append(self.event)
        return step


def ended(delivery: Delivery, receipt: Receipt, now: datetime, consumer: str = CONSUMER) -> Ended:
    """The message with what the channel said to its last attempt."""
    change: dict[str, object] = {
        "changed_at": now,
        "reason": receipt.reason,
        "revision": delivery.revision + 1,
        "sender": None,
    }
    told = _told(delivery, receipt, now)
    if told is None:
        change["state"] = DeliveryState.QUEUED
        change["next_attempt_at"] = now + backoff(delivery.attempts, receipt.retry_after_seconds)
    else:
        change["state"] = _STATES[type(told)]
        change["external_id"] = receipt.external_id
        change["parts"] = receipt.parts
    event = None if told is None else _event(delivery, told, now, consumer)
    return Ended(delivery.model_copy(update=change), delivery.revision, event)


_STATES: dict[type[DeliveryEvent], DeliveryState] = {
    DeliverySent: DeliveryState.SENT,
    DeliveryFailed: DeliveryState.FAILED,
    DeliveryUnknown: DeliveryState.UNKNOWN,
}


def _told(delivery: Delivery, receipt: Receipt, now: datetime) -> DeliveryEvent | None:
    """What happened to the message for good; None when it may be tried again."""
    message = delivery.message
    reason = receipt.reason
    since = delivery.queued_at or message.queued_at
    gives_up = receipt.status is ReceiptStatus.RETRY and now - since > GIVE_UP_AFTER
    if gives_up:
        reason = f"given up after {GIVE_UP_AFTER.days} days: {reason}"
    if receipt.status is ReceiptStatus.RETRY and not gives_up:
        return None
    base = {
        "message": message.message,
        "case": message.case,
        "channel": message.channel,
        "account": message.account,
        "attempts": delivery.attempts,
        "change": message.change,
    }
    if receipt.status is ReceiptStatus.SENT:
        return DeliverySent.model_validate(
            {
                **base,
                "external_id": receipt.external_id,
                "refused": dict(receipt.refused),
                "may_change": receipt.may_change,
                "parts": receipt.parts,
                "conversation": receipt.conversation,
            }
        )
    if receipt.status is ReceiptStatus.UNKNOWN:
        return DeliveryUnknown.model_validate({**base, "reason": reason})
    return DeliveryFailed.model_validate({**base, "reason": reason})


def _event(delivery: Delivery, data: DeliveryEvent, now: datetime, consumer: str) -> Event:
    """The id derives from the message and its attempt, so that a result committed again is the same event."""
    message: UUID = delivery.message.message
    return Event(
        id=effect_id(message, consumer, delivery.attempts),
        key=delivery.message.conversation,
        time=now,
        data=data,
        source=f"/sinks/{delivery.message.channel}/{delivery.message.account}",
        correlation=message,
        causation=message,
    )
