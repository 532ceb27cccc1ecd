"""Servers that say odd things, too much, too little or nothing: mail comes in all the same, or health says why not."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.imap import wire
from connectors.email.imap.errors import LoginRefused
from schemas.errors import Outage
from schemas.ports import HealthState
from schemas.steps import Step
from tests.connectors.email.imap.house import House, healthy, house, mail, settings
from tests.connectors.email.imap.odd_server import OddServer, body, odd_server
from tests.support.waiting import eventually

DEGRADED = HealthState.DEGRADED


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("greeting", "told"),
    [
        (b"* BYE too busy\r\n", "goodbye: too busy"),
        (b"220 smtp.shop.example ESMTP\r\n", "not greet as IMAP servers do"),
        (b"\r\n", "not IMAP"),
        (b"\x15\x03\x03\x00\x02\x02\x46\n", "not IMAP"),
        (b"* OK [ALERT\r\n* BYE\r\n", "goodbye"),
    ],
)
async def test_what_does_not_greet_as_it_should_is_told(home: House, greeting: bytes, told: str) -> None:
    async with odd_server(greeting=greeting) as server, home.reading(settings(server.port)) as mailbox:
        await healthy(mailbox, told, DEGRADED)


async def test_a_server_that_says_nothing_at_all_is_left(home: House) -> None:
    async with (
        odd_server(greeting=b"") as server,
        home.reading(settings(server.port, timeout_seconds=0.2)) as mailbox,
    ):
        await healthy(mailbox, "silent", DEGRADED)


async def test_a_server_that_does_not_answer_keeps_nobody_waiting_for_the_hub(home: House) -> None:
    async with odd_server(greeting=b"") as server, home.reading(settings(server.port)) as mailbox:
        health = mailbox.health()
        assert (health.state, health.detail) == (DEGRADED, "connecting, 0 mails taken")


async def test_while_the_log_takes_nothing_mail_waits_and_comes_afterwards(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = home.engine.commit
    away = [True]

    async def commit(step: Step) -> None:
        if away[0] and step.events:
            raise Outage("the disk is full", retry_after_seconds=0.01)
        await takes(step)

    monkeypatch.setattr(home.engine, "commit", commit)
    async with (
        odd_server(mails={uid: mail(uid) for uid in range(1, 80)}) as server,
        home.reading(settings(server.port)) as mailbox,
    ):
        await healthy(mailbox, "mail waits in the mailbox: the disk is full", DEGRADED)
        assert (await home.cursor()).uid == 0
        away[0] = False
        await home.until(79)
        await healthy(mailbox)
    assert (await home.cursor()).failed == {}


async def test_a_line_without_end_is_cut_off(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_LINE", 500_000)
    async with (
        odd_server(greeting=b"* OK " + b"x" * 3_000_000) as server,
        home.reading(settings(server.port)) as mailbox,
    ):
        await healthy(mailbox, "a line without end", DEGRADED)


async def test_a_long_list_of_uids_is_read(home: House) -> None:
    server = OddServer()
    many = range(1, 200_001)
    server.answers["UID SEARCH"] = lambda _: b"* SEARCH " + b" ".join(b"%d" % uid for uid in many) + b"\r\n"
    async with odd_server(mails={200_000: mail(1)}, answers=server.answers) as running:
        chosen = settings(running.port, first_run="from_now")
        async with home.reading(chosen) as mailbox:
            await healthy(mailbox, "listening")
        assert (await home.cursor()).uid == 200_000


async def test_a_password_is_not_sent_where_the_server_forbids_it(home: House) -> None:
    async with odd_server(capabilities="IMAP4rev1 LOGINDISABLED") as server:
        async with home.reading(settings(server.port)) as mailbox:
            await healthy(mailbox, "takes no password without encryption", DEGRADED)
        assert not [each for each in server.heard if b"LOGIN" in each]


async def test_the_oldest_way_to_log_in_is_used_where_there_is_no_other(home: House) -> None:
    async with odd_server(capabilities="IMAP4rev1", mails={4: mail(1)}) as server:
        async with home.reading(settings(server.port, password='a "b" \\c', poll_seconds=5)) as mailbox:
            await home.until(1)
            await healthy(mailbox, "looking every 5 s")
        assert b'LOGIN "support@shop.example" "a \\"b\\" \\\\c"' in b"\n".join(server.heard)


async def test_a_login_that_fails_for_now_is_tried_again_soon_and_a_wrong_one_is_not(home: House) -> None:
    answers = itertools.chain(
        [b"TAG NO [UNAVAILABLE] the directory is away\r\n"] * 3,
        itertools.repeat(b"TAG NO [AUTHENTICATIONFAILED] no\r\n"),
    )
    async with odd_server(answers={"AUTHENTICATE": lambda _: next(answers)}) as server:
        async with home.reading(settings(server.port)) as mailbox:
            told = await healthy(mailbox, "Check username and password", DEGRADED)
            assert "correct horse" not in told.detail
            assert mailbox._wait_after(LoginRefused("no")) == 1800
        assert server.connections == 4


async def test_what_the_server_wants_people_to_read_is_in_the_health(home: House) -> None:
    async with odd_server(
        answers={"LIST": None, "NOOP": lambda _: b"* OK [ALERT] Down at noon\r\n"}
    ) as server:
        del server.answers["LIST"]
        async with home.reading(settings(server.port, idle=False)) as mailbox:
            await healthy(mailbox, "the server says: Down at noon")


async def test_a_folder_whose_mails_have_no_lasting_numbers_is_not_read(home: House) -> None:
    async with (
        odd_server(answers={"EXAMINE": lambda _: b"* 1 EXISTS\r\n"}) as server,
        home.reading(settings(server.port)) as mailbox,
    ):
        await healthy(mailbox, "no lasting numbers", DEGRADED)


async def test_where_the_next_number_is_not_told_it_is_looked_for(home: House) -> None:
    said = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n"
    async with odd_server(mails={3: mail(1), 8: mail(2)}, answers={"EXAMINE": lambda _: said}) as server:
        async with home.reading(settings(server.port, first_run="from_now")) as mailbox:
            await healthy(mailbox, "listening")
        assert (await home.cursor()).uid == 8
    assert await home.events() == []


async def test_the_last_mail_is_not_taken_again_and_again(home: House) -> None:
    async with (
        odd_server(mails={5: mail(1)}) as server,
        home.reading(settings(server.port, idle=False, poll_seconds=0.01)),
    ):
        await eventually(lambda: sum(b"SEARCH" in each for each in server.heard) > 5)
    assert len(await home.events()) == 1


async def test_a_number_that_shows_up_late_is_taken_and_old_ones_are_not(home: House) -> None:
    async with (
        odd_server(mails={90: mail(90), 99: mail(99), 100: mail(100)}) as server,
        home.reading(settings(server.port, idle=False, poll_seconds=0.01, first_run="from_now")),
    ):
        await home.until_at(100)
        server.mails[101] = mail(101)
        await home.until(1)
        server.mails[97] = mail(97)
        assert await home.until(2) == ["Order 101", "Order 97"]
        looked = len(server.heard)
        await eventually(lambda: len(server.heard) > looked + 10)
    assert len(await home.events()) == 2


async def test_a_mail_that_ends_the_connection_holds_up_no_other_and_is_quarantined(home: House) -> None:
    mails = {uid: mail(uid) for uid in range(1, 6)}

    def fetch(arguments: bytes) -> bytes | None:
        server = OddServer(mails)
        uids = arguments.partition(b" ")[0]
        said = server._uid_fetch(arguments)
        is_hit = b"BODY" in arguments and (uids in (b"2", b"1:5", b"1:2") or uids.startswith(b"2:"))
        return None if is_hit else said

    async with (
        odd_server(mails=mails, answers={"UID FETCH": fetch}) as server,
        home.reading(settings(server.port)) as mailbox,
    ):
        assert sorted(await home.until(4)) == ["Order 1", "Order 3", "Order 4", "Order 5"]
        await healthy(mailbox, "listening")
        assert (await home.cursor()).failed == {}
    (quarantined,) = await home.quarantined()
    assert quarantined.stage == "fetch"
    assert "6 tries" in quarantined.reason
    assert quarantined.envelope["source"] == "imap:box/INBOX;UIDVALIDITY=7/;UID=2"


async def test_a_mail_that_is_refused_or_empty_holds_up_no_other(home: House) -> None:
    mails = {uid: mail(uid) for uid in range(1, 5)}

    def fetch(arguments: bytes) -> bytes:
        uids, _, items = arguments.partition(b" ")
        if b"BODY" in items and b":" in uids:
            return body(1, 1, mails[1]) + b"* 2 FETCH (UID 2 BODY[] NIL)\r\nTAG NO [SERVERBUG] sorry\r\n"
        if b"BODY" in items and uids == b"3":
            return b"TAG NO broken\r\n"
        return OddServer(mails)._uid_fetch(arguments)

    async with (
        odd_server(mails=mails, answers={"UID FETCH": fetch}) as server,
        home.reading(settings(server.port, idle=False, poll_seconds=0.01)),
    ):
        assert await home.until(3) == ["Order 1", "Order 2", "Order 4"]
        await eventually(home.quarantined)
    assert len(await home.quarantined()) == 1


async def test_a_literal_beyond_the_limit_is_cut_though_its_size_was_said_to_be_small(home: House) -> None:
    huge = mail(1, "z" * 3_000_000)

    def fetch(arguments: bytes) -> bytes:
        if b"BODY" in arguments:
            return body(1, 1, huge) + body(2, 2, mail(2))
        return b"* 1 FETCH (UID 1 RFC822.SIZE 100)\r\n* 2 FETCH (RFC822.SIZE 100 UID 2)\r\n"

    async with (
        odd_server(mails={1: huge, 2: mail(2)}, answers={"UID FETCH": fetch}) as server,
        home.reading(settings(server.port, max_message_bytes=50_000)),
    ):
        assert await home.until(1) == ["Order 2"]
        await home.until_at(2)
    (quarantined,) = await home.quarantined()
    assert quarantined.original.size == 50_000


async def test_flags_that_flood_in_are_no_news_and_what_nobody_asked_for_is_passed_over(home: House) -> None:
    flood = b"* 1 FETCH (FLAGS (\\Seen))\r\n* 3 EXPUNGE\r\n* FLAGS ()\r\n" * 2_000
    async with odd_server(mails={1: mail(1)}, answers={"NOOP": lambda _: flood}) as server:

        def fetch(arguments: bytes) -> bytes:
            strange = b"* OK still here {5}\r\n* 9 FETCH (FLAGS () UID 99 BODY[] {3}\r\nabc)\r\n"
            return strange + server._uid_fetch(arguments)

        server.answers["UID FETCH"] = fetch
        async with home.reading(settings(server.port, idle=False)) as mailbox:
            await healthy(mailbox, "looking every")
            server.mails[2] = mail(2)
            assert await home.until(2) == ["Order 1", "Order 2"]


async def test_a_refused_idle_is_asked_instead(home: House) -> None:
    async with (
        odd_server(answers={"IDLE": lambda _: b"TAG BAD never heard of it\r\n"}) as server,
        home.reading(settings(server.port)) as mailbox,
    ):
        await healthy(mailbox, "looking every 0.2 s")
        server.mails[1] = mail(1)
        await home.until(1)


async def test_a_stop_in_the_middle_of_a_pass_keeps_what_had_come(home: House) -> None:
    mails = {uid: mail(uid) for uid in range(1, 400)}
    async with odd_server(mails=mails) as server:
        async with home.reading(settings(server.port)):
            await home.until(1)
        kept = len(await home.events())
        cursor = await home.cursor()
        assert cursor.uid == kept
        async with home.reading(settings(server.port)):
            await home.until(399)
    assert len(await home.events()) == 399


async def test_a_hub_that_reads_the_same_mailbox_is_told(home: House) -> None:
    async with odd_server(mails={1: mail(1)}) as server:
        chosen = settings(server.port, idle=False, poll_seconds=0.05)
        async with home.reading(chosen) as first:
            await home.until_at(1)
            await healthy(first)
            async with home.reading(chosen) as second:
                await healthy(second)
                server.mails[2] = mail(2)
                states = [first, second]
                await eventually(
                    lambda: any("another hub reads this mailbox" in each.health().detail for each in states)
                )


async def test_the_loop_goes_on_while_a_mailbox_floods(home: House) -> None:
    """A megabyte of nonsense in each answer: other work still gets its turn in time."""
    nonsense = b"* 1 FETCH (FLAGS (" + b"x " * 500_000 + b"))\r\n"
    async with (
        odd_server(answers={"NOOP": lambda _: nonsense}) as server,
        home.reading(settings(server.port, idle=False, poll_seconds=0.01)),
    ):
        clock = asyncio.get_running_loop().time
        longest = 0.0
        for _ in range(100):
            began = clock()
            await asyncio.sleep(0.005)
            longest = max(longest, clock() - began)
        assert longest < 0.5
