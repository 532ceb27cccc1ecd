"""What the office of the tests meets instead of the world: a clock that stands, a relay that takes everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.http.context import Ingested
from schemas.outbound import OutboundMessage
from schemas.ports import Deliverer, Receipt, ReceiptStatus
from tests.support.clock import MONDAY_MORNING


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    at: datetime = MONDAY_MORNING

    def now(self) -> datetime:
        return self.at

    def advance(self, **units: float) -> None:
        self.at += timedelta(**units)


class NoIngester:
    """The console takes no mail in."""

    async def ingest_mail(self, account: str | None, content: bytes) -> Ingested:
        raise AssertionError("not asked for here")


class Relay:
    """Takes everything, and remembers it."""

    channel = "email"

    def __init__(self) -> None:
        self.sent: list[OutboundMessage] = []
        self.status = ReceiptStatus.SENT
        self.reason = ""
        self.may_change = False
        self.onward: Deliverer | None = None
        """What really sends, where a test wants to see the mail."""

    async def deliver(self, message: OutboundMessage) -> Receipt:
        self.sent.append(message)
        if self.onward is not None:
            return await self.onward.deliver(message)
        name = f"mail:{message.message}@hub"
        return Receipt(self.status, external_id=name, reason=self.reason, may_change=self.may_change)
