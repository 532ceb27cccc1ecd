"""Events as Kafka records: the CloudEvents 1.0 Kafka binding in binary mode.

The value is the event's data, each attribute a header `ce_<name>`, `content-type` the data's type, and the record key is the
extension `partitionkey`, which stays on the event too. `recordedtime` (an extension of the CloudEvents documents) is when the
event was put on the log. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from schemas.codec import decode, encode
from schemas.errors import Undecodable
from schemas.events import Event, dataschema
from schemas.ids import derive

Headers = list[tuple[str, bytes]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CONTENT_TYPE = b"application/json"
DIGEST = "hubbub-digest"
"""The header that seals a record: key, value and all attributes as they were written."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent for an event."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


@dataclass(frozen=True, slots=True)
class Decoded:
    """What was read. `event` is None when it fits no schema; `problem` then says why."""

    event: Event | None
    id: UUID
    type: str
    key: str
    problem: str = ""


def timestamp(micros: int) -> str:
    """RFC 3339, to the microsecond."""
    return (EPOCH + micros * MICROSECOND).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_message(event: Event, recorded_micros: int) -> Message:
    payload = event.data
    attributes = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": event.source,
        "type": payload.type,
        "time": event.time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "dataschema": dataschema(type(payload)),
        "partitionkey": event.key,
        "recordedtime": timestamp(recorded_micros),
        "correlationid": str(event.correlation),
    }
    if event.causation is not None:
        attributes["causationid"] = str(event.causation)
    if event.sequence is not None:
        attributes["sequence"] = str(event.sequence)
    if event.chain:
        attributes["chain"] = json.dumps(event.chain)
    if event.configuration is not None:
        attributes["configuration"] = str(event.configuration)
    if event.late:
        attributes["late"] = "true"
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    headers.append(("content-type", CONTENT_TYPE))
    key, value = event.key.encode(), encode(payload)
    headers.append((DIGEST, digest(key, value, headers)))
    return Message(str(payload.topic), key, value, headers)


def digest(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Of everything but the seal itself. Lengths stand before the parts, so that no two records have the same bytes."""
    parts = [key or b"", value or b""]
    for name, content in headers:
        if name != DIGEST:
            parts += [name.encode(), content]
    lengths = ",".join([str(len(part)) for part in parts]).encode()
    return hashlib.sha256(lengths + b"".join(parts)).hexdigest()[:32].encode()


def is_sealed(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a record is what was written. One of another producer has no seal, and counts as whole."""
    seals = [content for name, content in headers if name == DIGEST]
    return not seals or seals == [digest(key, value, headers)]


def event_id(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """As it is written."""
    return next((value for name, value in headers if name == "ce_id"), b"")


def recorded_micros(headers: Iterable[tuple[str, bytes]]) -> int:
    """When a record was put on the log, by its header; 0 where it has none that can be read."""
    for name, value in headers:
        if name == "ce_recordedtime":
            try:
                return (_time(value.decode()) - EPOCH) // MICROSECOND
            except ValueError:
                return 0
    return 0


def from_record(
    place: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Decoded:
    """Never raises. What has no id of its own gets one that its place gives."""
    attributes: dict[str, str] = {}
    id, type_name, text_key = derive("record", place), "", (key or b"").decode("utf-8", "replace")
    try:
        for name, content in headers:
            if name.startswith("ce_"):
                attributes[name[3:]] = content.decode()
        type_name = attributes.get("type", "")
        id = UUID(attributes["id"])
        event = _event(id, type_name, attributes, value)
    except Undecodable as error:
        return Decoded(None, id, type_name, text_key, str(error))
    except KeyError as error:
        return Decoded(None, id, type_name, text_key, f"the CloudEvents attribute {error} is missing")
    except (ValueError, TypeError) as error:
        return Decoded(None, id, type_name, text_key, f"a CloudEvents attribute cannot be read: {error}")
    return Decoded(event, event.id, type_name, event.key)


def _event(id: UUID, type_name: str, attributes: dict[str, str], value: bytes | None) -> Event:
    sequence, configuration = attributes.get("sequence"), attributes.get("configuration")
    causation, chain = attributes.get("causationid"), attributes.get("chain")
    return Event(
        id,
        attributes["partitionkey"],
        _time(attributes["time"]),
        decode(type_name, value or b""),
        attributes["source"],
        UUID(attributes["correlationid"]),
        UUID(causation) if causation else None,
        int(sequence) if sequence else None,
        tuple(map(str, json.loads(chain))) if chain else (),
        int(configuration) if configuration else None,
        attributes.get("late") == "true",
    )


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"the time {text!r} has no zone")
    return time.astimezone(UTC)
