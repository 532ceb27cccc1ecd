"""Connectors of a hub that runs: how they are, what they can do, paused and resumed as an operator does it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.cli.client import Api, open_api
from hub.cli.errors import Failed
from hub.cli.place import Place
from hub.settings import HubSettings
from hub.up import Running, start
from tests.support.waiting import eventually

SETTINGS = {
    **{name: {"port": 0} for name in ("console", "intake", "files")},
    "email": {
        "smtp_in": {"port": 0},
        "accounts": [{"name": "support", "address": "support@shop.example"}],
    },
    "grace_seconds": 10,
}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    settings = HubSettings.model_validate({**SETTINGS, "data": tmp_path / "data"})
    running = await start(settings, tmp_path / "data")
    yield running
    await running.stop()


@pytest.fixture
async def api(running: Running) -> AsyncIterator[Api]:
    async with open_api(Place(data=running.hub.folder)) as api:
        yield api


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_pause_closes_the_door_and_a_resume_opens_it_again(running: Running, api: Api) -> None:
    assert running.hub.email and running.hub.email.port
    port = running.hub.email.port
    assert await accepts(port)
    await api.post("/connectors/email:smtp/pause")

    async def is_closed() -> bool:
        return not await accepts(port)

    await eventually(is_closed, 10)
    (smtp,) = await api.get("/connectors")
    assert smtp["paused"] and smtp["detail"].startswith("paused by")
    await api.post("/connectors/email:smtp/resume")

    async def is_open() -> bool:
        return bool(running.hub.email and running.hub.email.port and await accepts(running.hub.email.port))

    await eventually(is_open, 10)
    assert not (await api.get("/connectors"))[0]["paused"]


async def test_what_a_channel_cannot_do_is_said(api: Api) -> None:
    assert (await api.get("/connectors/capabilities"))["email:support"]["subject"] is True
    with pytest.raises(Failed, match="there is no connector"):
        await api.post("/connectors/email:nobody/pause")
    with pytest.raises(Failed, match="last year"):
        await api.post("/connectors/email:smtp/replay", {"since": "2001-01-01T00:00:00Z"})


async def test_a_replay_says_what_came_of_it(api: Api, running: Running) -> None:
    since = running.hub.clock.now().isoformat()
    await api.post("/connectors/email:smtp/replay", {"since": since})

    async def is_told() -> bool:
        return "mailboxes" in (await api.get("/connectors"))[0]["replayed"]

    await eventually(is_told, 10)


async def test_metrics_tell_how_connectors_get_on(running: Running, api: Api) -> None:
    await api.post_bytes(
        "/ingest/email", b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\nhi\r\n", "message/rfc822"
    )
    (smtp,) = await api.get("/connectors")
    assert smtp["last_item_at"] and smtp["silent_seconds"] is None
