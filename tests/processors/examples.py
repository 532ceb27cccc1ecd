"""A small company and what people write to it, for the tests of rules, hours, templates and automations."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from schemas.cases import CaseEvent, CaseState, CaseSummary
from schemas.conditions import Condition
from schemas.configuration import Configuration, Priority
from schemas.documents import Entry, EntryKind
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.interactions import (
    Attachment,
    BlobRef,
    Content,
    FormSubmission,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""A Monday morning."""
CASE = derive("case of the tests")
INTERACTION = derive("interaction of the tests")
HANDLE = derive("handle of the tests")
ADA = Participant(role=Role.FROM, scheme="email", value="ada@example.com", name="Ada Lovelace", verified=True)
US = Participant(role=Role.TO, scheme="email", value="help@shop.example")
CUSTOMER = Actor(kind="customer", id=str(HANDLE), name="Ada Lovelace")

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)


def condition(written: dict[str, Any]) -> Condition:
    """A condition as it stands in YAML."""
    return _CONDITION.validate_python(written)


def clause(field: str, operator: str, value: Any = True) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def configuration(**parts: Any) -> Configuration:
    """A company with two brands and three queues; parts replace what stands here."""
    company: dict[str, Any] = {
        "brands": [
            {"name": "shop", "title": "The Shop"},
            {"name": "lab", "title": "The Lab", "signature": "Yours"},
        ],
        "hours": [
            {
                "name": "office",
                "timezone": "Europe/Berlin",
                "periods": [
                    {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}
                ],
            }
        ],
        "queues": [
            {"name": "inbox", "title": "Inbox", "hours": "office"},
            {"name": "billing", "title": "Billing"},
            {"name": "lab", "title": "Lab", "brand": "lab"},
        ],
    }
    return Configuration.model_validate(company | parts)


def received(
    subject: str = "Where is my order?",
    text: str = "Hello, it is three weeks now.",
    kind: Kind = Kind.MESSAGE,
    form: FormSubmission | None = None,
    flags: tuple[str, ...] = (),
    attachments: int = 0,
    brand: str = "shop",
    queue_hint: str | None = None,
) -> InteractionReceived:
    return InteractionReceived(
        part=Part(item=INTERACTION),
        channel="webform" if form else "email",
        account="help",
        brand=brand,
        conversation="mail:<1@example.com>",
        occurred_at=NOW,
        received_at=NOW,
        original=BlobRef(sha256="0" * 64, size=1),
        kind=kind,
        external_id="mail:<1@example.com>",
        participants=(ADA, US),
        content=Content(subject=subject, text=text, text_new=text, language="en"),
        attachments=tuple(
            Attachment(name=f"{index}.pdf", media_type="application/pdf", size=1)
            for index in range(attachments)
        ),
        flags=flags,
        form=form,
        queue_hint=queue_hint,
    )


def entry(message: InteractionReceived) -> Entry:
    """The timeline entry of a message."""
    return Entry(
        id=INTERACTION,
        case=CASE,
        handle=HANDLE,
        conversation=message.conversation,
        channel=message.channel,
        kind=EntryKind.MESSAGE,
        step="opened",
        sequence=1,
        occurred_at=message.occurred_at,
        received_at=message.received_at,
        actor=CUSTOMER,
        subject=message.content.subject,
        text=message.content.text,
        attachments=message.attachments,
        participants=message.participants,
        form=message.form,
        flags=message.flags,
        verified=True,
    )


def summary(
    queue: str = "inbox",
    state: CaseState = CaseState.OPEN,
    tags: tuple[str, ...] = (),
    priority: Priority = Priority.NORMAL,
    assignee: str | None = None,
) -> CaseSummary:
    return CaseSummary(
        number="7K3M9-Q2XAB",
        brand="shop",
        channel="email",
        account="help",
        state=state,
        queue=queue,
        priority=priority,
        tags=tags,
        assignee=assignee,
        subject="Where is my order?",
        language="en",
        handle=HANDLE,
        waiting_since=NOW,
        due_at=None,
    )


def case_event(
    payload: CaseEvent, sequence: int = 2, chain: tuple[str, ...] = (), causation: UUID | None = INTERACTION
) -> Event:
    return Event(
        id=derive("event of the tests", payload.type, str(sequence)),
        key=str(CASE),
        time=NOW,
        data=payload,
        source="/hub/cases",
        correlation=INTERACTION,
        causation=causation,
        sequence=sequence,
        chain=chain,
    )
