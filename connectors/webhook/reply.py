"""Answers out, as requests that the settings describe; to public addresses only, signed, and named so that a repeat is known."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from connectors.kit.signatures import secret_bytes, sign
from connectors.webhook.pointers import text_at
from connectors.webhook.reading import CHANNEL
from connectors.webhook.settings import Reply, WebhookSource
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Receipt, ReceiptStatus

NAMES = re.compile(r"\{(text|conversation|message|author|in_reply_to|recipient|case)\}")
ANSWER_BYTES = 64 * 1024
LONGEST_SECONDS = 60.0
"""For the whole of one request and its answer; the client's own limit is for each wait."""
DEEPEST = 20
LATER = frozenset({408, 425, 429})
"""The receiver says itself that it took nothing."""
AWAY = 503
"""So does this with a Retry-After. Without one it may be of something in between, that lost the receiver after it took the answer."""


class WebhookDeliverer:
    """Sends for all sources that take answers. Never raises for what a receiver does."""

    channel = CHANNEL

    def __init__(
        self,
        sources: Mapping[str, WebhookSource],
        client: httpx.AsyncClient,
        clock: Clock,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._longest_seconds = longest_seconds
        self._replies = {name: each.reply for name, each in sources.items() if each.reply is not None}
        self._client = client
        self._clock = clock

    async def deliver(self, message: OutboundMessage) -> Receipt:
        reply = self._replies.get(message.account)
        if reply is None:
            return Receipt(
                ReceiptStatus.FAILED, reason=f"the source {message.account!r} takes no answers any more"
            )
        body = body_of(reply, message)
        headers = self._headers(reply, message, body)
        try:
            async with (
                asyncio.timeout(self._longest_seconds),
                self._client.stream(
                    reply.method, _url(reply, message), content=body, headers=headers
                ) as answer,
            ):
                return await self._receipt(reply, message, answer)
        except TimeoutError:  # however slowly it speaks: others of the account wait behind it
            return _perhaps(reply, f"no answer within {self._longest_seconds:.0f} s")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Receipt(ReceiptStatus.RETRY, reason=_why(error))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _perhaps(reply, _why(error))

    def _headers(self, reply: Reply, message: OutboundMessage, body: bytes) -> dict[str, str]:
        id = str(message.message)
        headers = {"content-type": "application/json", "idempotency-key": id}
        headers |= {name.lower(): secret.get_secret_value() for name, secret in reply.headers.items()}
        if reply.signing_secret is not None:
            now = int(self._clock.now().timestamp())
            key = secret_bytes(reply.signing_secret.get_secret_value())
            headers |= {
                "webhook-id": id,
                "webhook-timestamp": str(now),
                "webhook-signature": sign(key, id, now, body),
            }
        return headers

    async def _receipt(self, reply: Reply, message: OutboundMessage, answer: httpx.Response) -> Receipt:
        status = answer.status_code
        said = f"the receiver answered {status}"
        if 200 <= status < 300:
            try:
                async with asyncio.timeout(self._longest_seconds / 2):
                    id = await _external_id(reply, answer)
            except TimeoutError:  # it took the message, and takes its time to name it
                id = ""
            id = id or str(message.message)
            return Receipt(ReceiptStatus.SENT, external_id=f"{CHANNEL}:{message.account}:id:{id}")
        if status in LATER or (status == AWAY and "retry-after" in answer.headers):
            return Receipt(ReceiptStatus.RETRY, reason=said, retry_after_seconds=_retry_after(answer))
        if status in (401, 403):
            return Receipt(ReceiptStatus.RETRY, reason=said, stop_account=True)
        return _perhaps(reply, said) if status >= 500 else Receipt(ReceiptStatus.FAILED, reason=said)


def _perhaps(reply: Reply, reason: str) -> Receipt:
    """It may have arrived: sent again where a repeat is known, else unknown."""
    return Receipt(ReceiptStatus.RETRY if reply.knows_repeats else ReceiptStatus.UNKNOWN, reason=reason)


def body_of(reply: Reply, message: OutboundMessage) -> bytes:
    """The JSON that leaves."""
    values = _values(message)
    made: object = _own_form(message) if reply.body is None else _filled(reply.body, values, 0)
    return json.dumps(made, ensure_ascii=False).encode("utf-8", "replace")


def _url(reply: Reply, message: OutboundMessage) -> str:
    values = _values(message)
    return NAMES.sub(lambda match: quote(values[match[1]], safe=""), reply.url)


def _values(message: OutboundMessage) -> dict[str, str]:
    prefix = f"{CHANNEL}:{message.account}:"
    return {
        "text": message.text,
        "conversation": message.conversation.removeprefix(prefix).removeprefix("id:"),
        "message": str(message.message),
        "author": message.author.name or message.author.id,
        "in_reply_to": (message.in_reply_to or "").removeprefix(prefix).removeprefix("id:"),
        "recipient": message.recipients[0].value.removeprefix(f"{message.account}/")
        if message.recipients
        else "",
        "case": str(message.case or ""),
    }


def _own_form(message: OutboundMessage) -> dict[str, Any]:
    return {
        "type": "message.reply",
        "timestamp": message.queued_at.isoformat().replace("+00:00", "Z"),
        "data": _values(message),
    }


def _filled(template: object, values: Mapping[str, str], depth: int) -> object:
    if depth > DEEPEST:
        return None
    if isinstance(template, str):
        return NAMES.sub(lambda match: values[match[1]], template)
    if isinstance(template, dict):
        return {name: _filled(each, values, depth + 1) for name, each in template.items()}
    if isinstance(template, list):
        return [_filled(each, values, depth + 1) for each in template]
    return template


async def _external_id(reply: Reply, answer: httpx.Response) -> str:
    """The receiver's name for the message; none where it gives none that can be read."""
    if reply.id is None:
        return ""
    content = bytearray()
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES:
            return ""
    try:
        return text_at(json.loads(bytes(content)), reply.id, 200)
    except (ValueError, RecursionError):
        return ""


def _retry_after(answer: httpx.Response) -> float | None:
    value = answer.headers.get("retry-after", "")
    return min(float(value), 3600.0) if value.isascii() and value.isdigit() and len(value) < 8 else None


def _why(error: Exception) -> str:
    return f"the receiver could not be reached: {str(error) or type(error).__name__}"[:300]
