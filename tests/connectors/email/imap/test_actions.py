"""What is done to mails in their mailbox, and the ends of a process between each two steps of it: nothing lost, nothing doubled."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.email.imap.mailbox import Mailbox
from schemas.crash import CRASH_POINTS, Crashed, arm, set_hook
from schemas.ports import HealthState
from tests.connectors.email.imap.dovecot import Dovecot, dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings
from tests.connectors.email.imap.odd_server import odd_server

ONLY_WITHOUT_MOVE = "imap.after-copy"
POINTS = [
    "intake.before-commit",
    *(name for name in CRASH_POINTS if name.startswith("imap.") and name != ONLY_WITHOUT_MOVE),
]
ACTIONS = {
    "seen": {"post_action": "seen"},
    "keyword": {"post_action": "keyword", "keyword": "Kept"},
    "move": {"post_action": "move", "move_to": "Hub/Kept & done"},
}


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    set_hook(None)


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    async with dovecot(USER) as started:
        yield started


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def ends(mailbox: Mailbox) -> None:
    """Until the mailbox met its crash point."""
    await mailbox.start()
    task = mailbox._task
    assert task is not None
    await asyncio.wait([task], timeout=20)
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Crashed)
    set_hook(None)
    await mailbox.stop(1)


def left(server: Dovecot, action: str) -> list[bytes]:
    """UIDs in INBOX without their mark."""
    criterion = {"seen": "UNSEEN", "keyword": "UNKEYWORD Kept", "move": "ALL"}[action]
    with server.client(USER) as other:
        found: list[bytes] = other.uid("SEARCH", criterion)[1][0].split()
    return found


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("action", ACTIONS)
async def test_mails_are_marked_or_moved_once_they_are_kept(
    server: Dovecot, home: House, action: str
) -> None:
    server.deliver(USER, mail(0))
    with server.client(USER) as other:
        other.uid("FETCH", "1", "(FLAGS)")
    chosen = settings(server.port, first_run="from_now", **ACTIONS[action])
    async with home.reading(chosen) as mailbox:
        await healthy(mailbox, "listening")
        for number in (1, 2):
            server.deliver(USER, mail(number), number)
        await home.until(2)
        await home.until_at(3)
        assert left(server, action) == [b"1"], "what was there before is not ours to touch"
        await healthy(mailbox, "listening")
    if action == "move":
        with server.client(USER, '"Hub/Kept &- done"') as other:
            assert other.uid("SEARCH", "ALL")[1] == [b"1 2"]


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("point", POINTS)
async def test_wherever_the_process_ends_each_mail_is_kept_and_moved_once(
    server: Dovecot, home: House, point: str
) -> None:
    for number in range(5):
        server.deliver(USER, mail(number), number)
    chosen = settings(server.port, **ACTIONS["move"])
    passage = (
        2 if point in ("imap.before-cursor", "imap.after-cursor") else 1
    )  # the first saves where to begin
    arm(point, passage)
    await ends(home.mailbox(chosen))
    async with home.reading(chosen):
        await home.until(5)
        await home.until_at(5)
    assert left(server, "move") == []
    with server.client(USER, '"Hub/Kept &- done"') as other:
        assert len(other.uid("SEARCH", "ALL")[1][0].split()) == 5
    events = await home.events()
    assert len({each.part.item for each in events}) == 5
    # What was on the log before the cursor moved comes again as the same items, which the timeline has once.
    is_saved = point in ("imap.after-cursor", "imap.after-action")
    assert len(events) == 5 if is_saved else 5 <= len(events) <= 10


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("lacks", [("MOVE",), ("MOVE", "UIDPLUS")])
async def test_a_server_that_cannot_move_copies_and_deletes_and_removes_no_mail_of_others(
    home: House, lacks: tuple[str, ...]
) -> None:
    async with dovecot(USER, without=lacks) as server:
        server.deliver(USER, mail(1))
        with server.client(USER) as other:
            other.uid("STORE", "1", "+FLAGS", "\\Deleted")  # by a person, who may yet change his mind
        server.deliver(USER, mail(2))
        chosen = settings(server.port, first_run="all", **ACTIONS["move"])
        async with home.reading(chosen):
            await home.until(2)
            await home.until_at(2)
        with server.client(USER) as other:
            remain = other.uid("SEARCH", "ALL")[1][0].split()
            deleted = other.uid("SEARCH", "DELETED")[1][0].split()
        assert remain == deleted == ([] if lacks == ("MOVE",) else [b"1", b"2"])
        with server.client(USER, '"Hub/Kept &- done"') as other:
            assert other.uid("SEARCH", "ALL")[1] == [b"1"], "who was marked as deleted is not copied"


@pytest.mark.server("dovecot")
@pytest.mark.parametrize("lacks", [("MOVE",), ("MOVE", "UIDPLUS")])
@pytest.mark.parametrize("there", [0, 1])
async def test_what_was_copied_before_the_process_ended_is_not_copied_again(
    home: House, lacks: tuple[str, ...], there: int
) -> None:
    async with dovecot(USER, without=lacks) as server:
        for number in range(there):  # mails of the same size that somebody moved there by hand
            server.deliver(USER, mail(number + 5), number, folder="Kept")
        for number in range(5):
            server.deliver(USER, mail(number), number)
        chosen = settings(server.port, post_action="move", move_to="Kept")
        arm(ONLY_WITHOUT_MOVE)
        await ends(home.mailbox(chosen))
        server.deliver(USER, mail(9), 9)
        async with home.reading(chosen):
            await home.until(6)
            await home.until_at(6)
        with server.client(USER, "Kept") as other:
            assert len(other.uid("SEARCH", "ALL")[1][0].split()) == 6 + there
        with server.client(USER) as other:
            assert other.uid("SEARCH", "UNDELETED")[1] == [b""]


async def test_a_server_that_keeps_no_marks_is_told_and_mail_is_taken_all_the_same(home: House) -> None:
    async with (
        odd_server(mails={1: mail(1)}) as odd,
        home.reading(settings(odd.port, idle=False, **ACTIONS["keyword"])) as mailbox,
    ):
        await home.until(1)
        await healthy(mailbox, "keeps no mark 'Kept'", HealthState.DEGRADED)
        odd.mails[2] = mail(2)
        await home.until(2)
        assert not [each for each in odd.heard if b"STORE" in each]


async def test_a_mark_that_is_refused_is_tried_again_and_holds_up_nothing(home: House) -> None:
    refusals = iter([b"TAG NO [NOPERM] not yours\r\n"] * 2)
    async with odd_server(mails={1: mail(1)}) as odd:
        odd.answers["UID STORE"] = lambda _: next(refusals, b"")
        async with home.reading(
            settings(odd.port, idle=False, poll_seconds=0.05, **ACTIONS["seen"])
        ) as mailbox:
            await home.until(1)
            await healthy(mailbox, "post_action in folder INBOX", HealthState.DEGRADED)
            await healthy(mailbox)
            await home.until_at(1)
