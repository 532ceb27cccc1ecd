"""Events by Socket Mode: kept in their order, then acknowledged; a connection that ends loses nothing."""

import asyncio
from pathlib import Path

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN
from schemas.errors import Outage
from schemas.ports import HealthState
from schemas.steps import Step
from tests.connectors.slack.listening import eventually_texts, listening, texts
from tests.connectors.slack.support import (
    ANN,
    CHANNEL,
    place,
    standin,
)
from tests.support.waiting import eventually


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


async def test_an_app_that_was_removed_is_seen_in_the_health(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there) as connector:
        await eventually(lambda: connector.is_caught_up)
        slack.workspace.tell({"type": "app_uninstalled", "event_ts": slack.workspace.ts()})
        await slack.settled()
        health = connector.health()
        assert health.state is HealthState.DEGRADED and "install it again" in health.detail
