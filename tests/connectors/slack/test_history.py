"""Histories of any length are read to their end, over as many turns and starts as it takes; what cannot be read is told."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kit.items import Receiver
from connectors.slack import catchup, history
from connectors.slack.catchup import CatchUp, Turn
from connectors.slack.history import TooMany, parts_found
from connectors.slack.names import Place as Where
from connectors.slack.parse.events import SlackContext, understanding
from connectors.slack.standin.api import Fault
from connectors.slack.standin.server import BOT_TOKEN, SlackStandin
from connectors.slack.standin.workspace import TEAM
from connectors.slack.web import FAILURES, SlackWeb
from schemas.ids import derive
from schemas.interactions import InteractionIgnored, InteractionReceived
from tests.connectors.slack.support import ANN, CHANNEL, Place, place, standin

OTHER = "C0ANOTHER1"


@dataclass
class Reader:
    slack: SlackStandin
    there: Place
    web: SlackWeb

    def catch_up(self, pages_a_turn: int = 100) -> CatchUp:
        """As another start makes it."""
        around = self.there.around
        receiver = Receiver("slack", "acme", "default", around.intake, understanding(SlackContext(TEAM)))
        return CatchUp(
            self.web, receiver, around.cursors, self.there.clock, TEAM, (), 24, pages_a_turn=pages_a_turn
        )

    def says(self, count: int, channel: str = CHANNEL, thread_ts: str | None = None) -> list[str]:
        return [self.slack.workspace.say(ANN, channel, f"{channel} {n}", thread_ts) for n in range(count)]

    async def texts(self) -> list[str]:
        events = await self.there.interactions()
        found = [each for each in events if isinstance(each, InteractionReceived)]
        return list({each.part.item: each.content.text for each in found}.values())

    async def gaps(self) -> list[str]:
        events = await self.there.interactions()
        told = [each.reason for each in events if isinstance(each, InteractionIgnored)]
        return [each for each in told if each.startswith("a gap: ")]


@pytest.fixture
async def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reader]:
    """Pages are small, so that a few messages fill many."""
    monkeypatch.setattr(history, "PAGE", 3)
    monkeypatch.setattr(catchup, "PAGES_A_STRETCH", 2)
    async with standin() as slack, place(tmp_path) as there:
        slack.workspace.tell = lambda event: None
        slack.workspace.channel(OTHER)
        web = SlackWeb(BOT_TOKEN, slack.api_url)
        made = Reader(slack, there, web)
        await made.catch_up().mark()
        yield made
        await web.close()


async def test_a_channel_with_more_than_is_read_at_once_is_read_in_stretches_the_oldest_first(
    reader: Reader,
) -> None:
    for minute in range(8):  # spread over time, as people write
        reader.slack.workspace._last = reader.there.clock.now().timestamp() + minute * 60
        reader.says(4)
    reader.there.clock.ahead = timedelta(minutes=9)
    assert await reader.catch_up().run() == Turn(32)
    events = [each for each in await reader.there.interactions() if isinstance(each, InteractionReceived)]
    assert len(events) == 32
    assert [each.occurred_at for each in events] == sorted(each.occurred_at for each in events)
    assert not await reader.gaps()


async def test_what_a_turn_does_not_reach_goes_on_in_the_next(reader: Reader) -> None:
    reader.says(3)
    reader.says(3, OTHER)
    turns: list[Turn] = []
    catch_up = reader.catch_up(pages_a_turn=2)
    while not turns or not turns[-1].is_over:
        turns.append(await catch_up.run())
    assert len(turns) > 1 and sum(each.taken for each in turns) == 6
    assert sorted(await reader.texts()) == sorted(
        [f"{channel} {n}" for channel in (CHANNEL, OTHER) for n in range(3)]
    )
    assert await reader.catch_up().run() == Turn(6), "what is near the edge is read again, and known"
    assert len(await reader.texts()) == 6


async def test_a_turn_ends_when_its_time_is_over_and_each_reads_something(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catchup, "LONGEST_TURN", timedelta())
    reader.says(3)
    reader.says(3, OTHER)
    catch_up = reader.catch_up()
    assert not (await catch_up.run()).is_over
    await to_its_end(catch_up)
    assert len(await reader.texts()) == 6


async def behind(reader: Reader) -> CatchUp:
    """It has the first channel behind it, and the others before it."""
    reader.says(3)
    reader.says(3, OTHER)
    catch_up = reader.catch_up(pages_a_turn=2)
    assert not (await catch_up.run()).is_over
    return catch_up


async def to_its_end(catch_up: CatchUp) -> None:
    for _ in range(20):
        if (await catch_up.run()).is_over:
            return
    raise AssertionError("it is never over")


async def test_a_restart_goes_on_and_reads_what_came_meanwhile_in_channels_that_were_done(
    reader: Reader,
) -> None:
    await behind(reader)
    reader.there.clock.ahead = timedelta(hours=1)
    first, last = sorted((CHANNEL, OTHER))
    reader.slack.workspace._last = reader.there.clock.now().timestamp() - 60
    missed = [
        reader.slack.workspace.say(ANN, each, f"{each} while nobody was there") for each in (first, last)
    ]
    before = len(reader.slack.api.calls)
    again = reader.catch_up()
    assert not (await again.run()).is_over
    asked = {each["channel"] for method, each in reader.slack.api.calls[before:] if "history" in method}
    assert first not in asked, "what was read is not read again at once"
    await to_its_end(again)
    assert len(await reader.texts()) == 6 + len(missed)


async def test_what_is_missed_while_a_reading_is_under_way_is_read_behind_it(reader: Reader) -> None:
    catch_up = await behind(reader)
    reader.says(1, min(CHANNEL, OTHER))
    catch_up.fell_behind()
    await to_its_end(catch_up)
    events = [each for each in await reader.there.interactions() if isinstance(each, InteractionReceived)]
    assert len({each.part.item for each in events}) == 7


async def test_reading_again_since_a_later_time_forgets_nothing_of_what_was_begun(reader: Reader) -> None:
    catch_up = await behind(reader)
    reader.there.clock.ahead = timedelta(hours=3)
    catch_up.read_again(reader.there.clock.now() - timedelta(hours=1))
    await to_its_end(catch_up)
    assert len(await reader.texts()) == 6


async def test_a_failure_half_way_loses_nothing_of_what_was_read(reader: Reader) -> None:
    reader.says(2)
    reader.says(2, OTHER)
    reader.slack.api.fail("conversations.history", Fault("none"), Fault("status:503"))
    catch_up = reader.catch_up()
    with pytest.raises(FAILURES):
        await catch_up.run()
    before = len(reader.slack.api.calls)
    assert (await catch_up.run()).is_over
    asked = [each["channel"] for method, each in reader.slack.api.calls[before:] if "history" in method]
    assert len(set(asked)) == len(reader.slack.workspace.channels) - 1, "the first channel is not read again"
    assert len(await reader.texts()) == 4


async def test_a_long_thread_is_read_to_its_end(reader: Reader) -> None:
    root = reader.says(1)[0]
    reader.says(20, thread_ts=root)
    await reader.catch_up().run()
    assert len(await reader.texts()) == 21


async def test_more_in_a_moment_than_can_be_read_is_a_gap_on_the_log_and_in_the_health(
    reader: Reader,
) -> None:
    reader.slack.workspace._last = reader.there.clock.now().timestamp()
    reader.says(40)  # within some milliseconds
    reader.there.clock.ahead = timedelta(seconds=5)
    catch_up = reader.catch_up()
    assert (await catch_up.run()).is_over
    (gap,) = await reader.gaps()
    assert "more in channel C0CUSTOMER than can be read" in gap
    assert catch_up.gap and catch_up.gap in gap
    later = reader.catch_up()
    await later.mark()
    assert later.gap == catch_up.gap, "another start still tells it"
    reader.there.clock.ahead = timedelta(days=8)
    await later.mark()
    assert later.gap == ""


async def test_an_idle_workspace_is_kept_every_ten_minutes_and_not_every_minute(reader: Reader) -> None:
    async def kept() -> str:
        cursors = reader.there.around.cursors
        return (await cursors.load("slack", "acme", "events")).value

    catch_up, found = reader.catch_up(), set()
    for minute in range(30):
        reader.there.clock.ahead = timedelta(minutes=minute)
        await catch_up.mark()
        found.add(await kept())
    assert len(found) == 3


async def test_a_message_of_ours_is_not_called_absent_where_not_everything_was_looked_at(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_PAGES", 2)
    reader.says(20)
    with pytest.raises(TooMany):
        await parts_found(reader.web, Where(CHANNEL, None), derive("x"), reader.there.clock.now())
