"""A webhook of a help desk as the contract suite drives it: signed by Standard Webhooks, answers to an address of its own."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.kit.rigs import MONDAY, Given, HookRig, Send
from connectors.kit.signatures import secret_bytes, sign
from connectors.webhook.channel import CHANNEL
from connectors.webhook.standin.server import Receiver

TOKEN = "the-token-of-the-receiver"
FIRST = "whsec_" + b64encode(b"the first signing secret").decode()
SECOND = "whsec_" + b64encode(b"the second signing secret").decode()
FAULTS: Mapping[Send, str] = {
    Send.REFUSES: "422",
    Send.LIMITS: "429",
    Send.LOSES: "drop",
    Send.BREAKS: "broken",
    Send.REJECTS_US: "401",
}


class WebhookRig(HookRig):
    channel = CHANNEL
    account = "desk"
    secrets: ClassVar[Sequence[str]] = (FIRST, SECOND, TOKEN)

    async def begin(self) -> None:
        self.standin = Receiver(TOKEN)
        await self.standin.start()
        self.url = self.standin.url

    async def end(self) -> None:
        await self.standin.stop()

    def settings(self) -> Mapping[str, Any]:
        source = {
            "name": "desk",
            "signature": {"scheme": "standard-webhooks", "secrets": [FIRST, SECOND]},
            "mapping": {
                "id": "/message/id",
                "conversation": "/ticket",
                "text": "/message/text",
                "sender_id": "/customer/id",
                "sender_name": "/customer/name",
            },
            "reply": {
                "url": f"{self.url}/answers/{{conversation}}",
                "headers": {"x-token": TOKEN},
                "body": {"text": "{text}"},
                "signing_secret": FIRST,
                "id": "/id",
                "knows_repeats": False,
            },
        }
        return {"sources": [source], "private_networks": ["127.0.0.0/8"]}

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        payload = {
            "ticket": thread or name,
            "message": {"id": name, "text": text},
            "customer": {"id": "c-1", "name": "Ann"},
        }
        return _signed(name, json.dumps(payload).encode(), FIRST)

    def malformed(self) -> Given:
        return _signed("malformed", b'{"message": {"id": "x"}}', FIRST)

    def forged(self, given: Given) -> Given:
        return _signed(given.name, given.body, "whsec_" + b64encode(b"a secret that nobody set").decode())

    def by_second_secret(self, given: Given) -> Given:
        return _signed(given.name, given.body, SECOND)

    async def prepare(self, what: Send) -> bool:
        if what is Send.DOWN:
            await self.standin.stop()
        elif what in FAULTS:
            self.standin.faults.append(FAULTS[what])
        return True

    async def arrived(self) -> list[str]:
        return [each["text"] for each in self.standin.taken.values()]


def _signed(name: str, body: bytes, secret: str) -> Given:
    now = int(MONDAY.timestamp())
    id = f"msg_{name}"
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret_bytes(secret), id, now, body),
    }
    return Given(name, body, headers)
