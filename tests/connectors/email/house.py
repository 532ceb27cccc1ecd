"""What the tests of the mail channel share: an engine of five lines, a hub without a hub, mails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from connectors.email.accounts import Accounts
from connectors.email.mapping import MailContext
from connectors.email.reader import MailReader
from connectors.email.receiver import MailReceiver
from connectors.email.server import SmtpServer
from connectors.email.settings import AccountSettings, SmtpInSettings
from connectors.email.tokens import Tokens
from connectors.kit.intake import Intake
from schemas.events import Actor, Event, Payload
from schemas.interactions import Participant, Role
from schemas.outbound import OutboundMessage
from schemas.ports import Engine
from schemas.steps import Step
from tests.support.clock import MONDAY_MORNING

TOKENS = Tokens((b"a secret of the tests, 32 bytes..",))
SUPPORT = AccountSettings(
    name="support",
    address="support@shop.example",
    aliases=("help@shop.example",),
    brand="shop",
    display_name="Shop support",
)
SALES = AccountSettings(name="sales", address="sales@garden.example", brand="garden", queue_hint="sales")
ACCOUNTS = Accounts.of((SUPPORT, SALES))
CONTEXT = MailContext(ACCOUNTS, TOKENS, frozenset({"mx.shop.example"}), frozenset({"noreply@shop.example"}))


class FixedClock:
    def now(self) -> datetime:
        return MONDAY_MORNING


@dataclass
class FakeEngine:
    """Keeps what is committed; `fail_with` makes commits fail, `keep` False forgets."""

    steps: list[Step] = field(default_factory=list)
    keep: bool = True
    fail_with: Exception | None = None

    async def commit(self, step: Step) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        if self.keep:
            self.steps.append(step)

    @property
    def events(self) -> list[Event]:
        return [event for step in self.steps for event in step.events]

    @property
    def payloads(self) -> list[Payload]:
        return [event.data for event in self.events]


def receiver_on(engine: FakeEngine, reader: MailReader) -> MailReceiver:
    return MailReceiver(Intake(cast(Engine, engine), FixedClock()), reader, CONTEXT)


@asynccontextmanager
async def smtp_server(engine: FakeEngine, **settings: Any) -> AsyncIterator[SmtpServer]:
    reader = MailReader()
    server = SmtpServer(SmtpInSettings(**{"port": 0, **settings}), receiver_on(engine, reader), FixedClock())
    await server.start()
    try:
        yield server
    finally:
        await server.stop(2)
        await reader.close()


def mail(body: str = "Where is my order?", **headers: str) -> bytes:
    """A mail; headers by name with `_` for `-`, an empty one leaves it out."""
    fields = {
        "From": "Ada <ada@customer.example>",
        "To": "support@shop.example",
        "Subject": "Order",
        "Date": "Mon, 02 Mar 2026 08:00:00 +0000",
        "Message-ID": "<one@customer.example>",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    return "\r\n".join([*lines, "", *body.split("\n"), ""]).encode("utf-8", "surrogateescape")


def outbound(**changes: Any) -> OutboundMessage:
    fields: dict[str, Any] = {
        "message": UUID(int=1),
        "case": UUID(int=7),
        "channel": "email",
        "account": "support",
        "brand": "shop",
        "conversation": "mail:one@customer.example",
        "recipients": (Participant(role=Role.TO, scheme="email", value="ada@customer.example", name="Ada"),),
        "subject": "Re: Order",
        "text": "It is on its way.\n\nThe shop",
        "in_reply_to": "mail:one@customer.example",
        "references": ("mail:one@customer.example",),
        "author": Actor(kind="agent", id="bea", name="Bea"),
        "queued_at": MONDAY_MORNING,
    }
    return OutboundMessage(**(fields | changes))
