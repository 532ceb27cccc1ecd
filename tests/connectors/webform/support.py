"""A form with everything on it, a connector over a five-line engine, and clients of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx

from connectors.kit.intake import Intake
from connectors.webform.connector import WebformConnector
from connectors.webform.settings import Form, WebformSettings
from schemas.documents import Document
from schemas.errors import Conflict
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.parking import Quarantined
from schemas.steps import Blob, Found, References, Step
from tests.support.clock import Clock

SECRET = b"a secret of thirty-two bytes...."
HUB = "https://forms.example.com"
SHOP = "https://shop.example.org"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

CONTACT: dict[str, Any] = {
    "name": "contact",
    "brand": "acme",
    "title": {"en": "Contact us", "de": "Kontakt", "fa": "تماس با ما"},
    "fields": [
        {"name": "name", "label": {"en": "Name", "de": "Name", "fa": "نام"}},
        {
            "name": "email",
            "type": "email",
            "label": {"en": "Email", "de": "E-Mail", "fa": "ایمیل"},
            "required": True,
        },
        {"name": "phone", "type": "phone", "label": "Telephone"},
        {"name": "subject", "label": {"en": "Subject", "de": "Betreff", "fa": "موضوع"}},
        {
            "name": "topic",
            "type": "select",
            "label": {"en": "Topic", "de": "Thema"},
            "options": [
                {"value": "order", "label": {"en": "An order", "de": "Eine Bestellung"}},
                {"value": "other", "label": {"en": "Something else", "de": "Etwas anderes"}},
            ],
        },
        {
            "name": "ways",
            "type": "checkbox",
            "label": {"en": "How may we answer?", "de": "Wie dürfen wir antworten?"},
            "options": [{"value": "mail", "label": "Email"}, {"value": "call", "label": "Call"}],
        },
        {
            "name": "message",
            "type": "textarea",
            "label": {"en": "Message", "de": "Nachricht", "fa": "پیام"},
            "required": True,
            "maximum_characters": 2000,
        },
        {"name": "campaign", "type": "hidden", "label": "Campaign"},
    ],
    "consents": [
        {
            "name": "privacy",
            "version": "2026-01",
            "text": {"en": "I agree to the privacy notice.", "de": "Ich stimme der Datenschutzerklärung zu."},
        }
    ],
    "queue": "support",
    "allowed_origins": [SHOP],
    "thank_you_urls": ["https://shop.example.org/thanks"],
    "country_code": "+49",
    "signing_secrets": [SIGNING],
}
WITH_FILES: dict[str, Any] = {
    "name": "claim",
    "title": "Claim",
    "fields": [
        {"name": "email", "type": "email", "label": "Email", "required": True},
        {"name": "photos", "type": "file", "label": "Photos"},
        {"name": "message", "type": "textarea", "label": "Message"},
    ],
    "uploads": {"files": 2, "file_bytes": 1000, "total_bytes": 1500, "types": ["image/png", "text/plain"]},
}
ENTRY: dict[str, Any] = {"email": "Ann@Example.com", "message": "Where is my order?", "privacy": "yes"}


def settings(*forms: dict[str, Any], **more: Any) -> WebformSettings:
    return WebformSettings.model_validate({"forms": list(forms or (CONTACT, WITH_FILES)), **more})


def form(**changes: Any) -> Form:
    return Form.model_validate({**CONTACT, **changes})


@dataclass
class StoppedClock:
    """The port over the clock of the tests."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now


@dataclass
class MemoryEngine:
    """As much of an engine as intake needs. `outage`, once set, is raised by each commit."""

    events: list[Event] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    documents: dict[UUID, Document] = field(default_factory=dict)
    outage: Exception | None = None

    async def commit(self, step: Step) -> None:
        if self.outage is not None:
            raise self.outage
        if any(document.id in self.documents for document, _ in step.documents):
            raise Conflict("taken")
        self.documents |= {document.id: document for document, _ in step.documents}
        self.events += step.events
        self.blobs += step.blobs

    async def load(self, references: References) -> Found:
        wanted = {id for ids in references.documents.values() for id in ids}
        return Found(documents={id: document for id, document in self.documents.items() if id in wanted})


def nonces() -> Iterator[UUID]:
    number = 0
    while True:
        number += 1
        yield UUID(int=number)


@dataclass
class Rig:
    """A connector that runs, what it has accepted, and a client that is a visitor's browser."""

    connector: WebformConnector
    engine: MemoryEngine
    client: httpx.AsyncClient
    clock: Clock

    @property
    def interactions(self) -> list[InteractionReceived]:
        return [event.data for event in self.engine.events if isinstance(event.data, InteractionReceived)]

    @property
    def interaction(self) -> InteractionReceived:
        (only,) = self.interactions
        return only

    @property
    def quarantined(self) -> list[Quarantined]:
        return [event.data for event in self.engine.events if isinstance(event.data, Quarantined)]

    def blob(self, digest: str) -> bytes:
        return next(blob.content for blob in self.engine.blobs if blob.ref.sha256 == digest)

    async def token(self, form: str = "contact") -> tuple[str, str]:
        """Token and key of a page, opened now."""
        html = (await self.client.get(f"/f/{form}")).text
        return between(html, 'name="_token" value="', '"'), between(html, 'name="_key" value="', '"')

    async def page_entry(self, seconds: float = 30, **changes: Any) -> dict[str, Any]:
        """What a browser sends for an entry that took so long to write."""
        token, key = await self.token()
        self.clock.advance(seconds=seconds)
        return {**ENTRY, "_token": token, "_key": key, "_language": "en", **changes}


@asynccontextmanager
async def rig(
    clock: Clock, configured: WebformSettings | None = None, peer: str = "198.51.100.7"
) -> AsyncIterator[Rig]:
    engine = MemoryEngine()
    made = nonces()
    connector = WebformConnector(
        configured or settings(),
        Intake(engine, StoppedClock(clock)),  # type: ignore[arg-type]  # the two methods that intake calls
        SECRET,
        new_nonce=lambda: next(made),
    )
    await connector.start()
    transport = httpx.ASGITransport(connector.app, client=(peer, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=HUB) as client:
        yield Rig(connector, engine, client, clock)
    await connector.stop(0)


def between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]
