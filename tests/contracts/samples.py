"""Real events and documents in few words, for suites that care about engines and not about their content."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.case_messages import CaseNoted
from schemas.documents import Case, Entry, EntryKind
from schemas.events import SYSTEM, Actor, Event
from schemas.ids import case_number, derive
from schemas.interactions import BlobRef, Content, InteractionReceived, Kind, Part

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ORIGINAL = BlobRef(sha256="0" * 64, size=3)


class FixedClock:
    """Says what it was told to say."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def name(*parts: object) -> UUID:
    """An id for what the parts say, the same each time."""
    return derive("test", *map(str, parts))


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def received(number: int, conversation: str = "thread", text: str = "Where is my order?") -> Event:
    """The interaction of that number, in a conversation."""
    payload = InteractionReceived(
        part=Part(item=name("item", number)),
        channel="email",
        account="support",
        brand="acme",
        conversation=conversation,
        occurred_at=minutes(number),
        received_at=minutes(number),
        original=ORIGINAL,
        kind=Kind.MESSAGE,
        external_id=f"<{number}@example.org>",
        content=Content(subject="Order 123", text=text, text_new=text),
    )
    id = name("interaction", number)
    return Event(id, conversation, minutes(number), payload, "hubbub/email/support", id)


def noted(case: UUID, sequence: int, text: str = "called back") -> Event:
    """A case event: a note."""
    payload = CaseNoted(case=case, actor=Actor(kind="agent", id="ada"), text=text)
    id = name("noted", case, sequence)
    return Event(
        id, str(case), minutes(sequence), payload, "hubbub/cases", id, sequence=sequence, chain=("a", "b")
    )


def case(label: str = "one", **changes: Any) -> Case:
    """A case that is not stored yet, at the sequence 1 unless `revision` says otherwise."""
    id = name("case", label)
    fields: dict[str, Any] = {
        "id": id,
        "revision": 1,
        "number": case_number(id),
        "brand": "acme",
        "channel": "email",
        "account": "support",
        "conversation": f"thread-{label}",
        "handle": name("handle", label),
        "subject": f"Order of {label}",
        "language": "en",
        "queue": "orders",
        "opened_at": NOON,
        "updated_at": NOON,
        "waiting_since": NOON,
    }
    return Case(**(fields | changes))


def entry(number: int, of: str = "one", **changes: Any) -> Entry:
    """The entry of that number on the timeline of a case."""
    fields: dict[str, Any] = {
        "id": name("entry", number),
        "case": name("case", of),
        "handle": name("handle", of),
        "conversation": f"thread-{of}",
        "channel": "email",
        "kind": EntryKind.MESSAGE,
        "step": "received",
        "sequence": number,
        "occurred_at": minutes(number),
        "received_at": minutes(number),
        "actor": SYSTEM,
        "text": f"text {number}",
    }
    return Entry(**(fields | changes))
