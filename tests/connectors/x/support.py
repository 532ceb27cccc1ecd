"""A company on X: the stand-in, an account at it, and the connector of the account."""

from dataclasses import dataclass
from typing import Any

from connectors.x.connector import XConnector
from connectors.x.deliver import Sender
from connectors.x.settings import XAccount
from connectors.x.standin.server import KEY, SECRET, TOKEN, TOKEN_SECRET, XStandin
from connectors.x.standin.world import OWN
from schemas.interactions import (
    InteractionReceived,
)
from schemas.outbound import OutboundMessage
from tests.connectors.slack.support import Place, outbound

ANN, BEN = "501", "502"
TWEET, TIMELINE = "POST /tweets", f"GET /users/{OWN}/tweets"


@dataclass
class Company:
    x: XStandin
    place: Place
    connector: XConnector

    async def texts(self) -> list[str]:
        return [each.content.text for each in await self.received()]

    async def received(self) -> list[InteractionReceived]:
        found = {
            each.part.item: each
            for each in await self.place.interactions()
            if isinstance(each, InteractionReceived)
        }
        return list(found.values())

    @property
    def sender(self) -> Sender:
        sender = self.connector.sender
        sender._look_after_seconds = (0.0, 0.05)
        return sender


def account(url: str, **more: Any) -> XAccount:
    return XAccount.model_validate(
        {
            "name": "acme",
            "user_id": OWN,
            "consumer_key": KEY,
            "consumer_secrets": [SECRET],
            "access_token": TOKEN,
            "access_token_secret": TOKEN_SECRET,
            "webhook": True,
            "api_url": url,
            **more,
        }
    )


async def begun(company: Company) -> None:
    """The first look, which takes nothing."""
    company.x.mention(ANN, "@acme long ago")
    assert await company.connector.look() == 0


def answer(company: Company, text: str, post: str, **more: Any) -> OutboundMessage:
    given = {"channel": "x", "account": "acme", "in_reply_to": f"x:post:{post}", **more}
    return outbound(text, f"x:post:{OWN}:{post}", **given)
