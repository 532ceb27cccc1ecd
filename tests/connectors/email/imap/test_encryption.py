"""Encryption to a real Dovecot, verified; and what an attacker between us may try."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.imap.client import ImapClient
from schemas.ports import HealthState
from tests.connectors.email.imap.dovecot import Dovecot, dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings
from tests.connectors.email.imap.odd_server import odd_server

FIXTURES = Path(__file__).parents[1] / "fixtures"
CERTIFICATE = KEY = FIXTURES / "localhost-certificate.txt"  # signed by itself, valid until 2126


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    async with dovecot(USER, certificate=(CERTIFICATE, KEY)) as started:
        yield started


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_mail_is_fetched_encrypted(server: Dovecot, home: House, security: str) -> None:
    server.deliver(USER, mail(1))
    port = server.tls_port if security == "tls" else server.port
    chosen = settings(port, host="localhost", security=security, certificate_authorities=str(CERTIFICATE))
    async with home.reading(chosen) as mailbox:
        await home.until(1)
        await healthy(mailbox, "listening")
        server.deliver(USER, mail(2))
        await home.until(2)
    assert "TLS" in server.log()


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_server_that_cannot_prove_who_it_is_gets_no_password(
    server: Dovecot, home: House, security: str
) -> None:
    port = server.tls_port if security == "tls" else server.port
    async with home.reading(settings(port, host="localhost", security=security)) as mailbox:
        await healthy(mailbox, "certificate is not trusted", HealthState.DEGRADED)
    assert "Login: " not in server.log()


async def test_tls_to_a_port_that_speaks_in_clear_says_what_to_check(home: House) -> None:
    async with odd_server() as plain, home.reading(settings(plain.port, security="tls")) as mailbox:
        await healthy(mailbox, "check port and security", HealthState.DEGRADED)


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"capabilities": "IMAP4rev1"}, "offers no STARTTLS"),
        ({"greeting": b"* PREAUTH welcome\r\n"}, "before there is encryption"),
    ],
)
async def test_encryption_that_is_taken_away_on_the_way_is_noticed(
    home: House, odd: dict[str, object], told: str
) -> None:
    async with odd_server(**odd) as plain:
        async with home.reading(settings(plain.port, security="starttls")) as mailbox:
            await healthy(mailbox, told, HealthState.DEGRADED)
        assert not [each for each in plain.heard if b"AUTH" in each or b"LOGIN" in each]


async def test_what_was_said_in_clear_before_the_encryption_is_thrown_away() -> None:
    """An attacker writes answers behind the OK to STARTTLS; they must not count as the server's."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)

    async def injecting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
        tag = (await reader.readline()).split()[0]
        writer.write(tag + b" OK begin\r\n* CAPABILITY IMAP4rev1 INJECTED\r\nh2 OK injected\r\n")
        await writer.drain()
        await writer.start_tls(context)
        tag = (await reader.readline()).split()[0]
        writer.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(injecting, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    chosen = settings(port, host="localhost", security="starttls", timeout_seconds=5)
    client = await ImapClient.connect(chosen, ssl.create_default_context(cafile=CERTIFICATE))
    assert client.capabilities == {"IMAP4REV1", "IDLE"}
    await client.close()
    server.close()
    await server.wait_closed()
