"""A Slack account on an engine of its own, beside the stand-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.kit.channel import Surroundings
from connectors.kit.cursors import Cursors
from connectors.kit.downloads import Downloads
from connectors.kit.intake import Intake
from connectors.kit.kept import Kept
from connectors.kit.media import MediaSettings
from connectors.slack.settings import SlackAccount
from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackStandin
from connectors.slack.standin.workspace import TEAM
from schemas.events import Actor
from schemas.ids import derive
from schemas.interactions import InteractionEvent, Participant, Role
from schemas.outbound import OutboundMessage
from schemas.ports import Engine
from schemas.steps import START
from schemas.topics import Topic
from sinks.sqlite.engine import open_engine

CHANNEL, DIRECT = "C0CUSTOMER", "D0DIRECT01"
ANN, BEN = "U0ANN0001", "U0BEN0001"


@dataclass
class Clock:
    """The machine's time, which a test may put ahead."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Place:
    engine: Engine
    around: Surroundings
    clock: Clock

    async def interactions(self) -> list[InteractionEvent]:
        records = await self.engine.scan((Topic.INTERACTIONS,), START, 10_000)
        return [
            each.event.data
            for each in records
            if each.event and isinstance(each.event.data, InteractionEvent)
        ]

    async def quarantined(self) -> int:
        return len(await self.engine.scan((Topic.QUARANTINE,), START, 1000))


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    clock = Clock()
    engine = await open_engine(folder, clock=clock)
    downloads = Downloads(MediaSettings(seconds=5), engine.put_blob)
    around = Surroundings(
        intake=Intake(engine, clock),
        clock=clock,
        cursors=Cursors(engine, clock),
        fetch_blob=engine.blob,
        secret=lambda name: name.encode(),
        downloads=downloads,
        kept=Kept(engine),
    )
    try:
        yield Place(engine, around, clock)
    finally:
        await downloads.close()
        await engine.close()


@asynccontextmanager
async def standin(**options: Any) -> AsyncIterator[SlackStandin]:
    made = SlackStandin(
        **{"retry_seconds": (0.05, 0.1, 0.2), "ack_seconds": 1.0, "slow_seconds": 30.0, **options}
    )
    made.workspace.person(ANN, "Ann Example", "ann@example.com")
    made.workspace.person(BEN, "Ben")
    made.workspace.channel(CHANNEL)
    made.workspace.channel(DIRECT)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def account(api_url: str, **more: Any) -> SlackAccount:
    return SlackAccount.model_validate(
        {
            "name": "acme",
            "team": TEAM,
            "bot_token": BOT_TOKEN,
            "signing_secrets": [SIGNING_SECRET],
            "api_url": api_url,
            **more,
        }
    )


def socket_account(api_url: str, **more: Any) -> SlackAccount:
    return account(api_url, signing_secrets=[], app_token=APP_TOKEN, **more)


def outbound(text: str, conversation: str, name: str = "answer", **more: Any) -> OutboundMessage:
    return OutboundMessage.model_validate(
        {
            "message": derive("message", name),
            "channel": "slack",
            "account": "acme",
            "brand": "default",
            "conversation": conversation,
            "recipients": (Participant(role=Role.TO, scheme="slack", value=f"{TEAM}/{ANN}"),),
            "text": text,
            "author": Actor(kind="agent", id="mia", name="Mia"),
            "queued_at": datetime.now(UTC),
            **more,
        }
    )
