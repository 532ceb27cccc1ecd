"""What could not be parsed (quarantine) and what could not be processed (dead letters). Nothing is lost."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.events import Actor, Payload, Personal, event_type
from schemas.interactions import BlobRef
from schemas.topics import Topic


@event_type
class Quarantined(Payload):
    """An accepted item that its connector could not parse."""

    type: ClassVar[str] = "hubbub.quarantine.added"
    topic: ClassVar[Topic] = Topic.QUARANTINE

    item: UUID
    channel: str
    account: str
    original: BlobRef
    stage: str = Field(description="verify, limits, parse, map")
    reason: Personal
    received_at: datetime
    envelope: dict[str, str] = Field(
        default_factory=dict,
        description="transport facts that the original does not hold",
        json_schema_extra={"x-personal": True},
    )


@event_type
class QuarantineClosed(Payload):
    """Parsed after all (`replayed`), or given up by somebody (`dropped`)."""

    type: ClassVar[str] = "hubbub.quarantine.closed"
    topic: ClassVar[Topic] = Topic.QUARANTINE

    item: UUID
    outcome: str
    actor: Actor


@event_type
class DeadLettered(Payload):
    """An event that a consumer can never process as it is. `value` holds the original bytes of its data."""

    type: ClassVar[str] = "hubbub.dead-letter.added"
    topic: ClassVar[Topic] = Topic.DEAD_LETTERS

    letter: UUID
    consumer: str
    event: UUID
    event_type: str
    key: str
    position: str
    attributes: dict[str, str]
    value: bytes = Field(json_schema_extra={"x-personal": True})
    stage: str
    reason: Personal
    attempts: int = 1


@event_type
class DeadLetterClosed(Payload):
    type: ClassVar[str] = "hubbub.dead-letter.closed"
    topic: ClassVar[Topic] = Topic.DEAD_LETTERS

    letter: UUID
    outcome: str
    actor: Actor


@event_type
class Audited(Payload):
    """Who did what that is not a change of a case: sign-in, export, permission change, read of an original."""

    type: ClassVar[str] = "hubbub.audit.recorded"
    topic: ClassVar[Topic] = Topic.AUDIT

    actor: Actor
    action: str
    subject: Personal = ""
    detail: dict[str, str] = Field(default_factory=dict, json_schema_extra={"x-personal": True})
