"""A real mail server between us and the customers: what it hands on, keeps for us, and sends back."""

import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.email.compose import Composer
from connectors.email.deliver import EmailDeliverer
from connectors.email.settings import RelaySettings
from connectors.email.standin import Mailbox, StandinServer
from schemas.errors import Outage
from schemas.interactions import BlobRef, InteractionBounced, InteractionReceived
from schemas.ports import ReceiptStatus
from tests.connectors.email.house import ACCOUNTS, TOKENS, FakeEngine, FixedClock, mail, outbound, smtp_server
from tests.connectors.email.postfix import cannot_start, postfix
from tests.support.waiting import eventually

pytestmark = [pytest.mark.server("postfix"), pytest.mark.skipif(bool(cannot_start()), reason=cannot_start())]


@dataclass
class Town:
    engine: FakeEngine
    customers: StandinServer
    mailbox: Mailbox
    relay: int


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    engine = FakeEngine()
    mailbox = Mailbox(folder / "mailbox.sqlite")
    customers = StandinServer(mailbox, FixedClock())
    await customers.start()
    async with smtp_server(engine) as server, postfix(server.port, customers.port) as relay:
        yield Town(engine, customers, mailbox, relay)
    await customers.stop()
    await mailbox.close()


async def no_blob(ref: BlobRef) -> bytes:
    raise AssertionError(ref)


def hand_in(port: int, raw: bytes, recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.sendmail("ada@customer.example", [recipient], raw)


def deliverer(port: int) -> EmailDeliverer:
    relay = RelaySettings(host="127.0.0.1", port=port, security="none")
    return EmailDeliverer(relay, Composer(ACCOUNTS, TOKENS), no_blob)


async def test_mail_passes_a_relay_in_front_and_comes_again_after_an_outage(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.engine.fail_with = Outage("the disk is full")
        hand_in(place.relay, mail(), "support@shop.example")
        hand_in(
            place.relay,
            mail(Message_ID="<two@x>"),
            TOKENS.reply_address("support@shop.example", outbound().message),
        )
        place.engine.fail_with = None
        await eventually(lambda: len(place.engine.steps) >= 2, within_seconds=20)
        conversations = {event.key for event in place.engine.events}
        assert conversations == {"mail:one@customer.example", f"case:{outbound().message}"}
        assert all(isinstance(payload, InteractionReceived) for payload in place.engine.payloads)


async def test_a_refused_answer_comes_back_as_a_bounce_of_our_message(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        place.customers.behave(to_recipients={"*": "550 5.1.1 Nobody of that name"})
        sender = deliverer(place.relay)
        message = outbound()
        assert (await sender.deliver(message)).status is ReceiptStatus.SENT
        await eventually(lambda: place.engine.steps, within_seconds=20)
        await sender.close()
        (bounced,) = place.engine.payloads
        assert isinstance(bounced, InteractionBounced)
        assert (bounced.message, bounced.conversation) == (message.message, f"case:{message.case}")
        assert (bounced.recipient, bounced.status, bounced.action) == (
            "ada@customer.example",
            "5.1.1",
            "failed",
        )
        # The relay gave our envelope id back (RFC 3464, 2.2.1).
        report = place.engine.steps[0].blobs[0].content
        assert f"Original-Envelope-Id: {TOKENS.envelope_id(message.message, message.case)}".encode() in report


async def test_an_answer_passes_the_relay_unchanged(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        sender = deliverer(place.relay)
        text = "Grüße,\n.\n..\nFrom here " + "x" * 2_000
        await sender.deliver(outbound(text=text))
        (arrived,) = await place.mailbox.until(1, within_seconds=20)
        await sender.close()
        sent = Composer(ACCOUNTS, TOKENS).compose(outbound(text=text), {}).content
        assert arrived.content.endswith(sent)
