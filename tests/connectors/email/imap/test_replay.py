"""A mailbox read again since a time: what was never taken comes, what is known does nothing. And whether its credentials work."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.email.checking import check
from connectors.email.settings import EmailSettings
from schemas.errors import NotYet
from tests.connectors.email.imap.dovecot import PASSWORD, Dovecot, dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings
from tests.connectors.email.relays import scripted

pytestmark = pytest.mark.server("dovecot")


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    async with dovecot(USER) as started:
        yield started


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def test_what_came_before_we_began_comes_and_what_is_known_does_not_come_twice(
    server: Dovecot, home: House
) -> None:
    server.deliver(USER, mail(1))
    async with home.reading(settings(server.port, first_run="from_now")) as mailbox:
        await healthy(mailbox, "listening")
        server.deliver(USER, mail(2))
        assert await home.until(1) == ["Order 2"]
        await home.apply()
        told = await mailbox.replay(home.clock.now() - timedelta(hours=1))
        assert "fetched again since" in told
        assert sorted(await home.until(2)) == ["Order 1", "Order 2"]
        await healthy(mailbox, "listening")
        server.deliver(USER, mail(3))
        assert sorted(await home.until(3)) == ["Order 1", "Order 2", "Order 3"]


async def test_a_mailbox_that_is_not_read_here_is_left_to_who_reads_it(server: Dovecot, home: House) -> None:
    with pytest.raises(NotYet):
        await home.mailbox(settings(server.port)).replay(home.clock.now())


def mail_settings(port: int, **changes: object) -> EmailSettings:
    box = settings(port, **changes).model_dump(mode="python", exclude={"oauth"})
    account = {"name": "support", "address": USER}
    return EmailSettings.model_validate({"accounts": [account], "imap": [box], "smtp_in": None})


async def test_a_check_says_who_lets_us_in_and_what_is_missing(server: Dovecot) -> None:
    relay, box = [each async for each in check(mail_settings(server.port))]
    assert not relay.is_well and "email.relay" in relay.cure
    assert box.is_well and USER in box.what


async def test_a_check_names_the_folder_that_is_not_there_and_the_ones_that_are(server: Dovecot) -> None:
    _, box = [each async for each in check(mail_settings(server.port, folders=("INBOX", "Archiv")))]
    assert not box.is_well and "Archiv" in box.what and "INBOX" in box.cure


async def test_a_check_tells_a_wrong_password_without_saying_it(server: Dovecot) -> None:
    _, box = [each async for each in check(mail_settings(server.port, password="wrong-" + PASSWORD))]
    assert not box.is_well and box.cure and PASSWORD not in box.what + box.cure


async def test_a_check_of_a_relay_signs_in_and_sends_nothing() -> None:
    said: list[bytes] = []

    async def relay(reader, writer) -> None:  # type: ignore[no-untyped-def]
        writer.write(b"220 relay.example ESMTP\r\n")
        while command := await reader.readuntil(b"\r\n"):
            said.append(command)
            writer.write(b"250 relay.example\r\n" if not command.startswith(b"QUIT") else b"221 bye\r\n")

    async with scripted(relay) as port:
        account = {"name": "support", "address": USER}
        relaying = {"host": "127.0.0.1", "port": port, "security": "none"}
        found = EmailSettings.model_validate({"accounts": [account], "relay": relaying, "smtp_in": None})
        (finding,) = [each async for each in check(found)]
    assert finding.is_well
    assert not any(command.upper().startswith((b"MAIL", b"RCPT", b"DATA")) for command in said)
