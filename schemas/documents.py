"""States that are kept beside the log, each bounded. How they are found: schemas/collections.py."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.cases import CaseState, CaseSummary, Timer
from schemas.configuration import Configuration, Origin, Priority
from schemas.enums import Choice
from schemas.events import Actor, Frozen, Personal
from schemas.identity import Evidence
from schemas.interactions import Attachment, BlobRef, FormSubmission, Participant
from schemas.outbound import DeliveryState, OutboundMessage


class Document(Frozen):
    """`revision` is 0 for what is not stored yet; a write names the revision that it was decided on."""

    id: UUID
    revision: int = 0


class PendingReply(Frozen):
    """An answer that leaves later, with what it ended: taking it back makes the customer wait again as before."""

    message: OutboundMessage
    send_at: datetime
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False
    is_first: bool = Field(default=False, description="nobody had answered the case before")

    @property
    def ends_waiting(self) -> bool:
        return self.is_first or self.waiting_since is not None


class Unanswered(Frozen):
    """How a customer waited when the case was resolved without an answer."""

    waiting_since: datetime
    due_at: datetime | None
    overdue: bool


class Moved(Frozen):
    """That a case went from public to private: by which answer, from where, and what is still to be said there."""

    message: UUID
    account: str
    conversation: str
    public: OutboundMessage | None = None


class Case(Document):
    """One bounded document a case; messages are timeline entries. `revision` is the sequence of its last event.

    Why it was routed as it was stays in its `CaseRouted`: half of a case's bytes, which every change would write again.
    """

    number: str
    brand: str
    channel: str
    account: str
    conversation: str
    handle: UUID
    subject: Personal
    language: str
    state: CaseState = CaseState.OPEN
    queue: str = ""
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    assignee: str | None = None
    assigned_at: datetime | None = None
    opened_at: datetime
    updated_at: datetime
    waiting_since: datetime | None = Field(
        default=None, description="the oldest customer message that nobody answered"
    )
    wrote_at: datetime | None = Field(default=None, description="when the customer wrote last")
    due_at: datetime | None = None
    responded_at: datetime | None = None
    overdue: bool = False
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    unanswered: Unanswered | None = Field(
        default=None,
        description="what resolving it ended; opened again by hand, the customer waits as before",
    )
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = Field(default=(), description="cases merged into it, at most 100")
    ahead: int = Field(
        default=0,
        description="with the sequence it orders changes of entries, those of merged cases included",
    )
    related: UUID | None = None
    brought: tuple[UUID, ...] = Field(
        default=(), description="messages of the case that it was split off from; at most 200"
    )
    participants: tuple[UUID, ...] = Field(
        default=(), description="handles that may join by thread; at most 50"
    )
    outside: tuple[UUID, ...] = Field(
        default=(),
        description="handles that messages were forwarded to: they join, and are no customers; at most 50",
    )
    reply_recipients: tuple[Participant, ...] = ()
    last_external_id: str = ""
    references: tuple[str, ...] = Field(
        default=(), description="external ids of the thread: the first and the last 19"
    )
    last_automatic: bool = False
    messages: int = 0
    moved: Moved | None = Field(default=None, description="set once it went from public to private")
    pending: tuple[PendingReply, ...] = Field(default=(), description="answers that leave later; at most 20")
    timers: tuple[Timer, ...] = ()
    fold: int = Field(default=1, description="version of the fold that made it (processors.cases.folds)")

    def holds(self, entry: "Entry") -> bool:
        """Whether the entry is read in this case: its own, of one merged into it, or brought along when it was split off."""
        return entry.case == self.id or entry.case in self.absorbed or entry.id in self.brought

    def summary(self) -> CaseSummary:
        return CaseSummary.part_of(self)


class Link(Frozen):
    other: UUID
    evidence: Evidence
    actor: Actor
    since: datetime


class Handle(Document):
    """One way to reach somebody. A customer is the set of handles that links connect now."""

    scheme: str
    value: Personal
    name: Personal = ""
    first_seen_at: datetime
    links: tuple[Link, ...] = Field(default=(), description="at most 100")
    apart: tuple[UUID, ...] = Field(
        default=(), description="handles of which somebody said that they are another person; the last 100"
    )
    attributes: dict[str, str] = Field(default_factory=dict, json_schema_extra={"x-personal": True})
    consents: dict[str, str] = Field(default_factory=dict)
    answered_at: tuple[datetime, ...] = Field(default=(), description="automatic answers of the last day")


class Delivery(Document):
    """Where an outbound message stands. `id` is the message's."""

    message: OutboundMessage
    state: DeliveryState = DeliveryState.QUEUED
    attempts: int = 0
    order: int = Field(default=0, description="place within its conversation: position on the log")
    next_attempt_at: datetime
    queued_at: datetime | None = Field(
        default=None, description="when it entered the queue, or was put back by hand"
    )
    changed_at: datetime
    external_id: str = ""
    reason: Personal = ""
    sender: UUID | None = Field(default=None, description="the member that entered `sending`")
    parts: tuple[str, ...] = Field(default=(), description="as the channel named them when it was sent")


