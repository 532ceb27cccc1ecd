"""Encryption in and out, with a certificate of the tests' own."""

import asyncio
import smtplib
import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.email.compose import Composer
from connectors.email.deliver import EmailDeliverer
from connectors.email.settings import RelaySettings
from connectors.email.standin import Mailbox, StandinServer
from schemas.errors import Invalid
from schemas.interactions import BlobRef
from schemas.ports import Receipt, ReceiptStatus
from tests.connectors.email.house import ACCOUNTS, TOKENS, FakeEngine, FixedClock, mail, outbound, smtp_server
from tests.connectors.email.raw_smtp import RawClient

FIXTURES = Path(__file__).parent / "fixtures"
CERTIFICATE = KEY = str(FIXTURES / "localhost-certificate.txt")  # signed by itself, valid until 2126


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CERTIFICATE)


def server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


def send_encrypted(port: int, count: int) -> None:
    with smtplib.SMTP("localhost", port, timeout=10) as client:
        client.starttls(context=client_context())
        for number in range(count):
            refused = client.sendmail(
                "ada@customer.example", ["support@shop.example"], mail(Message_ID=f"<{number}@x.example>")
            )
            assert not refused
        assert b"STARTTLS" not in client.ehlo()[1]


async def test_mail_comes_in_encrypted() -> None:
    engine = FakeEngine()
    async with smtp_server(engine, tls_certificate=CERTIFICATE, tls_key=KEY) as server:
        await asyncio.to_thread(send_encrypted, server.port, 3)
        await asyncio.wait_for(server._idle.wait(), 5)
        assert server.connections.total == 0
    assert len(engine.steps) == 3


async def test_a_certificate_that_cannot_be_used_is_told_with_its_setting(tmp_path: Path) -> None:
    for name, content in (("missing.pem", None), ("odd.pem", "no certificate")):
        path = tmp_path / name
        if content is not None:
            path.write_text(content)
        with pytest.raises(Invalid, match=name) as told:
            async with smtp_server(FakeEngine(), tls_certificate=str(path), tls_key=KEY):
                pass
        assert list(told.value.problems) == ["email.smtp_in.tls_certificate"]


async def test_what_was_said_before_encryption_is_not_taken_for_said_within() -> None:
    encrypting = smtp_server(FakeEngine(), tls_certificate=CERTIFICATE, tls_key=KEY)
    async with encrypting as server, RawClient(server.port) as client:
        assert "STARTTLS" in await client.say("EHLO client.example")
        await client.say("MAIL FROM:<ada@customer.example>")
        # A command in the same packet: RFC 3207, section 6, and CVE-2011-0411.
        client.writer.write(b"STARTTLS\r\nNOOP injected\r\n")
        assert (await client.answer()).startswith("220 ")
        await client.writer.start_tls(client_context(), server_hostname="localhost")
        # Neither the sender nor the command crossed over.
        assert (await client.say("RCPT TO:<support@shop.example>")).startswith("503 ")


async def test_a_handshake_that_is_none_ends_the_connection_and_only_that() -> None:
    async with smtp_server(FakeEngine(), tls_certificate=CERTIFICATE, tls_key=KEY) as server:
        async with RawClient(server.port) as client:
            await client.say("EHLO client.example")
            await client.say("STARTTLS")
            client.writer.write(b"this is no handshake\r\n" * 10)
            await client.answer()
            assert (await client.reader.read()) == b""
        async with RawClient(server.port) as other:
            assert (await other.deliver(mail())).startswith("250 ")


async def no_blob(ref: BlobRef) -> bytes:
    raise AssertionError(ref)


async def send(port: int, host: str, authorities: str | None) -> Receipt:
    relay = RelaySettings(
        host=host,
        port=port,
        security="starttls",
        certificate_authorities=authorities,
        username="hubbub",
        password=SecretStr("secret"),
    )
    sender = EmailDeliverer(relay, Composer(ACCOUNTS, TOKENS), no_blob)
    try:
        return await sender.deliver(outbound())
    finally:
        await sender.close()


async def test_mail_goes_out_encrypted_to_a_relay_that_is_who_it_says(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    server = StandinServer(mailbox, FixedClock(), tls=server_context(), login=("hubbub", "secret"))
    await server.start()
    assert (await send(server.port, "localhost", CERTIFICATE)).status is ReceiptStatus.SENT
    unknown_authority = await send(server.port, "localhost", None)
    assert (unknown_authority.status, unknown_authority.stop_account) == (ReceiptStatus.RETRY, True)
    assert "certificate" in unknown_authority.reason.lower()
    assert await mailbox.count() == 1
    await server.stop()
    await mailbox.close()
