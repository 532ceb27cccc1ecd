"""Web forms keep the contract of connectors, as posts of a server that signs them."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

import httpx

from connectors.kit.contract import ConnectorContract
from connectors.kit.rigs import MONDAY, Clock, Given, House, Rig, Told
from connectors.kit.signatures import secret_bytes, sign
from connectors.webform.channel import CHANNEL
from schemas.crash import Crashed
from schemas.ports import Engine
from tests.connectors.engines import sqlite

FIRST, SECOND = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
FORM = {
    "name": "contact",
    "title": {"en": "Contact"},
    "fields": [
        {"name": "email", "type": "email", "label": {"en": "Email"}, "required": True},
        {"name": "message", "type": "textarea", "label": {"en": "Message"}, "required": True},
    ],
    "signing_secrets": [FIRST, SECOND],
}


class WebformRig(Rig):
    channel = CHANNEL
    account = "contact"
    secrets: ClassVar[Sequence[str]] = (FIRST, SECOND)

    def settings(self) -> Mapping[str, Any]:
        return {"forms": [FORM]}

    async def open(self, house: House) -> None:
        await super().open(house)
        transport = httpx.ASGITransport(self.opened.app, client=("198.51.100.7", 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url="https://forms.example")

    async def close(self) -> None:
        await self.client.aclose()
        await super().close()

    async def give(self, given: Given) -> Told:
        try:
            answer = await self.client.post("/f/contact", content=given.body, headers=dict(given.headers))
        except Crashed:
            return Told.AGAIN
        if answer.status_code < 400:
            return Told.DONE
        return Told.AGAIN if answer.status_code in (429, 503) else Told.NO

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        body = json.dumps({"email": "ann@customer.example", "message": text}).encode()
        return _signed(name, body, FIRST)

    def malformed(self) -> Given:
        return _signed("malformed", b"{this is no JSON", FIRST)

    def forged(self, given: Given) -> Given:
        return _signed(given.name, given.body, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

    def by_second_secret(self, given: Given) -> Given:
        return _signed(given.name, given.body, SECOND)


def _signed(name: str, body: bytes, secret: str) -> Given:
    id, at = f"msg_contract_{name.replace(' ', '_')}", int(MONDAY.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": sign(secret_bytes(secret), id, at, body),
    }
    return Given(name, body, headers)


class TestContract(ConnectorContract):
    rig_type = WebformRig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
