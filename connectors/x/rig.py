"""X as the contract suite drives it: activity by webhook, answers to the stand-in."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.kit.rigs import MONDAY, Given, HookRig, Send
from connectors.x.channel import CHANNEL
from connectors.x.hook import SIGNATURE, sign
from connectors.x.standin.faults import Fault
from connectors.x.standin.server import KEY, SECRET, TOKEN, TOKEN_SECRET, XStandin
from connectors.x.standin.world import OWN
from schemas.ids import derive
from schemas.outbound import OutboundMessage

ANN = "501"
SECOND = "the-second-consumer-secret"
TWEET, TIMELINE = "POST /tweets", f"GET /users/{OWN}/tweets"
FAULTS: Mapping[Send, Sequence[tuple[str, Fault]]] = {
    Send.REFUSES: ((TWEET, Fault("denied:This post is deleted or not visible to you.")),),
    Send.LIMITS: ((TWEET, Fault("limited")),),
    Send.LOSES: ((TWEET, Fault("drop", after=True)), *[(TIMELINE, Fault("status:503"))] * 2),
    Send.BREAKS: ((TWEET, Fault("status:503", after=True)), *[(TIMELINE, Fault("status:503"))] * 2),
    Send.REJECTS_US: ((TWEET, Fault("status:401")),),
}


class XRig(HookRig):
    channel = CHANNEL
    account = "acme"
    secrets: ClassVar[Sequence[str]] = (SECRET, SECOND, TOKEN_SECRET)

    async def begin(self) -> None:
        self.standin = XStandin()
        self.standin.person(ANN, "Ann", "ann")
        await self.standin.start()
        self.api_url = self.standin.url

    async def end(self) -> None:
        await self.standin.stop()

    def settings(self) -> Mapping[str, Any]:
        account = {
            "name": "acme",
            "user_id": OWN,
            "consumer_key": KEY,
            "consumer_secrets": [SECRET, SECOND],
            "access_token": TOKEN,
            "access_token_secret": TOKEN_SECRET,
            "webhook": True,
            "mentions": False,
            "direct_messages": False,
            "checks_a_month": 0,  # what comes by webhook here lies on no server that could be asked about it
            "api_url": self.api_url,
        }
        return {"accounts": [account]}

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        id = id_of(name)
        post = _post(id, ANN, text, id_of(thread) if thread else id)
        return _given(name, "post.create", {**post, "edit_history_tweet_ids": [id]}, post)

    def edited(self, of: Given, text: str, by: str = "author") -> Given | None:
        if by != "author":
            return None
        first, new = of.extra["id"], id_of(f"{of.name} edited")
        post = _post(new, ANN, text, of.extra["conversation_id"])
        history = {"edit_history_tweet_ids": [first, new]}
        return _given(f"{of.name} edited", "post.create", {**post, **history})

    def deleted(self, of: Given, by: str = "author") -> Given | None:
        if by != "author":
            return None
        event = {
            "status": {"id": of.extra["id"], "user_id": ANN},
            "timestamp_ms": int(MONDAY.timestamp() * 1000),
        }
        return _signed(f"{of.name} deleted", {"for_user_id": OWN, "tweet_delete_events": [event]}, SECRET)

    def malformed(self) -> Given:
        return _signed(
            "malformed", {"data": {"event_type": "post.create", "payload": {"text": "no id"}}}, SECRET
        )

    def forged(self, given: Given) -> Given:
        return Given(given.name, given.body, {SIGNATURE: sign("a secret that nobody set", given.body)})

    def by_second_secret(self, given: Given) -> Given:
        return Given(given.name, given.body, {SIGNATURE: sign(SECOND, given.body)})

    async def echo(self, message: OutboundMessage) -> Given:
        ours = next(each for each in self.standin.posts if each["author_id"] == OWN)
        return _given("echo", "post.create", ours)

    async def prepare(self, what: Send) -> bool:
        if what is Send.DOWN:
            await self.standin.stop()
        for call, fault in FAULTS.get(what, ()):
            self.standin.fail(call, fault)
        return True

    async def arrived(self) -> list[str]:
        return self.standin.said()


def id_of(name: str) -> str:
    return str(1_700_000_000_000_000_000 + derive(name).int % 10**16)


def _post(id: str, author: str, text: str, conversation: str) -> dict[str, Any]:
    return {"id": id, "author_id": author, "text": text, "conversation_id": conversation}


def _given(name: str, kind: str, payload: Mapping[str, Any], extra: Any = None) -> Given:
    return _signed(name, {"data": {"event_type": kind, "payload": payload}}, SECRET, extra)


def _signed(name: str, payload: Mapping[str, Any], secret: str, extra: Any = None) -> Given:
    body = json.dumps(payload, ensure_ascii=False).encode()
    return Given(name, body, {SIGNATURE: sign(secret, body)}, extra)
