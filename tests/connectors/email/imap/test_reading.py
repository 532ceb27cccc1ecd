"""Mail fetched from a real Dovecot: what comes, in which order, once; whatever happens to the server meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.interactions import InteractionReceived
from schemas.ports import HealthState
from tests.connectors.email.imap.dovecot import Dovecot, dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings

pytestmark = pytest.mark.server("dovecot")


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    async with dovecot(USER, "sales@garden.example") as started:
        yield started


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def test_mails_that_are_there_and_mails_that_come_are_taken_in_order(
    server: Dovecot, home: House
) -> None:
    for number in range(3):
        server.deliver(USER, mail(number), number)
    async with home.reading(settings(server.port)) as mailbox:
        await home.until(3)
        await healthy(mailbox, "listening")
        server.deliver(USER, mail(3))
        assert await home.until(4) == [f"Order {number}" for number in range(4)]
        assert mailbox.health().last_success_at
    assert mailbox.health().state is HealthState.STOPPED
    with server.client(USER) as other:
        assert other.uid("SEARCH", "UNSEEN")[1] == [b"1 2 3 4"], "nothing was marked as read"


async def test_what_was_taken_is_not_fetched_again_by_the_next_life(server: Dovecot, home: House) -> None:
    server.deliver(USER, mail(1))
    async with home.reading(settings(server.port)):
        await home.until(1)
    server.deliver(USER, mail(2))
    async with home.reading(settings(server.port)):
        assert await home.until(2) == ["Order 1", "Order 2"]
        await home.until_at(2)
    assert len(await home.events()) == 2


async def test_a_restart_of_the_server_in_the_middle_loses_and_doubles_nothing(
    server: Dovecot, home: House
) -> None:
    for number in range(300):
        server.deliver(USER, mail(number, "x" * 20_000), number)
    async with home.reading(settings(server.port)):
        await home.until(20)
        await server.restart()
        subjects = await home.until(300, 40)
    assert sorted(set(subjects)) == sorted(f"Order {number}" for number in range(300))
    assert len(subjects) == 300


async def test_a_server_that_is_away_for_a_while_is_caught_up_with(server: Dovecot, home: House) -> None:
    async with home.reading(settings(server.port)) as mailbox:
        await healthy(mailbox, "listening")
        await server.stop()
        told = await healthy(mailbox, "next try at", HealthState.DEGRADED)
        assert f"127.0.0.1:{server.port}" in told.detail
        server.deliver(USER, mail(1))
        await server.start()
        assert await home.until(1) == ["Order 1"]
        await healthy(mailbox)


async def test_kicked_sessions_connect_again(server: Dovecot, home: House) -> None:
    async with home.reading(settings(server.port)) as mailbox:
        await healthy(mailbox, "listening")
        await server.kick(USER)
        server.deliver(USER, mail(1))
        assert await home.until(1) == ["Order 1"]


async def test_a_peer_that_stands_still_is_noticed_and_left(server: Dovecot, home: House) -> None:
    chosen = settings(server.port, idle_renew_seconds=0.3, timeout_seconds=0.5)
    async with home.reading(chosen) as mailbox:
        await healthy(mailbox, "listening")
        async with server.silent(USER):
            server.deliver(USER, mail(1))
            assert await home.until(1) == ["Order 1"], "by a new connection, while the old one stands still"
        await healthy(mailbox, "listening")


async def test_new_numbers_for_all_mails_are_told_and_nothing_is_taken_twice(
    server: Dovecot, home: House
) -> None:
    for number in range(3):
        server.deliver(USER, mail(number), number)
    async with home.reading(settings(server.port)):
        await home.until(3)
        before = await home.until_at(3)
    await home.apply()
    server.deliver(USER, mail(3))
    await server.doveadm("mailbox", "update", "-u", USER, "--uid-validity", "77777", "INBOX")
    async with home.reading(settings(server.port)) as mailbox:
        await home.until(4)
        told = await healthy(mailbox, "UIDVALIDITY", HealthState.DEGRADED)
        assert f"{before.uid_validity}, now 77777" in told.detail
        assert (await home.until_at(4)).uid_validity == 77777
    assert await home.subjects() == [f"Order {number}" for number in range(4)]


async def test_mails_that_another_program_removes_are_passed_over(server: Dovecot, home: House) -> None:
    for number in range(200):
        server.deliver(USER, mail(number, "x" * 5_000), number)
    async with home.reading(settings(server.port)):
        await home.until(1)
        with server.client(USER) as other:
            other.uid("STORE", "150:200", "+FLAGS", "\\Deleted")
            other.expunge()
        server.deliver(USER, mail(999))
        await home.until_at(201)
        assert {"Order 148", "Order 999"} <= set(await home.subjects())


async def test_two_mailboxes_are_read_at_once_and_one_that_is_wrong_holds_up_none(
    server: Dovecot, home: House
) -> None:
    server.deliver(USER, mail(1))
    server.deliver("sales@garden.example", mail(2))
    wrong = settings(server.port, name="wrong", password="not the password")
    other = settings(server.port, name="sales", username="sales@garden.example", account="sales")
    async with (
        home.reading(wrong) as refused,
        home.reading(settings(server.port)) as first,
        home.reading(other) as second,
    ):
        assert sorted(await home.until(2)) == ["Order 1", "Order 2"]
        await healthy(first)
        await healthy(second)
        told = await healthy(refused, "Check username and password", HealthState.DEGRADED)
        assert "not the password" not in told.detail
        attempts = server.log().count("auth failed")
        server.deliver(USER, mail(3))
        await home.until(3)
        assert server.log().count("auth failed") == attempts == 1, "a wrong password is not tried again soon"


async def test_the_spam_folder_and_folders_with_odd_names_are_read_too(server: Dovecot, home: House) -> None:
    await server.doveadm("mailbox", "create", "-u", USER, "Müll & Söhne")
    server.deliver(USER, mail(1), folder="Spam")
    server.deliver(USER, mail(2), folder="M&APw-ll &- S&APY-hne")
    server.deliver(USER, mail(3))
    chosen = settings(server.port, folders=("INBOX", "\\Junk", "Müll & Söhne", "Gone"))
    async with home.reading(chosen) as mailbox:
        await home.until(3)
        told = await healthy(mailbox, "there is no folder Gone", HealthState.DEGRADED)
        assert "Müll & Söhne" in told.detail
        server.deliver(USER, mail(4), folder="Spam")
        await home.until(4)
    received = [each for each in await home.events() if isinstance(each, InteractionReceived)]
    flags = {each.content.subject: "spam" in each.flags for each in received}
    assert flags == {"Order 1": True, "Order 2": False, "Order 3": False, "Order 4": True}


async def test_a_server_without_idle_is_asked_now_and_then(home: House) -> None:
    lacks = ("IDLE", "SPECIAL-USE", "LIST-EXTENDED", "SASL-IR")
    async with dovecot(USER, without=lacks) as plain, home.reading(settings(plain.port)) as mailbox:
        await healthy(mailbox, "looking every 0.2 s")
        plain.deliver(USER, mail(1))
        assert await home.until(1) == ["Order 1"]


async def test_the_first_run_takes_what_comes_from_now_on(server: Dovecot, home: House) -> None:
    server.deliver(USER, mail(1))
    async with home.reading(settings(server.port, first_run="from_now")) as mailbox:
        await healthy(mailbox, "listening")
        server.deliver(USER, mail(2))
        await home.until(1)
        server.deliver(USER, mail(3))
        assert await home.until(2) == ["Order 2", "Order 3"]


async def test_the_first_run_takes_what_came_since_a_day(server: Dovecot, home: House) -> None:
    with server.client(USER) as other:
        for number, date in enumerate(
            ['"30-Dec-2025 23:30:00 -0500"', '"31-Dec-2025 22:30:00 +0000"', '"31-Dec-2025 20:30:00 -0500"'],
            1,
        ):
            other.append("INBOX", None, date, mail(number))
    server.deliver(USER, mail(4))
    async with home.reading(settings(server.port, first_run="since", since="2026-01-01")):
        # The third was in the mailbox at half past one on New Year's Day, in UTC.
        assert await home.until(2) == ["Order 3", "Order 4"]
        await home.until_at(4)
    assert len(await home.events()) == 2


async def test_a_mail_that_is_too_large_is_quarantined_with_its_beginning(
    server: Dovecot, home: House
) -> None:
    server.deliver(USER, mail(1, "y" * 60_000))
    server.deliver(USER, mail(2))
    async with home.reading(settings(server.port, max_message_bytes=20_000)):
        await home.until(1)
        await home.until_at(2)
    (quarantined,) = await home.quarantined()
    assert quarantined.stage == "limits"
    assert "larger than 20000 bytes" in quarantined.reason
    assert quarantined.original.size == 20_000
    assert quarantined.envelope["mailbox"] == "box"
    assert await home.subjects() == ["Order 2"]
