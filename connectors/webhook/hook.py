"""One source's address: proves, splits, takes, answers."""

import hmac
import json
from collections.abc import Sequence

from connectors.kit.downloads import Downloads
from connectors.kit.hooks import HookAnswer, HookRequest, Outcome, Unverified, default_answer
from connectors.kit.intake import Accepted
from connectors.kit.items import RawItem, Receiver
from connectors.kit.json_body import load_json
from connectors.webhook.pointers import text_at
from connectors.webhook.proof import request_id, verify
from connectors.webhook.reading import files_of, item_name, items_of
from connectors.webhook.settings import WebhookSource
from schemas.interactions import InteractionReceived

CHALLENGE_CHARACTERS = 500


class WebhookHook:
    """Implements connectors.kit.hooks.Hook for one source."""

    def __init__(self, source: WebhookSource, receiver: Receiver) -> None:
        self.receiver = receiver
        self.body_bytes = source.body_bytes
        self._source = source

    def verify(self, request: HookRequest) -> None:
        if request.method != "POST":
            self._verify_handshake(request)
            return
        verify(self._source.signature, request)

    def split(self, request: HookRequest) -> Sequence[RawItem] | HookAnswer:
        source = self._source
        if request.method != "POST":
            return HookAnswer(200, self._challenge(request).encode("utf-8", "replace"))
        document = load_json(request.body)
        if source.handshake is not None:
            challenge = text_at(document, source.handshake.challenge, CHALLENGE_CHARACTERS)
            if challenge:
                return HookAnswer(200, challenge.encode("utf-8", "replace"))
        found = items_of(document, source.mapping)
        named = request_id(source.signature, request.headers)
        if source.mapping.items is None:
            name = item_name(document, source.mapping) if source.mapping.id or not named else f"id:{named}"
            return [RawItem(name, request.body, request.received_at)]
        return [
            RawItem(
                item_name(each, source.mapping),
                json.dumps(each, ensure_ascii=False).encode("utf-8", "surrogatepass"),
                request.received_at,
            )
            for each in found
        ]

    def answer(self, outcome: Outcome) -> HookAnswer:
        if outcome.unverified or outcome.outage is not None:
            return default_answer(outcome)
        told = self._source.answer
        return HookAnswer(told.status, told.body.encode(), told.media_type)

    def _verify_handshake(self, request: HookRequest) -> None:
        handshake = self._source.handshake
        if handshake is None or handshake.token is None:
            raise Unverified("only POST is taken here")
        given = request.query.get(handshake.token_query, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, handshake.token.get_secret_value().encode()):
            raise Unverified(f"{handshake.token_query} is not the token of the settings")

    def _challenge(self, request: HookRequest) -> str:
        assert self._source.handshake is not None
        return request.query.get(self._source.handshake.challenge_query, "")[:CHALLENGE_CHARACTERS]


class FileEnricher:
    """Fetches the files that an item names."""

    def __init__(self, source: WebhookSource, downloads: Downloads) -> None:
        self._mapping = source.mapping
        self._downloads = downloads

    async def __call__(self, accepted: Accepted) -> Accepted:
        wanted = files_of(load_json(accepted.original.content), self._mapping)
        if not wanted:
            return accepted
        files = await self._downloads.fetch_all(wanted)
        events = tuple(
            each.model_copy(update={"attachments": files}) if isinstance(each, InteractionReceived) else each
            for each in accepted.interactions
        )
        return Accepted(accepted.item, accepted.original, events, accepted.blobs)
