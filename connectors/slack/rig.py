"""Slack as the contract suite drives it: events by HTTP, answers to the stand-in."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.kit.rigs import MONDAY, Given, HookRig, Send
from connectors.slack.channel import CHANNEL
from connectors.slack.signature import SIGNATURE, TIMESTAMP, sign
from connectors.slack.standin.api import Fault
from connectors.slack.standin.server import BOT_TOKEN, SIGNING_SECRET, SlackStandin
from connectors.slack.standin.workspace import APP, BOT_USER, TEAM
from schemas.ids import derive
from schemas.outbound import OutboundMessage

PLACE, ANN, MODERATOR = "C0CUSTOMER", "U0ANN0001", "U0MODERAT"
SECOND = "the-second-signing-secret"
POST = "chat.postMessage"
FAULTS: Mapping[Send, Sequence[tuple[str, Fault]]] = {
    Send.TAKES: (),
    Send.REFUSES: ((POST, Fault("error:channel_not_found")),),
    Send.LIMITS: ((POST, Fault("limited", retry_after="7")),),
    Send.LOSES: (
        (POST, Fault("drop", after=True)),
        *[("conversations.replies", Fault("status:503"))] * 2,
    ),
    Send.BREAKS: (
        (POST, Fault("status:503", after=True)),
        *[("conversations.replies", Fault("status:503"))] * 2,
    ),
}


class SlackRig(HookRig):
    channel = CHANNEL
    account = "acme"
    secrets: ClassVar[Sequence[str]] = (BOT_TOKEN, SIGNING_SECRET, SECOND)

    async def begin(self) -> None:
        self.standin = SlackStandin("http://127.0.0.1:9/nobody", retry_seconds=())
        self.standin.workspace.person(ANN, "Ann")
        self.standin.workspace.channel(PLACE)
        await self.standin.start()
        self.api_url = self.standin.api_url

    async def end(self) -> None:
        await self.standin.stop()

    def settings(self) -> Mapping[str, Any]:
        account = {
            "name": "acme",
            "team": TEAM,
            "bot_token": BOT_TOKEN,
            "signing_secrets": [SIGNING_SECRET, SECOND],
            "api_url": self.api_url,
            "catch_up_hours": 0,
        }
        return {"accounts": [account]}

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        ts = ts_of(name)
        self._exists(ts)
        event = {"type": "message", "channel": PLACE, "user": ANN, "text": text, "ts": ts, "event_ts": ts}
        return _given(name, {**event, "thread_ts": ts_of(thread)} if thread else event, event)

    def edited(self, of: Given, text: str, by: str = "author") -> Given:
        when = ts_of(f"{of.name} edited")
        now = {**of.extra, "text": text, "edited": {"user": _who(by), "ts": when}}
        event = {
            "type": "message",
            "subtype": "message_changed",
            "channel": PLACE,
            "ts": when,
            "event_ts": when,
        }
        return _given(f"{of.name} edited", {**event, "message": now, "previous_message": of.extra})

    def deleted(self, of: Given, by: str = "author") -> Given:
        when = ts_of(f"{of.name} deleted")
        event = {
            "type": "message",
            "subtype": "message_deleted",
            "channel": PLACE,
            "ts": when,
            "event_ts": when,
        }
        return _given(
            f"{of.name} deleted", {**event, "deleted_ts": of.extra["ts"], "previous_message": of.extra}
        )

    def reaction(self, of: Given, by: str = "other") -> Given:
        item = {"type": "message", "channel": PLACE, "ts": of.extra["ts"]}
        event = {"type": "reaction_added", "user": _who(by), "reaction": "eyes", "item": item}
        return _given(f"{of.name} reaction", {**event, "event_ts": ts_of(f"{of.name} reaction")})

    def malformed(self) -> Given:
        return _signed(
            "malformed", b'{"type": "event_callback", "event": {"type": "message"}}', SIGNING_SECRET
        )

    def forged(self, given: Given) -> Given:
        return _signed(given.name, given.body, "a secret that nobody set")

    def by_second_secret(self, given: Given) -> Given:
        return _signed(given.name, given.body, SECOND)

    async def echo(self, message: OutboundMessage) -> Given:
        posted = self.standin.workspace.from_app()[-1]
        return _given("echo", {**posted, "channel": PLACE, "event_ts": posted["ts"]})

    async def prepare(self, what: Send) -> bool:
        if what is Send.DOWN:
            await self.standin.stop()
        elif what is Send.REJECTS_US:
            self.standin.api.bot_token = "xoxb-another"
        for method, fault in FAULTS.get(what, ()):
            self.standin.api.fail(method, fault)
        return True

    async def arrived(self) -> list[str]:
        return [each["text"] for each in self.standin.workspace.from_app()]

    def _exists(self, ts: str) -> None:
        """The message stands in the channel, so that it can be answered in its thread."""
        messages = self.standin.workspace.channels[PLACE]
        if all(each["ts"] != ts for each in messages):
            messages.append({"type": "message", "user": ANN, "text": "", "ts": ts})


def ts_of(name: str) -> str:
    """A message's name at Slack, the same for the same name here."""
    return f"{int(MONDAY.timestamp()) - 1000 + derive(name).int % 900}.{derive(name).int % 1_000_000:06d}"


def _who(by: str) -> str:
    return ANN if by == "author" else MODERATOR


def _given(name: str, event: Mapping[str, Any], extra: Mapping[str, Any] | None = None) -> Given:
    authorization = {"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}
    envelope = {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": APP,
        "event_id": f"Ev{derive(name).hex[:9].upper()}",
        "event": event,
        "authorizations": [authorization],
    }
    return _signed(name, json.dumps(envelope, ensure_ascii=False).encode(), SIGNING_SECRET, extra)


def _signed(name: str, body: bytes, secret: str, extra: Mapping[str, Any] | None = None) -> Given:
    now = int(MONDAY.timestamp())
    headers = {"content-type": "application/json", TIMESTAMP: str(now), SIGNATURE: sign(secret, now, body)}
    return Given(name, body, headers, extra)
