"""Who writes. A customer is the set of handles linked now; links are events with evidence and can be taken back."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.events import Actor, Frozen, Payload, Personal, event_type
from schemas.topics import Topic


class Evidence(Frozen):
    """Why two handles are one person. `kind`: reply-token, agent, form-signed, import."""

    kind: str
    interaction: UUID | None = None
    note: Personal = ""


class IdentityEvent(Payload):
    topic: ClassVar[Topic] = Topic.IDENTITY


@event_type
class HandleSeen(IdentityEvent):
    """A handle wrote for the first time."""

    type: ClassVar[str] = "hubbub.identity.handle-seen"

    handle: UUID
    scheme: str
    value: Personal
    name: Personal = ""
    channel: str = ""


@event_type
class HandlesLinked(IdentityEvent):
    """Two handles are one person from now on. Nothing else is moved."""

    type: ClassVar[str] = "hubbub.identity.handles-linked"

    first: UUID
    second: UUID
    evidence: Evidence
    actor: Actor


@event_type
class HandlesUnlinked(IdentityEvent):
    """A link is taken back; the handles stay, with all that they wrote."""

    type: ClassVar[str] = "hubbub.identity.handles-unlinked"

    first: UUID
    second: UUID
    evidence: Evidence
    actor: Actor


@event_type
class HandleDescribed(IdentityEvent):
    """Attributes that somebody stated of a customer by one of the handles (tier, language, name)."""

    type: ClassVar[str] = "hubbub.identity.handle-described"

    handle: UUID
    attributes: dict[str, str] = Field(json_schema_extra={"x-personal": True})
    actor: Actor


@event_type
class ConsentGiven(IdentityEvent):
    """The person agreed to a text, by its version."""

    type: ClassVar[str] = "hubbub.identity.consent-given"

    handle: UUID
    consent: str
    text_version: str
    interaction: UUID
