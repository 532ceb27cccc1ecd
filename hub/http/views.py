"""What the API answers with: documents of the hub as their readers see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from hub.queries import QueueView
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.documents import Case, Entry, EntryKind
from schemas.events import Actor
from schemas.interactions import FormSubmission, Participant
from schemas.outbound import DeliveryState
from schemas.steps import Hit

CASE_EXAMPLE: dict[str, JsonValue] = {
    "id": "0b0f6d0e-4c55-5d6b-9a53-0a9f4d5f7a11",
    "number": "7K3M9-Q2XAB",
    "sequence": 4,
    "brand": "acme",
    "channel": "email",
    "account": "support",
    "handle": "5e0d0a52-77b0-4c0e-8d3c-2f7f1f0a9d10",
    "subject": "Where is my order 123?",
    "language": "en",
    "state": "open",
    "queue": "orders",
    "priority": "high",
    "tags": ["delivery"],
    "assignee": "ines",
    "assigned_at": "2026-03-02T09:12:00Z",
    "opened_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:12:00Z",
    "waiting_since": "2026-03-02T09:00:00Z",
    "due_at": "2026-03-02T13:00:00Z",
    "responded_at": None,
    "overdue": False,
    "snoozed_until": None,
    "resolved_at": None,
    "merged_into": None,
    "absorbed": [],
    "related": None,
    "reply_recipients": [
        {"role": "to", "scheme": "email", "value": "ann@example.net", "name": "Ann", "verified": True}
    ],
    "messages": 1,
    "pending": [],
}


class View(BaseModel):
    """Base of answers: read from the attributes of what it shows."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class QueueOut(View):
    """A queue with its live counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "orders",
                "title": "Orders",
                "brand": "acme",
                "open": 12,
                "unassigned": 3,
                "overdue": 1,
                "snoozed": 2,
                "oldest_waiting": "2026-03-02T08:55:00Z",
            }
        }
    )

    name: str
    title: str
    brand: str | None
    open: int
    unassigned: int
    overdue: int
    snoozed: int
    oldest_waiting: datetime | None

    @classmethod
    def of(cls, queue: QueueView) -> "QueueOut":
        count = queue.count
        return cls(
            name=queue.name,
            title=queue.title,
            brand=queue.brand,
            open=count.open,
            unassigned=count.unassigned,
            overdue=count.overdue,
            snoozed=count.snoozed,
            oldest_waiting=count.oldest_waiting,
        )


class PendingOut(View):
    """An answer that leaves later, and can be taken back until then."""

    message: UUID
    send_at: datetime


class CaseOut(View):
    """A case. `sequence` counts its events; it is the ETag and what `If-Match` takes."""

    model_config = ConfigDict(json_schema_extra={"example": CASE_EXAMPLE})

    id: UUID
    number: str
    sequence: int
    brand: str
    channel: str
    account: str
    handle: UUID
    subject: str
    language: str
    state: CaseState
    queue: str
    priority: Priority
    tags: tuple[str, ...]
    assignee: str | None
    assigned_at: datetime | None
    opened_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    due_at: datetime | None
    responded_at: datetime | None
    overdue: bool
    snoozed_until: datetime | None
    resolved_at: datetime | None
    merged_into: UUID | None
    absorbed: tuple[UUID, ...]
    related: UUID | None
    reply_recipients: tuple[Participant, ...]
    messages: int
    pending: tuple[PendingOut, ...]

    @classmethod
    def of(cls, case: Case) -> "CaseOut":
        pending = tuple(
            PendingOut(message=each.message.message, send_at=each.send_at) for each in case.pending
        )
        taken = {
            name: getattr(case, name) for name in cls.model_fields if name not in {"sequence", "pending"}
        }
        return cls(sequence=case.revision, pending=pending, **taken)


class AttachmentOut(View):
    """A file of a message. `blob` is null when it was refused; `note` then says why."""

    name: str
    media_type: str
    size: int
    blob: str | None = Field(description="SHA-256 of its bytes; names it below the entry's `attachments/`")
    inline: bool
    content_id: str | None
    note: str
    alt: str = Field(description="what a picture shows, where its sender said so")


class EntryOut(View):
    """One line of a timeline. The HTML of a message is read apart (`…/entries/{entry}/html`)."""

    id: UUID
    case: UUID
    handle: UUID
    channel: str
    kind: EntryKind
    step: str
    sequence: int
    occurred_at: datetime
    received_at: datetime
    actor: Actor
    subject: str
    text: str
    text_new: str
    has_html: bool
    has_original: bool
    attachments: tuple[AttachmentOut, ...]
    participants: tuple[Participant, ...]
    form: FormSubmission | None
    flags: tuple[str, ...]
    verified: bool
    spoof_suspect: bool
    message: UUID | None
    delivery: DeliveryState | None
    delivery_reason: str
    detail: dict[str, object]

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        made = {"has_html", "has_original", "attachments"}
        taken = {name: getattr(entry, name) for name in cls.model_fields if name not in made}
        attachments = tuple(
            AttachmentOut(
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                blob=each.blob.sha256 if each.blob else None,
                inline=each.inline,
                content_id=each.content_id,
                note=each.note,
                alt=each.alt,
            )
            for each in entry.attachments
        )
        return cls(
            has_html=bool(entry.html),
            has_original=entry.original is not None,
            attachments=attachments,
            **taken,
        )


class RuleOut(View):
    rule: str
    title: str
    matched: bool
    effect: str
    clauses: tuple[str, ...]


class ExplanationOut(View):
    """Why the case is where it is, in plain sentences, and clause by clause."""

    sentences: tuple[str, ...]
    rules: tuple[RuleOut, ...]


class HitOut(View):
    """A case found by words, with the place that matched."""

    case: UUID
    number: str
    entry: UUID
    excerpt: str
    occurred_at: datetime

    @classmethod
    def of(cls, hit: Hit) -> "HitOut":
        return cls.model_validate(hit)
