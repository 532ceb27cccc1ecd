"""What became of a message of ours, and what can still be asked of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.console.telling import NOTHING, Telling
from hub.console.words import Words
from hub.shown import ACCOUNT, name_of
from schemas.capabilities import Capabilities
from schemas.documents import Entry, EntryKind
from schemas.outbound import DeliveryState

A_MOMENT = timedelta(minutes=1)
"""So long an answer can be taken back after *Send*, and no time of day is worth reading."""
BAD = frozenset({DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.BOUNCED})


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """What became of an answer of ours. `state` decides what can be done about it."""

    state: str
    words: str
    message: UUID
    is_bad: bool
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What can be asked of an answer that was sent."""

    message: UUID
    text: str
    can_edit: bool
    can_delete: bool


@dataclass(frozen=True, slots=True)
class HideView:
    """That a customer's message can be hidden from those who read along, or is and can be shown again."""

    external_id: str
    is_hidden: bool


def outcome(entry: Entry, words: Words) -> DeliveryView | None:
    if entry.kind is not EntryKind.REPLY or entry.delivery is None or entry.message is None:
        return None
    reason = words.t.said(entry.delivery_reason) or words.t("delivery.no-reason")
    send_at = entry.detail.get("send_at")
    at = datetime.fromisoformat(send_at) if isinstance(send_at, str) else words.now
    key = (
        "soon" if entry.delivery is DeliveryState.SCHEDULED and at - words.now < A_MOMENT else entry.delivery
    )
    said = words.t(f"delivery.{key}", reason=reason, when=words.when(at).words)
    return DeliveryView(str(entry.delivery), said, entry.message, entry.delivery in BAD)


def change_offered(entry: Entry, telling: Telling) -> ChangeView | None:
    """Of an answer that stands there, and of which nothing is asked already."""
    if entry.kind is not EntryKind.REPLY or entry.message is None:
        return None
    offered = _offered(entry, telling)
    can_edit, can_delete = offered.edit, offered.delete
    is_settled = entry.delivery is DeliveryState.SENT and not entry.detail.keys() & {"deleted_at", "asked"}
    if not is_settled or not (can_edit or can_delete):
        return None
    return ChangeView(entry.message, entry.text, can_edit, can_delete)


def hiding_offered(entry: Entry, telling: Telling) -> HideView | None:
    """Of what a customer wrote that stands there, and of which nothing is asked already."""
    name = name_of(entry)
    if not name or not _offered(entry, telling).hide:
        return None
    if entry.detail.keys() & {"deleted_at", "asked"}:
        return None
    return HideView(name, "hidden_at" in entry.detail)


def _offered(entry: Entry, telling: Telling) -> Capabilities:
    """What the account can do by which the message came or left; the case may be answered by another one by now."""
    account = entry.detail.get(ACCOUNT)
    if account:
        return telling.able.get(f"{entry.channel}:{account}", NOTHING)
    return telling.offered if entry.channel == telling.channel else NOTHING


def change_that_failed(entry: Entry, words: Words) -> DeliveryView | None:
    """Where it went wrong; that it was done stands at the answer."""
    if entry.delivery not in BAD or entry.message is None:
        return None
    reason = words.t.said(entry.delivery_reason) or words.t("delivery.no-reason")
    return DeliveryView(
        str(entry.delivery),
        words.t(f"delivery.change-{entry.delivery}", reason=reason),
        entry.message,
        is_bad=True,
        is_change=True,
    )
