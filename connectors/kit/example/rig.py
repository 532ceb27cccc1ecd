"""The channel as the contract suite drives it. Replace the payloads by the vendor's own, from its documentation."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.kit.example.channel import CHANNEL
from connectors.kit.example.hook import SIGNATURE, TIMESTAMP, sign
from connectors.kit.example.standin import ExampleStandin
from connectors.kit.rigs import MONDAY, Given, HookRig, Send
from schemas.outbound import OutboundMessage

TOKEN = "a-token-of-the-tests"
FIRST, SECOND = "the-first-signing-secret", "the-second-signing-secret"


class ExampleRig(HookRig):
    channel = CHANNEL
    account = "main"
    secrets: ClassVar[Sequence[str]] = (TOKEN, FIRST, SECOND)

    async def begin(self) -> None:
        self.standin = ExampleStandin(TOKEN)
        await self.standin.start()
        self.url = self.standin.url

    async def end(self) -> None:
        await self.standin.stop()

    def settings(self) -> Mapping[str, Any]:
        account = {"name": "main", "signing_secrets": [FIRST, SECOND], "token": TOKEN, "api_url": self.url}
        return {"accounts": [account]}

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        return _given(
            name, type="message", conversation=thread or name, message=name, text=text, author="ann"
        )

    def edited(self, of: Given, text: str, by: str = "author") -> Given:
        return self._change(of, "edited", by, text=text)

    def deleted(self, of: Given, by: str = "author") -> Given:
        return self._change(of, "deleted", by)

    def reaction(self, of: Given, by: str = "other") -> Given:
        return self._change(of, "reaction", by, emoji="👍")

    def malformed(self) -> Given:
        return _signed("malformed", b'{"id": "bad", "type": "message"}', FIRST)

    def forged(self, given: Given) -> Given:
        return _signed(given.name, given.body, "a secret that nobody set")

    def by_second_secret(self, given: Given) -> Given:
        return _signed(given.name, given.body, SECOND)

    async def echo(self, message: OutboundMessage) -> Given:
        text = message.text
        return _given(
            "echo", type="message", conversation="one", message="out1", text=text, author="us", from_us=True
        )

    async def prepare(self, what: Send) -> bool:
        if what is Send.DOWN:
            await self.standin.stop()
        self.standin.next = what
        return True

    async def arrived(self) -> list[str]:
        return self.standin.messages

    def _change(self, of: Given, kind: str, by: str, **more: str) -> Given:
        conversation = json.loads(of.body)["conversation"]
        author = "ann" if by == "author" else "moderator"
        return _given(
            f"{of.name} {kind}", type=kind, conversation=conversation, message=of.name, author=author, **more
        )


def _given(name: str, **fields: Any) -> Given:
    body = json.dumps({"id": name, "at": MONDAY.timestamp(), **fields}, ensure_ascii=False).encode()
    return _signed(name, body, FIRST)


def _signed(name: str, body: bytes, secret: str) -> Given:
    stamp = str(int(MONDAY.timestamp()))
    headers = {TIMESTAMP: stamp, SIGNATURE: sign(secret.encode(), stamp, body).decode()}
    return Given(name, body, headers)
