"""A step of intake as bytes: a line of JSON that says what follows, then values and contents one after the other.

Only what intake writes: events, blobs, and documents that must not exist yet.
"""

import json
from typing import Any
from uuid import UUID

from schemas.collections import BY_DOCUMENT, COLLECTIONS
from schemas.documents import Document
from schemas.errors import Never
from schemas.events import Event
from schemas.ids import sha256
from schemas.interactions import BlobRef, InteractionEvent
from schemas.parking import Quarantined
from schemas.steps import Blob, Step
from sinks.kafka.codec import from_record, to_message

NAMED = {collection.name: collection for collection in COLLECTIONS}


def item_of(event: Event) -> UUID | None:
    """The item of a source that an event tells of."""
    if isinstance(event.data, InteractionEvent):
        return event.data.part.item
    return event.data.item if isinstance(event.data, Quarantined) else None


def to_bytes(step: Step) -> bytes:
    """Raises ValueError for a step that intake does not write."""
    plain = Step(events=step.events, blobs=step.blobs, documents=step.documents)
    if step != plain or any(expected for _, expected in step.documents):
        raise ValueError("only events, blobs and new documents are spooled")
    messages = [to_message(each, 0) for each in step.events]
    head = {
        "events": [
            {
                "headers": [[name, content.decode()] for name, content in each.headers],
                "size": len(each.value),
            }
            for each in messages
        ],
        "documents": [
            {"collection": BY_DOCUMENT[type(document)].name, "body": document.model_dump_json()}
            for document, _ in step.documents
        ],
        "blobs": [blob.ref.model_dump(mode="json") for blob in step.blobs],
    }
    contents = [each.value for each in messages] + [each.content for each in step.blobs]
    return b"".join([json.dumps(head).encode(), b"\n", *contents])


def from_bytes(kept: bytes) -> Step:
    """Raises Never where they are not what was written, or fit no schema."""
    try:
        line = kept.index(b"\n")
        head: dict[str, Any] = json.loads(kept[:line])
        at = line + 1
        step = Step()
        for each in head["events"]:
            value, at = kept[at : at + each["size"]], at + each["size"]
            headers = [(name, content.encode()) for name, content in each["headers"]]
            decoded = from_record("spool", None, value, headers)
            if decoded.event is None:
                raise Never(f"a spooled event cannot be read: {decoded.problem}")
            step.events.append(decoded.event)
        step.documents = [(_document(each), 0) for each in head["documents"]]
        for each in head["blobs"]:
            ref = BlobRef.model_validate(each)
            content, at = kept[at : at + ref.size], at + ref.size
            if sha256(content) != ref.sha256:
                raise Never(f"the spooled blob {ref.sha256} was altered")
            step.blobs.append(Blob(ref, content))
    except (ValueError, KeyError, TypeError) as error:
        raise Never(f"a spooled item cannot be read: {type(error).__name__}: {error}"[:300]) from error
    return step


def _document(kept: dict[str, str]) -> Document:
    return NAMED[kept["collection"]].document.model_validate_json(kept["body"])
