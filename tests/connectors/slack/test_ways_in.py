"""Events by HTTP and by Socket Mode: proven, kept, then acknowledged; nothing is lost and nothing counts twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from connectors.kit.hooks import HookAnswer, HookRequest, serve
from connectors.slack.connector import SlackConnector
from connectors.slack.signature import SIGNATURE, TIMESTAMP, sign
from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackStandin
from schemas.errors import Outage
from schemas.interactions import InteractionEvent, InteractionIgnored, InteractionReceived
from schemas.ports import HealthState
from schemas.steps import Step
from tests.connectors.slack.support import (
    ANN,
    BEN,
    CHANNEL,
    Place,
    account,
    place,
    socket_account,
    standin,
)
from tests.support.waiting import eventually

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@asynccontextmanager
async def listening(slack: SlackStandin, there: Place, **more: Any) -> AsyncIterator[SlackConnector]:
    connector = SlackConnector(socket_account(slack.api_url, **more), there.around)
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop(1)
        await connector.close()


def received(events: list[InteractionEvent]) -> list[InteractionReceived]:
    return [each for each in events if isinstance(each, InteractionReceived)]


async def texts(there: Place) -> list[str]:
    return [each.content.text for each in received(await there.interactions())]


# -- by HTTP ----------------------------------------------------------------------------------------------------------


def request(body: bytes, secret: str = SIGNING_SECRET, **headers: str) -> HookRequest:
    now = datetime.now(UTC)
    signed = {
        "content-type": "application/json",
        TIMESTAMP: str(int(now.timestamp())),
        SIGNATURE: sign(secret, int(now.timestamp()), body),
        **headers,
    }
    return HookRequest("POST", signed, body, now)


@asynccontextmanager
async def answering(folder: Path, **more: Any) -> AsyncIterator[tuple[SlackConnector, SlackStandin, Place]]:
    async with standin() as slack, place(folder) as there:
        connector = SlackConnector(account(slack.api_url, **more), there.around)
        yield connector, slack, there
        await connector.stop(0)
        await connector.close()


async def asked(connector: SlackConnector, asking: HookRequest) -> HookAnswer:
    assert connector.hook is not None
    return await serve(connector.hook, asking)


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE: "v0=00"},
        {SIGNATURE: ""},
        {SIGNATURE: "v0=ü"},
        {TIMESTAMP: "soon"},
        {TIMESTAMP: "٣"},
        {TIMESTAMP: "1"},
        {TIMESTAMP: "9" * 400},
    ],
)
async def test_what_is_not_signed_is_refused_and_not_parsed(tmp_path: Path, headers: dict[str, str]) -> None:
    async with answering(tmp_path) as (connector, _, there):
        answer = await asked(connector, request(b"\xff not even text", **headers))
        assert answer.status == 401 and answer.headers["x-slack-no-retry"] == "1"
        assert await there.interactions() == [] and await there.quarantined() == 0


async def test_two_signing_secrets_are_good_while_one_is_changed(tmp_path: Path) -> None:
    async with answering(tmp_path, signing_secrets=["old-secret", "new-secret"]) as (connector, _, _):
        body = b'{"type":"url_verification","challenge":"abc"}'
        for secret in ("old-secret", "new-secret"):
            answer = await asked(connector, request(body, secret))
            assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "abc"})
        assert (await asked(connector, request(body, "other-secret"))).status == 401


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"[]", b'{"event": 1}', b'{"type":"event_callback","event":{"type":"message"}}']
)
async def test_what_is_signed_and_cannot_be_read_is_kept_and_slack_does_not_come_again(
    tmp_path: Path, body: bytes
) -> None:
    async with answering(tmp_path) as (connector, _, there):
        assert (await asked(connector, request(body))).status == 200
        assert await there.quarantined() == 1


async def test_while_the_log_does_not_answer_slack_is_asked_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(tmp_path) as (connector, slack, there):
        body = json.dumps(
            slack.envelope(
                {"type": "message", "channel": CHANNEL, "user": ANN, "text": "Hi", "ts": "1772445600.000100"}
            )
        ).encode()

        async def down(step: Step) -> None:
            raise Outage("the disk is full", 7)

        with monkeypatch.context() as patch:
            patch.setattr(there.engine, "commit", down)
            answer = await asked(connector, request(body))
        assert (answer.status, answer.headers["retry-after"]) == (503, "7")
        assert (await asked(connector, request(body, **{"x-slack-retry-num": "1"}))).status == 200
        assert await texts(there) == ["Hi"]


async def test_buttons_and_commands_are_told_that_they_arrived(tmp_path: Path) -> None:
    async with answering(tmp_path) as (connector, _, there):
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await asked(connector, request(b"payload=%7B%7D", **form))).status == 200
        assert (await asked(connector, request(b"ssl_check=1", **form))).status == 200
        assert await there.interactions() == []


async def test_the_tries_that_slack_makes_count_once(tmp_path: Path) -> None:
    async with answering(tmp_path) as (connector, slack, there):
        event = {"type": "message", "channel": CHANNEL, "user": ANN, "text": "Hi", "ts": "1772445600.000100"}
        for _ in range(3):
            body = json.dumps(slack.envelope(event)).encode()
            assert (await asked(connector, request(body))).status == 200
        ids = {each.part.item for each in await there.interactions()}
        assert len(ids) == 1, "the consumer knows the second as a duplicate by its id"


# -- by Socket Mode ---------------------------------------------------------------------------------------------------


async def test_the_stand_in_speaks_with_slacks_own_socket_mode_client() -> None:
    async with standin() as slack:
        told: asyncio.Queue[str] = asyncio.Queue()
        client = SocketModeClient(
            app_token=APP_TOKEN, web_client=AsyncWebClient(BOT_TOKEN, base_url=slack.api_url)
        )

        async def listen(client: AsyncBaseSocketModeClient, asked: SocketModeRequest) -> None:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=asked.envelope_id))
            told.put_nowait(asked.payload["event"]["text"])

        client.socket_mode_request_listeners.append(listen)
        await client.connect()  # type: ignore[no-untyped-call]
        slack.workspace.say(ANN, CHANNEL, "Hello")
        assert await asyncio.wait_for(told.get(), 5) == "Hello"
        await slack.settled()
        assert len(slack.acknowledged) == 1
        await client.close()  # type: ignore[no-untyped-call]
        await client.aiohttp_client_session.close()


async def test_events_are_kept_in_the_order_of_their_channel_and_then_acknowledged(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there, connections=1):
        said = [f"message {number}" for number in range(40)]
        for each in said:
            slack.workspace.say(ANN, CHANNEL, each)
        await slack.settled()
        assert await texts(there) == said
        assert len(slack.acknowledged) == 40 and slack.given_up == []


async def test_what_could_not_be_kept_is_not_acknowledged_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with standin(ack_seconds=0.2) as slack, place(tmp_path) as there, listening(slack, there):
        commit = there.engine.commit
        refusals = 1

        async def once_down(step: Step) -> None:
            nonlocal refusals
            if step.events and refusals:
                refusals -= 1
                raise Outage("not now")
            await commit(step)

        monkeypatch.setattr(there.engine, "commit", once_down)
        slack.workspace.say(ANN, CHANNEL, "Hello")
        await slack.settled()
        assert await texts(there) == ["Hello"]


async def test_what_slack_gave_up_on_while_the_log_was_away_is_read_from_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.slack.connector.MARK_SECONDS", 0.2)
    async with (
        standin(ack_seconds=0.1) as slack,
        place(tmp_path) as there,
        listening(slack, there) as connector,
    ):
        await eventually(lambda: connector.health().state is HealthState.OK)
        commit = there.engine.commit

        async def down(step: Step) -> None:
            if step.events:
                raise Outage("not now", 0.05)
            await commit(step)  # where the store answers, and the log does not

        with monkeypatch.context() as patch:
            patch.setattr(there.engine, "commit", down)
            slack.workspace.say(ANN, CHANNEL, "Hello")
            await eventually(lambda: slack.given_up != [])
        await eventually_texts(there, ["Hello"])


async def eventually_texts(there: Place, expected: list[str]) -> None:
    async def are_there() -> bool:
        return await texts(there) == expected

    assert await eventually(are_there)


async def test_a_connection_that_slack_renews_loses_nothing(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there) as connector:
        await eventually(lambda: connector.health().detail == "2 connections")
        for number in range(10):
            slack.workspace.say(ANN, CHANNEL, f"message {number}")
            if number % 3 == 0:
                await slack.close_sockets("refresh_requested")
        await slack.settled()
        assert sorted(set(await texts(there))) == [f"message {number}" for number in range(10)]
        assert slack.given_up == []


async def test_a_frame_that_is_no_json_is_kept_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with (
        standin() as slack,
        place(tmp_path) as there,
        listening(slack, there, connections=1) as connector,
    ):
        await eventually(lambda: connector.sockets is not None and connector.sockets.open == 1)
        await slack._sockets[0].send_str("{not json")
        slack.workspace.say(ANN, CHANNEL, "Hello")
        await slack.settled()
        assert await texts(there) == ["Hello"] and await there.quarantined() == 1


async def test_people_are_named_and_mentions_put_into_words(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, f"Hello <@{BEN}>, *look*")
        await slack.settled()
        (found,) = received(await there.interactions())
        assert found.content.text == "Hello @Ben, *look*" and "@Ben" in found.content.html
        assert found.sender is not None and found.sender.name == "Ann Example"


async def test_files_are_fetched_with_the_token_and_kept(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, "A photo", files=[("photo.png", PNG)])
        await slack.settled()
        (found,) = received(await there.interactions())
        (attachment,) = found.attachments
        assert (attachment.media_type, attachment.note) == ("image/png", "")
        assert attachment.blob is not None and await there.engine.blob(attachment.blob) == PNG


async def test_a_page_to_sign_in_is_not_taken_for_the_file(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.api.bot_token = "xoxb-other"  # ours is refused from now on
        slack.workspace.say(ANN, CHANNEL, "A photo", files=[("photo.png", PNG)])
        await slack.settled()
        (found,) = received(await there.interactions())
        assert found.attachments[0].blob is None and "files:read" in found.attachments[0].note


async def test_our_own_answer_comes_back_as_nothing(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.post({"channel": CHANNEL, "text": "we say"})
        await slack.settled()
        (echo,) = await there.interactions()
        assert isinstance(echo, InteractionIgnored) and echo.reason == "own echo"


# -- after an outage --------------------------------------------------------------------------------------------------


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


async def test_a_token_of_another_workspace_is_seen_in_the_health(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        slack.workspace.team = "T0OTHER01"
        async with listening(slack, there) as connector:
            await eventually(
                lambda: (
                    connector.health().state is HealthState.DEGRADED
                    and "the token is of" in connector.health().detail
                )
            )


async def test_a_person_who_changed_their_name_is_asked_for_again(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, "one")
        await slack.settled()
        slack.workspace.person(ANN, "Ann Married")
        slack.workspace.tell(
            {"type": "user_change", "user": slack.workspace.users[ANN], "event_ts": slack.workspace.ts()}
        )
        await slack.settled()
        slack.workspace.say(ANN, CHANNEL, "two")
        await slack.settled()
        assert [each.sender.name for each in received(await there.interactions()) if each.sender] == [
            "Ann Example",
            "Ann Married",
        ]


async def test_an_app_that_was_removed_is_seen_in_the_health(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there) as connector:
        await eventually(lambda: connector.is_caught_up)
        slack.workspace.tell({"type": "app_uninstalled", "event_ts": slack.workspace.ts()})
        await slack.settled()
        health = connector.health()
        assert health.state is HealthState.DEGRADED and "install it again" in health.detail
