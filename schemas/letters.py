"""What could not be read, and what could not be processed: kept whole until somebody sees to it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.documents import Document
from schemas.enums import Choice
from schemas.events import Personal
from schemas.interactions import BlobRef


class LetterState(Choice):
    OPEN = "open"
    REPLAYED = "replayed"
    DROPPED = "dropped"


class QuarantineItem(Document):
    channel: str
    account: str
    original: BlobRef
    stage: str
    reason: Personal
    received_at: datetime
    state: LetterState = LetterState.OPEN
    attempts: int = 1
    envelope: dict[str, str] = Field(default_factory=dict, json_schema_extra={"x-personal": True})


class DeadLetter(Document):
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
    added_at: datetime
    state: LetterState = LetterState.OPEN
