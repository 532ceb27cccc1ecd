"""What is to be sent, and what became of it: queued, sending, then sent, failed or unknown."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.enums import Choice
from schemas.events import Actor, Frozen, Payload, Personal, event_type
from schemas.interactions import Attachment, Participant
from schemas.topics import Topic


class DeliveryState(Choice):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class ChangeKind(Choice):
    EDIT = "edit"
    DELETE = "delete"
    HIDE = "hide"  # a customer's message, from everybody who reads along
    SHOW = "show"


class SentChange(Frozen):
    """What is asked of a message that was sent before: to read otherwise, or to be taken back; or of a customer's, to be hidden."""

    kind: ChangeKind
    message: UUID = Field(description="the message that it changes; of a customer's, its entry")
    external_id: str = Field(description="the channel's name of that message")
    parts: tuple[str, ...] = Field(default=(), description="as `parts` of its delivery")


class OutboundMessage(Frozen):
    """A message as it will leave; all that a connector needs to render it the same way each time."""

    message: UUID
    case: UUID | None = Field(default=None, description="None for notices that belong to no case")
    channel: str
    account: str
    brand: str
    conversation: str
    recipients: tuple[Participant, ...]
    subject: Personal = ""
    text: Personal
    html: Personal = ""
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    author: Actor
    forwarded: UUID | None = Field(
        default=None, description="entry of the message that it hands on to somebody who is not the customer"
    )
    written: int = Field(
        default=0,
        description="how many characters of `text` its author wrote; signature and quote follow; 0: not known",
    )
    written_html: int = Field(default=0, description="the same of `html`")
    automatic: bool = Field(
        default=False, description="an automatic answer: marked so that no machine answers it"
    )
    queued_at: datetime
    payload: dict[str, object] | None = Field(
        default=None,
        description="the CloudEvent that a webhook endpoint gets",
        json_schema_extra={"x-personal": True},
    )
    change: SentChange | None = Field(
        default=None,
        description="it is no message of its own: it changes one that was sent. An edit has the new text as `text`",
    )


@event_type
class OutboundQueued(Payload):
    type: ClassVar[str] = "hubbub.outbound.queued"
    topic: ClassVar[Topic] = Topic.OUTBOUND

    message: OutboundMessage


class DeliveryEvent(Payload):
    topic: ClassVar[Topic] = Topic.DELIVERIES

    message: UUID
    case: UUID | None
    channel: str
    account: str
    attempts: int = 1
    change: SentChange | None = Field(
        default=None, description="what `message` asked of one that was sent before, where it did"
    )


@event_type
class DeliverySent(DeliveryEvent):
    """The channel took the message over."""

    type: ClassVar[str] = "hubbub.delivery.sent"

    external_id: str
    refused: dict[str, str] = Field(
        default_factory=dict,
        description="recipients refused though others were accepted",
        json_schema_extra={"x-personal": True},
    )
    may_change: bool = Field(
        default=False,
        description="the channel tells of reactions to it, and of edits and deletions by others",
    )
    conversation: str = Field(
        default="", description="key of the conversation that it went into, where only the channel knew that"
    )
    parts: tuple[str, ...] = Field(
        default=(),
        description="the channel's names of all that it left as, where that is more than one, its files too",
    )


@event_type
class DeliveryFailed(DeliveryEvent):
    """It will not arrive; nothing was accepted."""

    type: ClassVar[str] = "hubbub.delivery.failed"

    reason: Personal = Field(description="as the channel said it, addresses included")


@event_type
class DeliveryUnknown(DeliveryEvent):
    """It may have been sent; a machine never sends it again."""

    type: ClassVar[str] = "hubbub.delivery.unknown"

    reason: Personal = Field(description="as the channel said it, addresses included")


@event_type
class DeliverySettled(DeliveryEvent):
    """A person or the channel settled what was unknown: sent, or queued to be sent again."""

    type: ClassVar[str] = "hubbub.delivery.settled"

    state: DeliveryState
    actor: Actor
