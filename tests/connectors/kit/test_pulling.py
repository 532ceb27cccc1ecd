"""A source that is asked: nothing is missed and nothing comes twice, whatever it does and wherever we end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from connectors.kit.cursors import Cursors
from connectors.kit.example.parse import understanding
from connectors.kit.example.rig import _given
from connectors.kit.items import RawItem, Receiver
from connectors.kit.pulling import Away, Fetched, Puller, RefusesUs
from connectors.kit.rigs import MONDAY, Clock, House, until
from schemas.crash import arm, set_hook
from schemas.ports import HealthState
from tests.connectors.engines import sqlite

PAGE = 3


@dataclass
class Shelf:
    """A source with a list of messages; the cursor is how many were taken. `troubles` are raised first."""

    texts: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, cursor: str) -> Fetched:
        self.asked.append(cursor)
        if self.troubles:
            raise self.troubles.pop(0)
        start = int(cursor or 0)
        page = self.texts[start : start + PAGE]
        items = [
            RawItem(
                f"event:{number}",
                _given(
                    str(number), type="message", conversation="c", message=str(number), text=text, author="a"
                ).body,
                MONDAY,
            )
            for number, text in enumerate(page, start)
        ]
        left = len(self.texts) - start - len(page)
        return Fetched(items, str(start + len(page)), more=left > 0, oldest_left_at=MONDAY if left else None)

    def since(self, moment: datetime) -> str | None:
        return "0"


@dataclass
class Home:
    house: House
    shelf: Shelf = field(default_factory=Shelf)

    def puller(self) -> Puller:
        receiver = Receiver("example", "main", "default", self.house.intake, understanding(None))
        cursors = Cursors(self.house.engine, self.house.clock)
        return Puller(receiver, self.shelf, cursors, every_seconds=0.02, jitter=lambda: 0.01)

    @asynccontextmanager
    async def pulling(self, token: int = 0) -> AsyncIterator[Puller]:
        puller = self.puller()
        await puller.start_as(token)
        try:
            yield puller
        finally:
            set_hook(None)
            await puller.stop(2)

    async def until(self, count: int) -> list[str]:
        async def are_there() -> bool:
            return len(await self.house.received()) >= count

        await until(are_there)
        return [each.content.text for each in await self.house.received()]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    clock = Clock()
    async with sqlite(tmp_path / "data", clock) as engine:
        house = House(engine, clock)
        yield Home(house)
        await house.close()


async def test_everything_comes_in_order_and_what_comes_later_too(home: Home) -> None:
    home.shelf.texts = [f"text {number}" for number in range(10)]
    async with home.pulling() as puller:
        assert await home.until(10) == home.shelf.texts
        home.shelf.texts.append("one more")
        assert (await home.until(11))[-1] == "one more"
        assert puller.health().state is HealthState.OK and puller.health().last_success_at


async def test_the_next_life_goes_on_where_the_last_one_stood(home: Home) -> None:
    home.shelf.texts = ["a", "b"]
    async with home.pulling():
        await home.until(2)
    home.shelf.asked.clear()
    home.shelf.texts.append("c")
    async with home.pulling():
        assert await home.until(3) == ["a", "b", "c"]
    assert home.shelf.asked[0] == "2"


async def test_a_source_that_is_away_is_caught_up_with_and_its_wish_is_kept(home: Home) -> None:
    home.shelf.texts = ["a"]
    home.shelf.troubles = [Away("503"), Away("busy", retry_after_seconds=0.01), ValueError("a fault")]
    logging.getLogger("hubbub.connectors").setLevel(logging.CRITICAL)
    async with home.pulling():
        assert await home.until(1) == ["a"]
    logging.getLogger("hubbub.connectors").setLevel(logging.NOTSET)
    assert len(home.shelf.asked) >= 4


async def test_a_source_that_refuses_us_is_left_alone_and_says_why(home: Home) -> None:
    home.shelf.troubles = [RefusesUs("renew the token")]
    async with home.pulling() as puller:

        async def is_told() -> bool:
            return puller.health().detail == "renew the token"

        await until(is_told)
        health = puller.health()
        assert health.state is HealthState.DEGRADED and health.next_retry_at is not None
        assert (health.next_retry_at - MONDAY).total_seconds() == 900
    assert len(home.shelf.asked) == 1


async def test_while_the_log_is_down_the_source_keeps_it(home: Home) -> None:
    home.shelf.texts = ["a"]
    async with home.pulling() as puller:
        await home.until(1)
        home.house.watched.is_down = True
        home.shelf.texts.append("b")

        async def has_trouble() -> bool:
            return "waits in its source" in puller.health().detail

        await until(has_trouble)
        home.house.watched.is_down = False
        puller.ask_now()
        assert await home.until(2) == ["a", "b"]


@pytest.mark.parametrize(
    "point", ["intake.after-original", "intake.before-commit", "intake.before-acknowledge"]
)
async def test_where_ever_the_process_ends_nothing_is_lost_or_doubled(home: Home, point: str) -> None:
    home.shelf.texts = ["a", "b", "c", "d"]
    arm(point)
    puller = home.puller()
    await puller.start()
    task = puller._task
    assert task is not None
    await asyncio.wait([task], timeout=5)
    assert task.done() and task.exception() is not None
    set_hook(None)
    async with home.pulling():
        assert await home.until(4) == home.shelf.texts


async def test_a_reader_with_an_older_lease_notes_nothing_any_more(home: Home) -> None:
    home.shelf.texts = ["a"]
    async with home.pulling(token=2):
        await home.until(1)
    home.shelf.texts.append("b")
    async with home.pulling(token=1) as old:

        async def is_told() -> bool:
            return "another process" in old.health().detail

        await until(is_told)
    assert await home.until(1) == ["a"]


async def test_what_is_read_again_does_nothing_that_is_known(home: Home) -> None:
    home.shelf.texts = ["a", "b"]
    async with home.pulling() as puller:
        await home.until(2)
        assert puller.replay(MONDAY)

        async def was_asked_again() -> bool:
            return home.shelf.asked.count("0") >= 1

        await until(was_asked_again)
        home.shelf.texts.append("c")
        assert await home.until(3) == ["a", "b", "c"]
    assert not puller.replay(MONDAY), "it is not asked here any more"