class EntryKind(Choice):
    MESSAGE = "message"  # from outside
    REPLY = "reply"  # from us
    NOTE = "note"
    STEP = "step"
    DELIVERY = "delivery"


class Entry(Frozen):
    """One line of a timeline. Stores the handle and conversation that it came from, for ever, and no customer."""

    id: UUID = Field(description="of the interaction for messages, of the case event for all else")
    case: UUID
    handle: UUID
    conversation: str
    channel: str
    kind: EntryKind
    step: str = Field(description="last part of the case event's type: opened, received, routed, replied …")
    sequence: int = Field(description="the case's sequence")
    occurred_at: datetime
    received_at: datetime
    actor: Actor
    subject: Personal = ""
    text: Personal = ""
    text_new: Personal = ""
    html: Personal = ""
    attachments: tuple[Attachment, ...] = ()
    participants: tuple[Participant, ...] = ()
    form: FormSubmission | None = None
    flags: tuple[str, ...] = ()
    verified: bool = False
    spoof_suspect: bool = False
    message: UUID | None = Field(
        default=None, description="outbound id of a reply, or the message a delivery tells of"
    )
    delivery: DeliveryState | None = None
    delivery_reason: Personal = ""
    original: BlobRef | None = None
    detail: dict[str, object] = Field(default_factory=dict)


class Parked(Document):
    """An event that waits, and with it all later events of its key. `position` is its place on the log."""

    consumer: str
    key: str
    event: UUID
    position: str
    reason: str
    attempts: int = 0
    not_before: datetime


class PublishedConfiguration(Document):
    """One immutable version of the configuration."""

    number: int
    configuration: Configuration
    actor: Actor
    published_at: datetime
    note: str = ""
    origin: Origin = Origin.FILE
    back_to: int | None = None


class ConfigurationDraft(Document):
    """The next configuration as somebody has it so far, begun on version `base`. Nothing runs under it."""

    user: str
    base: int
    configuration: Configuration
    kept_at: datetime


class Draft(Document):
    """What somebody began to write in a case and did not send, so that it is there on any device."""

    user: str
    case: UUID
    text: Personal
    html: Personal = Field(default="", description="the same, where it is formatted")
    fields: dict[str, str] = Field(
        default_factory=dict,
        description="what else was filled in, such as cc",
        json_schema_extra={"x-personal": True},
    )
    mode: str = Field(default="reply", description="reply or note")
    kept_at: datetime


class Presence(Document):
    """Somebody who looks at a case right now. Forgotten minutes later; it is no event, and nothing depends on it."""

    case: UUID
    user: str
    name: str
    seen_at: datetime
    typing_at: datetime | None = None


class Cursor(Document):
    """How far a connector that fetches has read one stream of its source, such as a folder of a mailbox.

    Written after the log has acknowledged what lies before it, and only at the revision that it was read at, so that of
    two readers one is told. `value` is the connector's own JSON, and means nothing to anybody else.
    """

    channel: str
    account: str
    stream: str
    value: str
    saved_at: datetime
    token: int = Field(
        default=0, description="of the lease under which it was read; an older one writes no more"
    )
