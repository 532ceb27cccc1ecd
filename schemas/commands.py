"""What is asked for: requests to a case, by agents (over the API), policies and timers (over the log)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.configuration import Priority
from schemas.events import Actor, Frozen, Payload, Personal, event_type
from schemas.interactions import Attachment, Participant
from schemas.outbound import DeliveryState
from schemas.topics import Topic


class Quoted(Frozen):
    """A message as it stands under the one that answers it or hands it on. `said` tells who wrote it and when."""

    said: Personal = Field(max_length=2_000)
    text: Personal = Field(max_length=200_000)


class Command(Payload):
    topic: ClassVar[Topic] = Topic.COMMANDS

    case: UUID
    actor: Actor
    expected_sequence: int | None = Field(
        default=None, description="refuse when the case moved on (If-Match)"
    )


@event_type
class ReplyToCase(Command):
    """Answer the customer. `text` as typed; the connector makes HTML of it unless `html` says how it looks."""

    type: ClassVar[str] = "hubbub.command.reply"

    text: Personal = Field(min_length=1, max_length=200_000)
    html: Personal = Field(
        default="", max_length=400_000, description="the same, formatted; cleaned again when it is decided"
    )
    quoted: Quoted | None = None
    copies: tuple[Participant, ...] | None = Field(
        default=None, description="roles cc and bcc, instead of those in copy so far; None: as before"
    )
    attachments: tuple[Attachment, ...] = ()
    send_at: datetime | None = None
    resolve: bool = False


@event_type
class StartCase(Command):
    """Write to somebody first. `case` is derived from the request; it opens with the message."""

    type: ClassVar[str] = "hubbub.command.start"

    channel: str
    account: str = Field(description="of ours, from which it comes")
    brand: str
    queue: str
    to: tuple[Participant, ...] = Field(min_length=1, description="the first is the customer")
    copies: tuple[Participant, ...] = Field(default=(), description="roles cc and bcc")
    subject: Personal = Field(default="", max_length=1_000)
    language: str = "und"
    text: Personal = Field(min_length=1, max_length=200_000)
    html: Personal = Field(default="", max_length=400_000)
    attachments: tuple[Attachment, ...] = ()
    send_at: datetime | None = None


@event_type
class SplitCase(Command):
    """Messages of the case go on in a case of their own, `into`, which is derived from the request."""

    type: ClassVar[str] = "hubbub.command.split"

    into: UUID
    entries: tuple[UUID, ...] = Field(min_length=1, max_length=100, description="oldest first")
    handle: UUID = Field(description="who wrote the first of them")
    to: tuple[Participant, ...] = Field(description="to whom an answer goes there")
    subject: Personal = Field(default="", max_length=1_000)
    queue: str
    waiting_since: datetime = Field(description="when the first of them came")


@event_type
class ForwardMessage(Command):
    """Hand a message of the case on, by mail, to somebody who is not its customer."""

    type: ClassVar[str] = "hubbub.command.forward"

    entry: UUID
    to: tuple[Participant, ...] = Field(min_length=1)
    copies: tuple[Participant, ...] = Field(default=(), description="roles cc and bcc")
    subject: Personal = Field(default="", max_length=1_000)
    text: Personal = Field(default="", max_length=200_000)
    html: Personal = Field(default="", max_length=400_000)
    quoted: Quoted
    attachments: tuple[Attachment, ...] = ()
    send_at: datetime | None = None


@event_type
class AnswerFromTemplate(Command):
    """An automatic answer. Never to automatic mail, and only so many a day to one sender."""

    type: ClassVar[str] = "hubbub.command.answer-from-template"

    template: str
    interaction: UUID | None = Field(
        default=None, description="the message that is answered, as the reply will say"
    )


@event_type
class CancelReply(Command):
    type: ClassVar[str] = "hubbub.command.cancel-reply"

    message: UUID


@event_type
class EditReply(Command):
    """Let an answer that was sent read otherwise. Refused where its channel cannot do that."""

    type: ClassVar[str] = "hubbub.command.edit-reply"

    message: UUID
    text: Personal = Field(min_length=1, max_length=200_000)


@event_type
class DeleteReply(Command):
    """Take an answer back that was sent. Refused where its channel cannot do that."""

    type: ClassVar[str] = "hubbub.command.delete-reply"

    message: UUID


@event_type
class AnswerPrivately(Command):
    """Answer alone who wrote in public. What follows in the case is private too. Refused where its channel cannot do that."""

    type: ClassVar[str] = "hubbub.command.answer-privately"

    text: Personal = Field(min_length=1, max_length=200_000)
    attachments: tuple[Attachment, ...] = ()
    public_text: Personal = Field(
        default="",
        max_length=10_000,
        description="a short answer in public, once the private one was sent; empty: none",
    )


@event_type
class HideMessage(Command):
    """Hide what a customer wrote from those who read along, or show it again. Refused where its channel cannot do that."""

    type: ClassVar[str] = "hubbub.command.hide-message"

    external_id: str = Field(description="the channel's name of the message")
    hidden: bool = True


@event_type
class NoteCase(Command):
    type: ClassVar[str] = "hubbub.command.note"

    text: Personal = Field(min_length=1, max_length=200_000)


@event_type
class ClaimCase(Command):
    """Take the case. Refused when somebody has it: the answer says who and since when."""

    type: ClassVar[str] = "hubbub.command.claim"


@event_type
class AssignCase(Command):
    type: ClassVar[str] = "hubbub.command.assign"

    assignee: str | None


@event_type
class SnoozeCase(Command):
    type: ClassVar[str] = "hubbub.command.snooze"

    until: datetime


@event_type
class WakeCase(Command):
    type: ClassVar[str] = "hubbub.command.wake"


@event_type
class ResolveCase(Command):
    type: ClassVar[str] = "hubbub.command.resolve"


@event_type
class ReopenCase(Command):
    type: ClassVar[str] = "hubbub.command.reopen"


@event_type
class TagCase(Command):
    type: ClassVar[str] = "hubbub.command.tag"

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@event_type
class PrioritizeCase(Command):
    type: ClassVar[str] = "hubbub.command.prioritize"

    priority: Priority


@event_type
class TransferCase(Command):
    type: ClassVar[str] = "hubbub.command.transfer"

    queue: str


@event_type
class MergeCase(Command):
    type: ClassVar[str] = "hubbub.command.merge"

    into: UUID


@event_type
class MarkSpam(Command):
    type: ClassVar[str] = "hubbub.command.mark-spam"


@event_type
class ClearSpam(Command):
    type: ClassVar[str] = "hubbub.command.clear-spam"


@event_type
class SettleDelivery(Command):
    """Settle what is unknown: `sent` (it arrived) or `failed` (send it again)."""

    type: ClassVar[str] = "hubbub.command.settle-delivery"

    message: UUID
    state: DeliveryState


@event_type
class ScheduleAutomation(Command):
    type: ClassVar[str] = "hubbub.command.schedule"

    automation: str
    due_at: datetime


@event_type
class NotifyOutside(Command):
    """Tell a webhook endpoint or a mailbox about the case."""

    type: ClassVar[str] = "hubbub.command.notify"

    endpoint: str | None = None
    to: str | None = None
    template: str | None = None
    about: UUID = Field(description="the case event that is told")


@event_type
class TimerDue(Command):
    """A timer's time came. Ignored when the case no longer holds that timer."""

    type: ClassVar[str] = "hubbub.command.timer-due"

    timer: str
    due_at: datetime
