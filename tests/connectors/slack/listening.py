"""A connector of Slack that listens, and what it brought."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from connectors.slack.connector import SlackConnector
from connectors.slack.standin.server import SlackStandin
from schemas.interactions import InteractionEvent, InteractionReceived
from tests.connectors.slack.support import (
    Place,
    socket_account,
)
from tests.support.waiting import eventually


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


async def eventually_texts(there: Place, expected: list[str]) -> None:
    async def are_there() -> bool:
        return await texts(there) == expected

    assert await eventually(are_there)
