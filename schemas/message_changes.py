"""What happened to a message since it was written."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.documents import Document
from schemas.events import Actor, Frozen, Personal
from schemas.ids import derive
from schemas.interactions import Attachment, Content
from schemas.outbound import ChangeKind


class Edit(Frozen):
    """How a message reads since `at`."""

    at: datetime
    by: Actor
    content: Content
    attachments: tuple[Attachment, ...] = ()


class Reaction(Frozen):
    """Whether this person marks the message with this emoji, since `at`."""

    emoji: str
    by: Actor
    at: datetime
    added: bool = True


class OwnChange(Frozen):
    """What one of us asked of a message of ours, while it is not known whether the channel did it."""

    message: UUID = Field(description="the outbound message that asks for it")
    kind: ChangeKind
    by: Actor
    text: Personal = ""


class Way(Frozen):
    """By which a message came or left."""

    channel: str
    account: str
    conversation: str = ""


class MessageChanges(Document):
    """What happened to a message since it was written. Its entry stays as it was; readers lay this over it.

    Kept as well for a message that has not come yet (`case` None): message and change commute.
    """

    external_id: str
    noted_at: datetime
    case: UUID | None = None
    entry: UUID | None = None
    way: Way | None = Field(default=None, description="none of messages that came before this was noted")
    edits: tuple[Edit, ...] = Field(default=(), description="oldest first; the first and the last 9")
    deleted_at: datetime | None = None
    deleted_by: Actor | None = None
    withheld: bool = Field(default=False, description="what it said is shown to nobody any more")
    hidden_at: datetime | None = Field(default=None, description="hidden from those who read along")
    hidden_by: Actor | None = None
    reactions: tuple[Reaction, ...] = Field(default=(), description="at most 100")
    asked: OwnChange | None = Field(
        default=None, description="one at a time, so that they end in their order"
    )


def changes_id(external_id: str) -> UUID:
    """The id of the document that tells what happened to a message, known from the message's own name."""
    return derive("message changes", external_id)
