"""Events as Kafka records: the CloudEvents 1.0 Kafka binding in binary mode.

The value is the event's data, each attribute a header `ce_<name>`, `content-type` the data's type, and the record key is the
extension `partitionkey`, which stays on the event too. `recordedtime` (an extension of the CloudEvents documents) is when the
event was put on the log. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

import hashlib
import json
from binascii import unhexlify
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from schemas.codec import decode, encode
from schemas.errors import Undecodable
from schemas.events import Event, Payload, dataschema
from schemas.ids import derive, from_bytes

Headers = list[tuple[str, bytes]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CONTENT_TYPE = b"application/json"
LENGTH_OF_ID, DASHES_OF_ID = 36, 4
DIGEST = "hubbub-digest"
"""The header that seals a record: key, value and all attributes as they were written."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent for an event."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Decoded(NamedTuple):
    """What was read. `event` is None when it fits no schema; `problem` then says why."""

    event: Event | None
    id: UUID
    type: str
    key: str
    problem: str = ""


def timestamp(micros: int) -> str:
    """RFC 3339, to the microsecond."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """Stamps rise, so the next is most likely of the same second."""
    return (EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds").removesuffix("+00:00")


def _rfc3339(time: datetime) -> str:
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


@lru_cache(maxsize=1000)
def _fixed(payload: type[Payload]) -> tuple[bytes, bytes, str]:
    """What all events of a type say: type, schema, and the topic."""
    return payload.type.encode(), dataschema(payload).encode(), str(payload.topic)


def to_message(event: Event, recorded_micros: int) -> Message:
    payload = event.data
    type_name, schema, topic = _fixed(type(payload))
    key, value = event.key.encode(), encode(payload)
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(event.id).encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", type_name),
        ("ce_time", _rfc3339(event.time).encode()),
        ("ce_dataschema", schema),
        ("ce_partitionkey", key),
        ("ce_recordedtime", timestamp(recorded_micros).encode()),
        ("ce_correlationid", str(event.correlation).encode()),
    ]
    if event.causation is not None:
        headers.append(("ce_causationid", str(event.causation).encode()))
    if event.sequence is not None:
        headers.append(("ce_sequence", b"%d" % event.sequence))
    if event.chain:
        headers.append(("ce_chain", json.dumps(event.chain).encode()))
    if event.configuration is not None:
        headers.append(("ce_configuration", b"%d" % event.configuration))
    if event.late:
        headers.append(("ce_late", b"true"))
    headers.append(("content-type", CONTENT_TYPE))
    headers.append((DIGEST, digest(key, value, headers)))
    return Message(topic, key, value, headers)


def digest(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Of everything but the seal itself. Lengths stand before the parts, so that no two records have the same bytes."""
    parts = [key or b"", value or b""]
    for name, content in headers:
        if name != DIGEST:
            parts.append(name.encode())
            parts.append(content)
    lengths = _lengths(len(parts)) % tuple(map(len, parts))
    return hashlib.sha256(lengths + b"".join(parts)).hexdigest()[:32].encode()


@lru_cache(maxsize=100)
def _lengths(count: int) -> bytes:
    return b",".join([b"%d"] * count)


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
            except (ValueError, AttributeError):
                return 0
    return 0


def from_record(
    place: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Decoded:
    """Never raises. What has no id of its own gets one that its place gives."""
    said = dict(headers)
    type_name, id = "", None
    try:
        type_name = said.get("ce_type", b"").decode()
        id = _id(said["ce_id"])
        event = _event(id, type_name, said, value)
    except Undecodable as error:
        problem = str(error)
    except KeyError as error:
        problem = f"the CloudEvents attribute {error.args[0].removeprefix('ce_')!r} is missing"
    except (ValueError, TypeError, AttributeError) as error:  # Kafka knows headers without a value
        problem = f"a CloudEvents attribute cannot be read: {error}"
    else:
        return Decoded(event, id, type_name, event.key)
    text_key = (key or b"").decode("utf-8", "replace")
    return Decoded(None, id or derive("record", place), type_name, text_key, problem)


def _event(id: UUID, type_name: str, said: Mapping[str, bytes], value: bytes | None) -> Event:
    sequence, configuration = said.get("ce_sequence"), said.get("ce_configuration")
    causation, chain = said.get("ce_causationid"), said.get("ce_chain")
    return Event(
        id,
        said["ce_partitionkey"].decode(),
        _time(said["ce_time"].decode()),
        decode(type_name, value or b""),
        said["ce_source"].decode(),
        _id(said["ce_correlationid"]),
        _id(causation) if causation else None,
        int(sequence) if sequence else None,
        tuple(map(str, json.loads(chain))) if chain else (),
        int(configuration) if configuration else None,
        said.get("ce_late") == b"true",
    )


def _id(written: bytes) -> UUID:
    """As UUID reads it; as we write it in a third of the time."""
    if len(written) == LENGTH_OF_ID and written.count(b"-") == DASHES_OF_ID:
        return from_bytes(unhexlify(written.replace(b"-", b"")))
    return UUID(written.decode())


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"the time {text!r} has no zone")
    return time if time.tzinfo is UTC else time.astimezone(UTC)
