"""X calls us: the challenge that it repeats, and Account Activity. https://docs.x.com/x-api/webhooks/introduction"""

import hmac
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.kit.hooks import HookAnswer, HookRequest, Outcome, Unverified, default_answer
from connectors.kit.items import RawItem, Receiver, Taken, Unreadable
from connectors.kit.json_body import load_json
from connectors.x.parents import Parents
from connectors.x.parse.items import activity_items, string
from schemas.crash import crash_point

SIGNATURE = "x-twitter-webhooks-signature"
BODY_BYTES = 2 << 20
CHALLENGE = "crc_token"
CHALLENGES = re.compile(r"[A-Za-z0-9+/=_.-]{1,200}")
"""A body is signed as a challenge is: answering one that could be a payload would sign it for whoever asks."""
DIRECT = "dm:"


def sign(secret: str, signed: bytes) -> str:
    """`sha256=` and base64, of a challenge as of a body."""
    return "sha256=" + b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


@dataclass
class XReceiver(Receiver):
    """The way in of one account's posts, which hands direct messages on to their own."""

    private: Receiver | None = None
    parents: Parents | None = None

    async def take(self, raw: RawItem) -> Taken:
        receiver = self._of(raw)
        return await (super().take(raw) if receiver is self else receiver.take(raw))

    async def take_all(self, items: Sequence[RawItem]) -> list[Taken]:
        """All of one request: what its posts answer is looked up once, within a short time, before they go to the log."""
        if self.parents is None:
            return await super().take_all(items)
        crash_point("intake.after-original")
        read = await self.parents.shown([self._of(each).read(each) for each in items])
        return [await self._of(raw).keep(accepted) for raw, accepted in zip(items, read, strict=True)]

    def _of(self, raw: RawItem) -> Receiver:
        return self.private if self.private is not None and raw.name.startswith(DIRECT) else self


class XHook:
    """Implements connectors.kit.hooks.Hook for one account. `own`: whose activity it is."""

    body_bytes = BODY_BYTES

    def __init__(self, receiver: Receiver, secrets: Sequence[str], own: str) -> None:
        self.receiver = receiver
        self._secrets = tuple(secrets)
        self._own = own

    def verify(self, request: HookRequest) -> None:
        """The challenge of a GET is not signed: to answer it tells nothing but that we know the secret, as it is no JSON object."""
        if request.method == "GET":
            if CHALLENGES.fullmatch(request.query.get(CHALLENGE, "")) is None:
                raise Unverified("a GET needs crc_token, of letters, digits and +/=_.-")
            return
        given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
        fits = False
        for secret in self._secrets:
            fits |= hmac.compare_digest(sign(secret, request.body).encode(), given)
        if not fits:
            raise Unverified(f"header {SIGNATURE} fits none of the account's consumer secrets")

    def split(self, request: HookRequest) -> Sequence[RawItem] | HookAnswer:
        if request.method == "GET":
            told = {
                "response_token": sign(self._secrets[0], request.query[CHALLENGE].encode("utf-8", "replace"))
            }
            return HookAnswer(200, json.dumps(told).encode(), "application/json")
        payload = load_json(request.body)
        if not isinstance(payload, dict):
            raise Unreadable("it is no JSON object")
        whose = string(payload.get("for_user_id"))
        if whose and whose != self._own:
            return HookAnswer(200)  # one address may be told of several accounts
        found = activity_items(payload, request.received_at)
        return [RawItem(each.name, request.body, request.received_at) for each in found]

    def answer(self, outcome: Outcome) -> HookAnswer:
        return default_answer(outcome)
