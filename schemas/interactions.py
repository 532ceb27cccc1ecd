"""What the outside world did: one normalized event a message, whatever the channel.

Conservation: each accepted item yields events that carry the item's id, index and count, or one `Ignored` with the reason.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.enums import Choice
from schemas.events import Frozen, Payload, Personal, event_type
from schemas.topics import Topic


class Kind(Choice):
    MESSAGE = "message"
    FORM = "form"
    AUTO_REPLY = "auto_reply"
    CALENDAR = "calendar"


class Role(Choice):
    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"  # of ours only: told to the relay, and to nobody who reads
    REPLY_TO = "reply_to"


FROM = Role.FROM
"""By a name of its own, because Python 3.11 takes three times as long to find a member in its class."""


class Part(Frozen):
    """Which part of which accepted item this event is."""

    item: UUID
    index: int = 0
    count: int = 1


class BlobRef(Frozen):
    """Bytes kept beside the log, named by their content."""

    sha256: str
    size: int
    media_type: str = "application/octet-stream"


class Participant(Frozen):
    """A handle as this message showed it. `scheme` says how it is known: email, email-typed (a form), slack, x …

    `value` is normalized (an address in lower case); `verified` says that the channel proved it.
    """

    role: Role
    scheme: str
    value: Personal
    name: Personal = ""
    verified: bool = False


class Attachment(Frozen):
    name: Personal
    media_type: str
    size: int
    blob: BlobRef | None = Field(default=None, description="None when it was refused; `note` then says why")
    inline: bool = False
    content_id: str | None = None
    note: str = ""
    alt: Personal = Field(
        default="", max_length=1_000, description="what a picture shows, for those who do not see it"
    )


class Content(Frozen):
    subject: Personal = ""
    text: Personal = Field(default="", description="everything a person would read")
    text_new: Personal = Field(
        default="", description="without quotes and signature; the whole text where nothing is left"
    )
    html: Personal = Field(default="", description="sanitized; runs no script")
    language: str = Field(default="und", description="BCP 47")


class Authentication(Frozen):
    """What the channel proved about the sender (RFC 8601 result words; none where nothing was checked)."""

    spf: str = "none"
    dkim: str = "none"
    dmarc: str = "none"
    spoof_suspect: bool = False


class FormSubmission(Frozen):
    form: str
    version: str
    fields: dict[str, str] = Field(json_schema_extra={"x-personal": True})
    page_url: Personal = Field(
        default="", description="where the form stood; its query may tell of the person"
    )
    consent: dict[str, str] = Field(
        default_factory=dict, description="consent name -> version of the text agreed to"
    )


class Source(Frozen):
    """Fields that every interaction shares."""

    part: Part
    channel: str
    account: str
    brand: str
    conversation: str = Field(description="the ordering key; never changes")
    occurred_at: datetime = Field(description="the source's clock")
    received_at: datetime = Field(description="our clock")
    original: BlobRef


class InteractionEvent(Payload, Source):
    topic: ClassVar[Topic] = Topic.INTERACTIONS


@event_type
class InteractionReceived(InteractionEvent):
    """Somebody wrote to us."""

    type: ClassVar[str] = "hubbub.interaction.received"

    kind: Kind
    external_id: str = Field(description="the channel's name of this message, such as a Message-ID")
    parents: tuple[str, ...] = Field(default=(), description="messages that it answers, the nearest first")
    tokens: tuple[str, ...] = Field(
        default=(), description="references we signed and that were verified: `case:<uuid>`"
    )
    numbers: tuple[str, ...] = Field(
        default=(), description="case numbers that the subject names; weak, needs a known sender"
    )
    participants: tuple[Participant, ...] = ()
    content: Content = Content()
    attachments: tuple[Attachment, ...] = ()
    authentication: Authentication = Authentication()
    flags: tuple[str, ...] = Field(
        default=(), description="auto, bulk, list, spam, suspect, encrypted, truncated …"
    )
    form: FormSubmission | None = None
    queue_hint: str | None = None
    may_change: bool = Field(
        default=False, description="the channel lets it be edited, deleted or reacted to, and tells us"
    )
    thread_is_proven: bool = Field(
        default=False,
        description="the channel vouches for the conversation: whoever writes in it joins its case, known before or not",
    )

    @property
    def sender(self) -> Participant | None:
        for each in self.participants:  # asked several times a message: a generator would take thrice as long
            if each.role is FROM:
                return each
        return None


@event_type
class InteractionBounced(InteractionEvent):
    """A message of ours came back (RFC 3464), or the recipient complained (RFC 5965)."""

    type: ClassVar[str] = "hubbub.interaction.bounced"

    external_id: str
    message: UUID | None = Field(
        default=None, description="the outbound message, where its id could be read and verified"
    )
    recipient: Personal = ""
    status: str = Field(default="", description="RFC 3463 enhanced status, such as 5.1.1")
    action: str = Field(default="failed", description="failed, delayed, complaint")
    diagnostic: Personal = ""


@event_type
class InteractionReceipt(InteractionEvent):
    """The recipient's system says that our message was delivered or read (RFC 8098)."""

    type: ClassVar[str] = "hubbub.interaction.receipt"

    external_id: str
    message: UUID | None = None
    status: str = "read"


class InteractionChange(InteractionEvent):
    """Something happened to a message; it may be known already or still to come. Has the conversation of that message."""

    external_id: str = Field(description="the channel's name of this change")
    target: str = Field(description="`external_id` of the message that it tells of")
    author: Participant | None = Field(default=None, description="who did it, where the channel says so")


@event_type
class InteractionEdited(InteractionChange):
    """A message has another content now. Of two edits the later `occurred_at` counts."""

    type: ClassVar[str] = "hubbub.interaction.edited"

    content: Content
    attachments: tuple[Attachment, ...] = ()


@event_type
class InteractionDeleted(InteractionChange):
    """A message was taken back, by its author or by somebody who may."""

    type: ClassVar[str] = "hubbub.interaction.deleted"

    withheld: bool = Field(
        default=False, description="the channel's terms forbid to show it from now on, to our own people too"
    )


@event_type
class InteractionReaction(InteractionChange):
    """Somebody reacted to a message, theirs or ours, or took a reaction back."""

    type: ClassVar[str] = "hubbub.interaction.reaction"

    reaction: str = Field(description="an emoji, or the channel's name of one such as `thumbsup`")
    removed: bool = False


@event_type
class InteractionIgnored(InteractionEvent):
    """An accepted item of which nothing follows, and why."""

    type: ClassVar[str] = "hubbub.interaction.ignored"

    external_id: str
    reason: str
