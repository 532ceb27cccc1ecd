"""What tells of a person is marked, in every event and document: export, redaction and erasure rest on it."""

from typing import Any

import pytest
from pydantic import BaseModel

from schemas.documents import Delivery, Entry
from schemas.interactions import FormSubmission
from schemas.letters import DeadLetter, QuarantineItem
from schemas.outbound import DeliveryFailed, DeliveryUnknown, OutboundMessage
from schemas.parking import Audited, DeadLettered, Quarantined

PERSONAL: list[tuple[type[BaseModel], tuple[str, ...]]] = [
    (DeliveryFailed, ("reason",)),
    (DeliveryUnknown, ("reason",)),
    (Delivery, ("reason",)),
    (Entry, ("text", "delivery_reason")),
    (OutboundMessage, ("text", "payload")),
    (FormSubmission, ("fields", "page_url")),
    (Quarantined, ("reason", "envelope")),
    (QuarantineItem, ("reason", "envelope")),
    (DeadLettered, ("value", "reason")),
    (DeadLetter, ("value", "reason")),
    (Audited, ("subject", "detail")),
]


@pytest.mark.parametrize(("model", "fields"), PERSONAL, ids=lambda each: getattr(each, "__name__", ""))
def test_what_peers_say_and_what_people_wrote_is_marked(
    model: type[BaseModel], fields: tuple[str, ...]
) -> None:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    assert [name for name in fields if not properties[name].get("x-personal")] == []
