"""A real SMTP server behind the office, and the mails that it took."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from connectors.email.deliver import EmailDeliverer
from connectors.email.settings import RelaySettings
from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from tests.hub.console.office import Office
from tests.hub.console.shop import COMPOSER


@dataclass(frozen=True)
class Arrived:
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def part(self, subtype: str) -> str:
        body = self.mail.get_body((subtype,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True)
class Postbox:
    mailbox: Mailbox

    async def arrived(self) -> list[Arrived]:
        return [Arrived(each.recipients, each.content) for each in await self.mailbox.list(limit=100)]


@asynccontextmanager
async def postbox(office: Office) -> AsyncIterator[Postbox]:
    """Until the end of the block, what the office sends goes there."""
    mailbox = Mailbox(":memory:")
    server = StandinServer(mailbox, office.clock)
    await server.start()
    settings = RelaySettings(host="127.0.0.1", port=server.port, security="none")
    deliverer = office.relay.onward = EmailDeliverer(settings, COMPOSER, office.engine.blob)
    try:
        yield Postbox(mailbox)
    finally:
        office.relay.onward = None
        await deliverer.close()
        await server.stop()
        await mailbox.close()
