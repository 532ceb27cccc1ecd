"""A mailbox goes from one reader to the next: what the first took is not taken again, and what it writes late counts no more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.kit.cursors import Cursors
from hub.pulling import Pulling
from schemas.crash import arm, set_hook
from schemas.errors import Conflict
from schemas.ports import HealthState
from tests.connectors.email.imap.dovecot import Dovecot, dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings
from tests.connectors.email.imap.test_actions import ends
from tests.support.waiting import eventually

pytestmark = pytest.mark.server("dovecot")


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


async def test_what_was_taken_and_not_noted_is_not_published_again(server: Dovecot, home: House) -> None:
    for number in range(5):
        server.deliver(USER, mail(number), number)
    arm("imap.before-cursor", 2)
    await ends(home.mailbox(settings(server.port)))
    assert len(await home.subjects()) == 5
    assert (await home.cursor()).uid == 0
    await home.apply()
    server.deliver(USER, mail(5), 5)
    second = home.mailbox(settings(server.port))
    await second.start_as(7)
    try:
        await home.until_at(6)
        await healthy(second, "listening")
        server.deliver(USER, mail(6), 6)
        assert len(await home.until(7)) == 7
    finally:
        await second.stop(5)
    assert len(await home.subjects()) == 7


async def test_a_reader_whose_lease_is_over_notes_nothing_any_more(server: Dovecot, home: House) -> None:
    server.deliver(USER, mail(0))
    first, second = (home.mailbox(settings(server.port)) for _ in range(2))
    await first.start_as(1)
    try:
        await home.until_at(1)
        await healthy(first, "listening")
        await second.start_as(2)
        await eventually(lambda: read_by(home, 2))
        server.deliver(USER, mail(1), 1)  # both are told of it, as the first does not know yet
        await home.until_at(2)
        await healthy(first, "another hub reads this mailbox", HealthState.DEGRADED)
        await healthy(second, "listening")
        assert (await home.cursor()).reader == 2
    finally:
        await asyncio.gather(first.stop(5), second.stop(5))
    assert len(set(await home.subjects())) == 2


async def read_by(home: House, token: int) -> bool:
    return (await home.cursor()).reader == token


async def test_a_cursor_belongs_to_the_highest_token(home: House) -> None:
    cursors = Cursors(home.engine, home.clock)
    old = await cursors.save(await cursors.load("x", "a", "s", token=3), "one")
    new = await cursors.load("x", "a", "s", token=5)
    assert (new.value, new.token) == ("one", 5)
    with pytest.raises(Conflict):
        await cursors.save(old, "late")
    with pytest.raises(Conflict, match="another process reads"):
        await cursors.load("x", "a", "s", token=3)
    await cursors.save(new, "two")
    assert (await cursors.load("x", "a", "s", token=5)).value == "two"


async def test_a_mailbox_waits_for_its_lease(server: Dovecot, home: House) -> None:
    assert isinstance(home.mailbox(settings(server.port)), Pulling)
