"""The Events API: Slack calls us. https://docs.slack.dev/apis/events-api/"""

import json
from collections.abc import Sequence
from urllib.parse import parse_qs

from connectors.kit.hooks import HookAnswer, HookRequest, Outcome, default_answer
from connectors.kit.items import RawItem, Receiver, Unreadable
from connectors.slack.installing import Installing
from connectors.slack.parse.blocks import string
from connectors.slack.parse.envelope import item_name, load
from connectors.slack.signature import verify

BODY_BYTES = 2 << 20
FORM = "application/x-www-form-urlencoded"
RETRY_FACTS = {"x-slack-retry-num": "retry", "x-slack-retry-reason": "retry-reason"}


class SlackHook:
    """Implements connectors.kit.hooks.Hook for one account."""

    body_bytes = BODY_BYTES

    def __init__(
        self, receiver: Receiver, signing_secrets: Sequence[str], installing: Installing | None = None
    ) -> None:
        self.receiver = receiver
        self.installing = installing
        self._secrets = tuple(signing_secrets)

    async def page(self, request: HookRequest) -> HookAnswer | None:
        """Implements Paged: the installation, where workspaces install the app."""
        return await self.installing.page(request) if self.installing is not None else None

    def verify(self, request: HookRequest) -> None:
        verify(self._secrets, request.headers, request.body, request.received_at)

    def split(self, request: HookRequest) -> Sequence[RawItem] | HookAnswer:
        if request.headers.get("content-type", "").startswith(FORM):
            return _interaction(request.body)
        envelope = load(request.body)
        if envelope.get("type") == "url_verification":
            challenge = string(envelope.get("challenge"))[:1000]
            return HookAnswer(200, json.dumps({"challenge": challenge}).encode(), "application/json")
        facts = {
            kept: request.headers[name][:60] for name, kept in RETRY_FACTS.items() if name in request.headers
        }
        return [RawItem(item_name(envelope), request.body, request.received_at, facts=facts)]

    def answer(self, outcome: Outcome) -> HookAnswer:
        """What is not ours would not be so at the next try either."""
        answer = default_answer(outcome)
        if outcome.unverified:
            return HookAnswer(answer.status, answer.body, headers={"x-slack-no-retry": "1"})
        return answer


def _interaction(body: bytes) -> HookAnswer:
    """Buttons, shortcuts and slash commands are not used; Slack is told that they arrived."""
    form = parse_qs(body[:BODY_BYTES].decode("utf-8", "replace"), max_num_fields=50)
    if not {"payload", "command", "ssl_check"} & form.keys():
        raise Unreadable("a form of a kind that Slack does not send")
    return HookAnswer(200)
