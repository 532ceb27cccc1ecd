"""Slack, X and another company's help desk inside the demo: played by the stand-ins, with customers who write through them."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.kit.signatures import secret_bytes, sign
from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN, SlackStandin
from connectors.slack.standin.workspace import TEAM
from connectors.webhook.standin.server import Receiver
from connectors.x.standin.server import KEY, SECRET, TOKEN, TOKEN_SECRET, XStandin
from connectors.x.standin.world import OWN

SLACK_CHANNEL = "C0BIKESHOP"
JONAS, MARTA = "U0JONAS01", "U0MARTA01"
ELA = "7001"
DESK_SECRET, DESK_TOKEN = "whsec_ZGVtbyBzZWNyZXQgb2YgdGhlIGRlc2s=", "demo-token-of-the-desk"
ASKING_SECONDS = 1.0
NOTICED_SECONDS = 30.0


@dataclass
class Outside:
    """The vendors. `sections` are for the company's settings; start it before the hub."""

    slack: SlackStandin = field(default_factory=SlackStandin)
    x: XStandin = field(default_factory=XStandin)
    desk: Receiver = field(default_factory=lambda: Receiver(DESK_TOKEN))

    async def start(self) -> None:
        workspace = self.slack.workspace
        workspace.person(JONAS, "Jonas Petersen")
        workspace.person(MARTA, "Marta Nowak")
        workspace.channel(SLACK_CHANNEL)
        self.x.person(ELA, "Ela Winter", "elawinter")
        await self.slack.start()
        await self.x.start()
        await self.desk.start()

    async def stop(self) -> None:
        await self.slack.stop()
        await self.x.stop()
        await self.desk.stop()

    def sections(self) -> dict[str, Any]:
        return {"slack": self._slack(), "x": self._x(), "webhook_in": self._desk()}

    def _slack(self) -> dict[str, Any]:
        account = {
            "name": "nordlicht",
            "brand": "nordlicht",
            "team": TEAM,
            "bot_token": BOT_TOKEN,
            "app_token": APP_TOKEN,
            "as_agent": True,
            "api_url": self.slack.api_url,
        }
        return {"accounts": [account]}

    def _x(self) -> dict[str, Any]:
        account = {
            "name": "nordlicht",
            "brand": "nordlicht",
            "user_id": OWN,
            "consumer_key": KEY,
            "consumer_secrets": [SECRET],
            "access_token": TOKEN,
            "access_token_secret": TOKEN_SECRET,
            "poll_seconds": ASKING_SECONDS,
            "api_url": self.x.url,
        }
        return {"accounts": [account]}

    def _desk(self) -> dict[str, Any]:
        source = {
            "name": "dealers",
            "brand": "kaffeewerk",
            "signature": {"scheme": "standard-webhooks", "secrets": [DESK_SECRET]},
            "mapping": {
                "id": "/message",
                "conversation": "/ticket",
                "text": "/text",
                "subject": "/title",
                "sender_id": "/dealer/id",
                "sender_name": "/dealer/name",
                "fields": {"Order": "/order"},
            },
            "reply": {
                "url": f"{self.desk.url}/answers/{{conversation}}",
                "headers": {"x-token": DESK_TOKEN},
                "signing_secret": DESK_SECRET,
            },
        }
        return {"sources": [source], "private_networks": ["127.0.0.0/8"]}

    async def write(self, intake: str) -> int:
        """Everything once. Returns how many messages were written; all of them are on the log when it does."""
        await self._asked(3)  # the first look at X takes nothing
        workspace = self.slack.workspace
        first = workspace.say(
            JONAS, SLACK_CHANNEL, "Hi! The *Polaris* frames of order 4711 come with the wrong brekes :cry:"
        )
        workspace.say(MARTA, SLACK_CHANNEL, "Same here, two of six", thread_ts=first)
        workspace.edit(
            SLACK_CHANNEL, first, "Hi! The *Polaris* frames of order 4711 come with the wrong brakes :cry:"
        )
        workspace.react(MARTA, SLACK_CHANNEL, first, "eyes")
        self.x.mention(ELA, "@nordlicht do you have the Polaris in size 52? Your page says nothing.")
        self.x.write(ELA, "And one thing in private: my invoice has my old address.")
        await self.slack.settled()
        # A look asks for posts and for messages, and the next one begins when what was found is kept.
        await self._asked(len(self.x.calls) + 4)
        await self._post(intake)
        return 5

    async def _asked(self, times: int) -> None:
        """Until X was called so often."""
        async with asyncio.timeout(NOTICED_SECONDS):
            while len(self.x.calls) < times:
                self.x.asked.clear()
                await self.x.asked.wait()

    async def _post(self, intake: str) -> None:
        ticket = {
            "message": "m-1",
            "ticket": "T-204",
            "title": "Late beans",
            "text": "Our standing order did not come this week. Is it on its way?",
            "dealer": {"id": "d-17", "name": "Café Aurora"},
            "order": "SO-2291",
        }
        body, stamp = json.dumps(ticket).encode(), int(datetime.now(UTC).timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": "demo-m-1",
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(secret_bytes(DESK_SECRET), "demo-m-1", stamp, body),
        }
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.post(f"{intake}/hooks/webhook_in/dealers", content=body, headers=headers)
        answer.raise_for_status()
