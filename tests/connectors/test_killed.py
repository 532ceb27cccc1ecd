"""The hub's process is killed (SIGKILL) between the steps of intake, life after life: by a push, a pull and a webhook connector.

The suite of the kit ends the work in process; here it is the process that ends. What the other side gave is there, once.
"""

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.kit.signatures import secret_bytes, sign
from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackStandin
from connectors.slack.standin.workspace import TEAM
from connectors.webhook.rig import FIRST
from connectors.x.standin.server import KEY, SECRET, TOKEN, TOKEN_SECRET, XStandin
from connectors.x.standin.world import OWN
from schemas.collections import CASES
from schemas.documents import Case, EntryKind
from schemas.steps import Query
from sinks.sqlite.engine import open_engine
from tests.e2e.hubs import HubProcess, company, hub_process, ready, write_settings
from tests.faults.lives import COMMAND, Clock
from tests.support.process import running
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LIVES = (
    ("intake.after-original", 1),
    ("intake.before-commit", 1),
    ("intake.before-acknowledge", 1),
    ("intake.before-acknowledge", 2),
)
"""At which passage of which point each life ends."""
ANN = "501"
CHANNEL = "C0CUSTOMER"
Say = Callable[[str, HubProcess], Awaitable[None]]


@dataclass(frozen=True)
class Peer:
    """The other side of one connector. `say` gives a message as a customer or vendor does, once or until it is taken."""

    settings: Mapping[str, Any]
    say: Say
    again: Callable[[HubProcess], Awaitable[None]]
    """What the other side does of itself once the hub is back."""


async def nothing(hub: HubProcess) -> None:
    return


@asynccontextmanager
async def slack() -> AsyncIterator[Peer]:
    """Socket Mode; what was not acknowledged is closed from the history."""
    standin = SlackStandin(retry_seconds=(0.5, 1.0))
    standin.workspace.person("U0ANN0001", "Ann Example")
    standin.workspace.channel(CHANNEL)
    await standin.start()
    account = {
        "name": "acme",
        "team": TEAM,
        "bot_token": BOT_TOKEN,
        "app_token": APP_TOKEN,
        "signing_secrets": [SIGNING_SECRET],
        "api_url": standin.api_url,
    }

    async def say(text: str, hub: HubProcess) -> None:
        standin.workspace.say("U0ANN0001", CHANNEL, text)

    yield Peer({"slack": {"accounts": [account]}}, say, nothing)
    await standin.stop()


@asynccontextmanager
async def x() -> AsyncIterator[Peer]:
    """Asked every second."""
    standin = XStandin()
    standin.person(ANN, "Ann", "ann")
    await standin.start()
    account = {
        "name": "acme",
        "user_id": OWN,
        "consumer_key": KEY,
        "consumer_secrets": [SECRET],
        "access_token": TOKEN,
        "access_token_secret": TOKEN_SECRET,
        "poll_seconds": 1,
        "direct_messages": False,
        "api_url": standin.url,
    }

    async def say(text: str, hub: HubProcess) -> None:
        await eventually(lambda: bool(standin.calls))  # what was before the first look is not asked for
        standin.mention(ANN, f"@acme {text}")

    yield Peer({"x": {"accounts": [account]}}, say, nothing)
    await standin.stop()


@asynccontextmanager
async def webhook() -> AsyncIterator[Peer]:
    """Repeated until it is answered with 200, as good sources do."""
    source = {
        "name": "desk",
        "signature": {"scheme": "standard-webhooks", "secrets": [FIRST]},
        "mapping": {"id": "/id", "text": "/text", "sender_id": "/who"},
    }
    waiting: list[str] = []

    async def again(hub: HubProcess) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while waiting:
                try:
                    answer = await client.post(
                        f"http://{hub.intake.removeprefix('http://')}/hooks/webhook_in/desk",
                        **_signed(waiting[0]),
                    )
                except httpx.HTTPError:
                    return  # it was killed: later
                assert answer.status_code == 200, answer.text
                waiting.pop(0)

    async def say(text: str, hub: HubProcess) -> None:
        waiting.append(text)
        await again(hub)

    yield Peer({"webhook_in": {"sources": [source]}}, say, again)


def _signed(text: str) -> dict[str, Any]:
    body = json.dumps({"id": text, "text": text, "who": "c1"}).encode()
    stamp = int(datetime.now(UTC).timestamp())
    signature = sign(secret_bytes(FIRST), text, stamp, body)
    headers = {"webhook-id": text, "webhook-timestamp": str(stamp), "webhook-signature": signature}
    return {"content": body, "headers": headers}


PEERS = {"push: Slack's Socket Mode": slack, "pull: X": x, "webhook": webhook}


async def said_in(folder: Path) -> Counter[str]:
    """The customers' messages in the timelines of all cases."""
    engine = await open_engine(folder / "data", clock=Clock())
    try:
        found: Counter[str] = Counter()
        for case in (await engine.find(Query(CASES, limit=200))).items:
            assert isinstance(case, Case)
            page = await engine.timeline(cases=[case.id], limit=200)
            found.update(
                each.text.removeprefix("@acme ") for each in page.items if each.kind is EntryKind.MESSAGE
            )
        return found
    finally:
        await engine.close()


@pytest.mark.parametrize("peer", PEERS)
async def test_what_was_given_is_there_once_however_often_the_process_is_killed(
    tmp_path: Path, peer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted: list[str] = []
    killed = 0
    async with PEERS[peer]() as other:
        settings = write_settings(tmp_path, {**company(9), "automations": [], **other.settings})
        async with hub_process(settings, command=COMMAND) as hub:  # a life in which all is well
            await other.say("first", hub)
            wanted.append("first")
            await eventually(lambda: _is_there(hub, 1))
            assert await hub.run.stop(within_seconds=30) == 0
        for point, passage in LIVES:
            armed = {"HUBBUB_CRASH_AT": f"{point}:{passage}", "HUBBUB_TESTING": "1"}
            async with running(*COMMAND, "up", "--config", str(settings), environment=armed) as run:
                try:
                    hub = await ready(run, settings)
                    for number in range(passage):
                        wanted.append(f"{point} {passage} {number}")
                        await other.say(wanted[-1], hub)
                except EOFError:
                    pass  # killed as it caught up
                assert await run.process.wait() == -signal.SIGKILL, run.lines[-20:]
                killed += 1
        async with hub_process(settings, command=COMMAND) as hub:
            await other.again(hub)
            await eventually(lambda: _is_there(hub, len(wanted)))
            await hub.settled()
            assert await hub.run.stop(within_seconds=30) == 0
    found = await said_in(tmp_path)
    lost = [each for each in wanted if not found[each]]
    doubled = [each for each, count in found.items() if count > 1]
    with capsys.disabled():
        print(
            f"\n  {peer}: killed {killed} times, given {len(wanted)}, lost {len(lost)}, doubled {len(doubled)}"
        )
    assert not lost and not doubled and set(found) == set(wanted)


async def _is_there(hub: HubProcess, count: int) -> bool:
    cases = await hub.everything("/cases")
    return len(cases) >= count
