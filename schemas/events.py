"""The envelope of every event, and the registry of their types.

The attributes are those of CloudEvents 1.0 (id, source, type, time, subject, dataschema) with the extensions
partitionkey (`key`), sequence, correlationid and causationid. The payload is the event's `data`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.topics import Topic

SCHEMA_ROOT = "https://hubbub.example/schemas"

Personal = Annotated[str, Field(json_schema_extra={"x-personal": True})]
"""Text that tells of a person: exported, redacted and erased with that person."""


class Frozen(BaseModel):
    """Base of all that is said. Unknown fields are ignored: an older reader understands a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64")


class Payload(Frozen):
    """The data of one event type. `version` rises when a change breaks readers."""

    type: ClassVar[str]
    topic: ClassVar[Topic]
    version: ClassVar[int] = 1


class Actor(Frozen):
    """Who did it. `id` is a handle, a user name, a rule or a part of the hub, by `kind`."""

    kind: str = Field(description="customer, agent, automation, system or integrator")
    id: str
    name: Personal = ""


SYSTEM = Actor(kind="system", id="hubbub")


@dataclass(frozen=True, slots=True)
class Event:
    """One fact on the log. Frozen; `id` is derived, so the same fact written twice has the same id."""

    id: UUID
    key: str
    time: datetime
    data: Payload
    source: str
    correlation: UUID
    """The event at the head of the chain: the interaction or the request that all of this answers."""
    causation: UUID | None = None
    sequence: int | None = None
    """For events of a case: the case's own gapless count, from 1."""
    chain: tuple[str, ...] = ()
    """The automations that led here, oldest first. An automation never answers its own effect."""
    configuration: int | None = None
    """The version of the configuration under which it was decided."""
    late: bool = False
    """A dead letter that was replayed: it no longer keeps its place in the order of its key."""

    @property
    def type(self) -> str:
        return self.data.type

    @property
    def topic(self) -> Topic:
        return self.data.topic


EVENT_TYPES: dict[str, type[Payload]] = {}


P = TypeVar("P", bound=Payload)


def event_type(cls: type[P]) -> type[P]:
    """Class decorator: makes a payload known by its type name."""
    if cls.type in EVENT_TYPES:
        raise ValueError(f"event type {cls.type} is declared twice")
    EVENT_TYPES[cls.type] = cls
    return cls


def dataschema(payload: type[Payload]) -> str:
    """The CloudEvents `dataschema` of a type: an URI that changes with each breaking version."""
    return f"{SCHEMA_ROOT}/{payload.type}/{payload.version}.json"


def to_cloudevent(event: Event) -> dict[str, Any]:
    """The structured JSON form (CloudEvents 1.0, JSON format), as SSE, webhooks and the CLI give it."""
    cloud: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": event.source,
        "type": event.type,
        "time": event.time.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": dataschema(type(event.data)),
        "partitionkey": event.key,
        "correlationid": str(event.correlation),
        "topic": str(event.topic),
        "data": event.data.model_dump(mode="json"),
    }
    optional = {
        "causationid": str(event.causation) if event.causation else None,
        "sequence": str(event.sequence) if event.sequence is not None else None,
        "chain": ",".join(event.chain) or None,
        "configuration": event.configuration,
        "late": event.late or None,
    }
    cloud.update({name: value for name, value in optional.items() if value is not None})
    return cloud
