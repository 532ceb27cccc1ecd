"""Changes of a case by what is written in it: messages and answers, what became of them, and what happened to them since."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.cases import CaseEvent
from schemas.events import Personal, event_type
from schemas.interactions import Participant
from schemas.outbound import ChangeKind, DeliveryState, OutboundMessage


class MessageEvent(CaseEvent):
    """A case event made by an interaction; its timeline entry is the message itself."""

    interaction: UUID
    handle: UUID = Field(description="who wrote, for ever; the customer is looked up when read")
    participants: tuple[UUID, ...] = Field(
        default=(), description="handles that take part in the conversation by this message"
    )
    external_id: str
    received_at: datetime | None = Field(
        default=None, description="when the message came, which may be long before it is decided"
    )
    reply_recipients: tuple[Participant, ...] = Field(default=(), description="to whom an answer goes now")
    automatic: bool = Field(
        default=False, description="written by a machine: neither reopens nor waits for an answer"
    )


@event_type
class CaseOpened(MessageEvent):
    type: ClassVar[str] = "hubbub.case.opened"

    number: str
    brand: str
    channel: str
    account: str
    conversation: str
    subject: Personal
    language: str
    related: UUID | None = Field(default=None, description="an older case that this one follows up")


@event_type
class CaseStarted(CaseEvent):
    """We wrote first: the message is the `CaseReplied` that follows."""

    type: ClassVar[str] = "hubbub.case.started"

    number: str
    brand: str
    channel: str
    account: str
    conversation: str
    handle: UUID = Field(description="to whom we wrote; the customer is looked up when read")
    queue: str
    subject: Personal
    language: str
    reply_recipients: tuple[Participant, ...] = ()
    related: UUID | None = Field(default=None, description="the case that it was split off from")
    brought: tuple[UUID, ...] = Field(default=(), description="entries of that case which are read here, too")
    waiting_since: datetime | None = None
    due_at: datetime | None = None


@event_type
class CaseReceived(MessageEvent):
    """A message joined the case."""

    type: ClassVar[str] = "hubbub.case.received"

    joined_by: str = Field(
        default="thread", description="token, thread, number: how it was known to belong here"
    )


@event_type
class CaseReplied(CaseEvent):
    """An answer was written. With `send_at` it leaves then, and can be taken back before."""

    type: ClassVar[str] = "hubbub.case.replied"

    message: OutboundMessage
    send_at: datetime | None = None
    template: str | None = None
    participants: tuple[UUID, ...] = Field(
        default=(), description="handles of those it goes to: who of them answers is known to the case"
    )
    interaction: UUID | None = Field(
        default=None, description="the message that an automation answers by it, which need not be the last"
    )


@event_type
class CaseSendReleased(CaseEvent):
    """The time of a scheduled answer came: it goes to outbound now."""

    type: ClassVar[str] = "hubbub.case.send-released"

    message: UUID


@event_type
class CaseReplyCancelled(CaseEvent):
    type: ClassVar[str] = "hubbub.case.reply-cancelled"

    message: UUID


@event_type
class CaseNoted(CaseEvent):
    """A note that only the team sees."""

    type: ClassVar[str] = "hubbub.case.noted"

    text: Personal


@event_type
class CaseChangeAsked(CaseEvent):
    """An answer that was sent is to read otherwise, or to be taken back, or a customer's message is to be hidden
    (`message.change`). The channel has still to do it."""

    type: ClassVar[str] = "hubbub.case.change-asked"

    kind: ChangeKind
    message: OutboundMessage


@event_type
class CaseWentPrivate(CaseEvent):
    """Who wrote in public is answered alone by the message before, and from now on."""

    type: ClassVar[str] = "hubbub.case.went-private"

    message: UUID = Field(description="the private answer")
    account: str
    conversation: str
    public: OutboundMessage | None = Field(
        default=None, description="what is said in public once the private answer was sent; without an id yet"
    )


@event_type
class CaseWentPublic(CaseEvent):
    """The private answer could not be sent: the case is answered in public as before."""

    type: ClassVar[str] = "hubbub.case.went-public"

    account: str
    conversation: str
    reason: Personal = ""


@event_type
class CaseDelivery(CaseEvent):
    """What became of a message of ours."""

    type: ClassVar[str] = "hubbub.case.delivery"

    message: UUID
    state: DeliveryState
    external_id: str = ""
    reason: Personal = ""
    change: ChangeKind | None = Field(
        default=None, description="set where the message changes one that was sent before"
    )


class MessageChanged(CaseEvent):
    """Something happened to a message of the case, outside."""

    external_id: str = Field(description="the channel's name of the message")
    entry: UUID | None = Field(
        default=None, description="the message's entry in the timeline, where it is known"
    )


@event_type
class CaseMessageEdited(MessageChanged):
    type: ClassVar[str] = "hubbub.case.message-edited"

    text: Personal
    subject: Personal = ""


@event_type
class CaseMessageDeleted(MessageChanged):
    """Taken back by its author or by somebody who may."""

    type: ClassVar[str] = "hubbub.case.message-deleted"

    withheld: bool = Field(default=False, description="what it said is shown to nobody any more")


@event_type
class CaseMessageHidden(MessageChanged):
    """One of us hid it from those who read along, where it was written; or shows it again."""

    type: ClassVar[str] = "hubbub.case.message-hidden"

    hidden: bool = True


@event_type
class CaseMessageReacted(MessageChanged):
    type: ClassVar[str] = "hubbub.case.message-reacted"

    emoji: str
    added: bool = True


@event_type
class CaseNotified(CaseEvent):
    """An automation told somebody outside the conversation: a webhook endpoint or a mailbox."""

    type: ClassVar[str] = "hubbub.case.notified"

    message: OutboundMessage
