"""What was said while we were away is read from the channels, once."""

from datetime import timedelta
from pathlib import Path

from tests.connectors.slack.listening import listening, received
from tests.connectors.slack.support import (
    ANN,
    BEN,
    CHANNEL,
    place,
    standin,
)
from tests.support.waiting import eventually


async def test_what_was_said_while_we_were_away_is_read_from_the_channels_once(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        async with listening(slack, there) as connector:
            thread = slack.workspace.say(ANN, CHANNEL, "before")
            await slack.settled()
            await eventually(lambda: connector.is_caught_up)
        slack.is_down = True  # Slack gives up after its tries, so nobody tells of these
        slack.workspace.say(BEN, CHANNEL, "in the thread", thread_ts=thread)
        slack.workspace.say(BEN, CHANNEL, "on its own")
        slack.workspace.edit(CHANNEL, thread, "before, edited")
        slack.workspace.post({"channel": CHANNEL, "text": "we say"})
        slack.is_down = False
        async with listening(slack, there) as connector:
            await eventually(lambda: connector.is_caught_up)
        events = await there.interactions()
        assert {each.content.text for each in received(events)} >= {"in the thread", "on its own"}
        assert sum(type(each).__name__ == "InteractionEdited" for each in events) == 1
        ids = {each.part.item for each in received(events)}
        assert len(ids) == 3, "the message before is known by its id, and our own is nobody's"


async def test_the_first_start_reads_nothing_from_before(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        slack.is_down = True
        slack.workspace.say(ANN, CHANNEL, "long ago")
        slack.is_down = False
        async with listening(slack, there) as connector:
            await eventually(lambda: connector.is_caught_up)
        assert await there.interactions() == []


async def test_the_history_is_read_again_since_a_time_that_an_operator_names(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        slack.is_down = True
        slack.workspace.say(ANN, CHANNEL, "long ago")
        slack.is_down = False
        async with listening(slack, there) as connector:
            await eventually(lambda: connector.is_caught_up)
            await connector.replay(there.clock.now() - timedelta(days=365 * 5))
            await eventually(lambda: connector.is_caught_up)
        assert [each.content.text for each in received(await there.interactions())] == ["long ago"]


async def test_the_history_is_read_again_beyond_the_window_of_an_outage(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        slack.is_down = True
        slack.workspace.say(ANN, CHANNEL, "long ago")
        slack.is_down = False
        there.clock.ahead = timedelta(days=9)
        async with listening(slack, there, catch_up_hours=0) as connector:
            await eventually(lambda: connector.is_caught_up)
            await connector.replay(there.clock.now() - timedelta(days=365 * 5))
            await eventually(lambda: connector.is_caught_up)
        assert [each.content.text for each in received(await there.interactions())] == ["long ago"]


async def test_a_gap_longer_than_the_window_is_told(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        async with listening(slack, there) as connector:
            await eventually(lambda: connector.is_caught_up)
        there.clock.ahead = timedelta(hours=30)
        async with listening(slack, there) as connector:
            await eventually(lambda: connector.is_caught_up)
            assert "catch_up_hours" in connector.health().detail
