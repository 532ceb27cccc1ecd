"""The mail channel keeps the contract of connectors: by SMTP, with the stand-in of a relay on the other side."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, cast

from connectors.email.channel import CHANNEL
from connectors.email.connector import EmailConnector
from connectors.email.standin import Mailbox, StandinServer
from connectors.kit.contract import ConnectorContract
from connectors.kit.rigs import Clock, Given, Rig, Send, Told
from schemas.outbound import OutboundMessage
from schemas.ports import Engine
from tests.connectors.email.raw_smtp import RawClient
from tests.connectors.engines import sqlite

PASSWORD = "relay-password-of-the-tests"
ANSWER_SECONDS = 3.0
BEHAVIOUR: dict[Send, Mapping[str, Any]] = {
    Send.TAKES: {"to_sender": "", "to_recipients": {}, "hang_up_after_dot": False},
    Send.REFUSES: {"to_recipients": {"*": "550 5.1.1 No such user"}},
    Send.LOSES: {"hang_up_after_dot": True},
    Send.REJECTS_US: {"to_sender": "535 5.7.8 Authentication credentials invalid"},
}


class EmailRig(Rig):
    channel = CHANNEL
    account = "support"
    secrets: ClassVar[Sequence[str]] = (PASSWORD,)

    async def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.mailbox = Mailbox(Path(self.folder.name) / "mailbox.sqlite")
        self.relay = StandinServer(self.mailbox, Clock(), login=("hubbub", PASSWORD))
        await self.relay.start()

    async def end(self) -> None:
        await self.relay.stop()
        await self.mailbox.close()
        self.folder.cleanup()

    def settings(self) -> Mapping[str, Any]:
        return {
            "smtp_in": {"port": 0},
            "accounts": [{"name": "support", "address": "support@shop.example"}],
            "relay": {
                "host": "127.0.0.1",
                "port": self.relay.port,
                "security": "none",
                "username": "hubbub",
                "password": PASSWORD,
            },
        }

    @property
    def port(self) -> int:
        return cast(EmailConnector, self.opened.connectors[0]).port or 0

    async def give(self, given: Given) -> Told:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), RawClient(self.port) as client:
                answer = await client.deliver(given.body)
        except (TimeoutError, ConnectionError):
            return Told.AGAIN  # nothing was said
        if answer.startswith("2"):
            return Told.DONE
        return Told.NO if answer.startswith("5") else Told.AGAIN

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        lines = [
            "From: Ann <ann@customer.example>",
            "To: support@shop.example",
            "Subject: Order",
            f"Message-ID: {_id(name)}",
            *([f"References: {_id(thread)}"] if thread else []),
            "Date: Mon, 02 Mar 2026 08:59:00 +0000",
            "",
            text,
            "",
        ]
        return Given(name, "\r\n".join(lines).encode())

    def malformed(self) -> Given:
        return Given("malformed", b"")

    async def echo(self, message: OutboundMessage) -> Given:
        (sent,) = await self.mailbox.until(1)
        return Given("echo", sent.content)

    async def prepare(self, what: Send) -> bool:
        if what is Send.DOWN:
            await self.relay.stop()
            return True
        if what not in BEHAVIOUR:
            return False
        self.relay.behave(**BEHAVIOUR[what])
        return True

    async def arrived(self) -> list[str]:
        return [_text(each.content) for each in await self.mailbox.list()]


def _id(name: str) -> str:
    return f"<{name.replace(' ', '.')}@customer.example>"


def _text(raw: bytes) -> str:
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    return body.get_content() if body is not None else ""


class TestContract(ConnectorContract):
    rig_type = EmailRig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
