"""A webhook of another system from end to end: its message is a case, the agent's answer goes back, and it is known to be there."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.kit.signatures import secret_bytes, sign
from connectors.webhook.rig import FIRST, TOKEN
from connectors.webhook.standin.server import Receiver
from hub.settings import HubSettings
from hub.up import start
from schemas.accounts import Principal, Role
from schemas.collections import CASES
from schemas.commands import ReplyToCase
from schemas.documents import Case, EntryKind
from schemas.events import Actor
from schemas.ids import derive
from schemas.outbound import DeliveryState
from schemas.steps import Query
from tests.e2e.engines import BOTH, settings_of
from tests.support.waiting import eventually

MIA = Principal(kind="agent", id="mia", name="Mia", roles={"*": Role.AGENT})


@pytest.fixture
async def desk() -> AsyncIterator[Receiver]:
    made = Receiver(TOKEN)
    await made.start()
    yield made
    await made.stop()


def settings(desk: Receiver, engine: Mapping[str, Any]) -> HubSettings:
    source = {
        "name": "desk",
        "signature": {"scheme": "standard-webhooks", "secrets": [FIRST]},
        "mapping": {"id": "/id", "conversation": "/ticket", "text": "/text", "sender_id": "/who"},
        "reply": {
            "url": f"{desk.url}/answers/{{conversation}}",
            "headers": {"x-token": TOKEN},
            "signing_secret": FIRST,
        },
    }
    return HubSettings.model_validate(
        {
            "queues": [{"name": "inbox", "title": "Inbox"}],
            "default_queue": "inbox",
            "console": {"port": 0},
            "intake": {"port": 0},
            "files": {"port": 0},
            "grace_seconds": 1,
            **engine,
            "webhook_in": {"sources": [source], "private_networks": ["127.0.0.0/8"]},
        }
    )


@pytest.mark.parametrize("engine", BOTH)
async def test_a_message_is_a_case_and_its_answer_goes_back_signed(
    tmp_path: Path, desk: Receiver, engine: str
) -> None:
    running = await start(settings(desk, await settings_of(engine)), tmp_path / "data")
    hub = running.hub
    try:
        body = json.dumps({"id": "m1", "ticket": "T-7", "text": "Where is it?", "who": "c1"}).encode()
        stamp = int(datetime.now(UTC).timestamp())
        headers = {"webhook-id": "w1", "webhook-timestamp": str(stamp)}
        headers["webhook-signature"] = sign(secret_bytes(FIRST), "w1", stamp, body)
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{running.addresses['intake']}/hooks/webhook_in/desk"
            assert (await client.post(url, content=body, headers=headers)).status_code == 200
            assert (await client.post(url, content=body)).status_code == 401

        async def opened() -> list[Case]:
            page = await hub.engine.find(Query(CASES))
            return [each for each in page.items if isinstance(each, Case) and each.queue]

        (case,) = await eventually(opened)
        command = ReplyToCase(
            case=case.id, actor=Actor(kind="agent", id="mia", name="Mia"), text="On its way"
        )
        await hub.service.command(MIA, command, derive("request"))

        async def arrived() -> bool:
            page = await hub.service.timeline(MIA, case, kinds=(EntryKind.REPLY,))
            return [each.delivery for each in page.items] == [DeliveryState.SENT]

        assert await eventually(arrived)
        (taken,) = desk.taken.values()
        assert (taken["conversation"], taken["data"]["text"]) == ("T-7", "On its way")
        (told,) = desk.headers
        assert told["webhook-signature"] == sign(
            secret_bytes(FIRST), told["webhook-id"], int(told["webhook-timestamp"]), desk.bodies[0]
        )
    finally:
        await running.stop()
