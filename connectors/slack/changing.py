"""What we sent is edited or taken back. All of these calls may be made again: the second time they find it done.

https://docs.slack.dev/reference/methods/chat.update · …/chat.delete · …/files.delete
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from connectors.kit.rates import Rate, TokenBuckets
from connectors.slack.answers import receipt_of
from connectors.slack.compose import METADATA_TYPE, parts_of
from connectors.slack.history import message_at
from connectors.slack.names import Place, place_of, ts_of
from connectors.slack.parse.blocks import Json, string
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.outbound import ChangeKind, OutboundMessage, SentChange
from schemas.ports import Clock, Receipt, ReceiptStatus

PER_METHOD = Rate(per_minute=50, burst=20)
"""Tier 3. https://docs.slack.dev/apis/web-api/rate-limits"""
LONGEST_PAUSE_SECONDS = 5.0
FILE = "slack-file:"
"""Begins the name of a part that is a file."""
GONE = frozenset({"message_not_found", "file_not_found", "file_deleted", "thread_not_found"})


def file_name(id: str) -> str:
    return f"{FILE}{id}"


class Later(Exception):
    """The method was used as often as Slack lets it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.0f} s")
        self.seconds = seconds


class Changer:
    """Of one workspace. Never raises for what Slack does."""

    def __init__(self, web: SlackWeb, clock: Clock) -> None:
        self._web = web
        self._clock = clock
        self._rates = TokenBuckets(PER_METHOD)

    async def change(self, message: OutboundMessage, change: SentChange) -> Receipt:
        """An edit is one message: the first part gets the text, and the others go, but for the files."""
        try:
            place, (first, *others) = place_of(message.conversation), _texts(change)
        except ValueError as error:
            return Receipt(ReceiptStatus.FAILED, reason=str(error))
        done = 0
        try:
            if change.kind is ChangeKind.EDIT:
                texts = parts_of(message.text)
                if len(texts) != 1:
                    return Receipt(ReceiptStatus.FAILED, reason="the new text is too long for one message")
                await self._may_now("chat.update")
                await self._web.client.chat_update(**_update(message, change, place, first, texts[0]))
                gone, files = others, []
            else:
                gone, files = [first, *others], _files(change)
            done = 1 if change.kind is ChangeKind.EDIT else 0
            for ts in gone:
                await self._take_away("chat.delete", channel=place.channel, ts=ts)
                done += 1
            for file in files:
                await self._take_away("files.delete", file=file)
                done += 1
        except FAILURES as error:
            return _partly(receipt_of(error), done)
        except Later as later:
            reason = "Slack lets a method be used fifty times a minute"
            return Receipt(ReceiptStatus.RETRY, reason=reason, retry_after_seconds=later.seconds)
        return Receipt(ReceiptStatus.SENT, external_id=change.external_id)

    async def reconcile(self, message: OutboundMessage, change: SentChange) -> Receipt | None:
        """Whether it stands in the channel as it was asked. If not it is done again, which harms nothing."""
        try:
            place, texts = place_of(message.conversation), _texts(change)
            found = [await message_at(self._web, place, each) for each in texts]
        except (*FAILURES, ValueError):
            return None
        kept = 1 if change.kind is ChangeKind.EDIT else 0
        is_edited = all(_bears(each, message) for each in found[:kept])
        if is_edited and not any(found[kept:]) and not (kept == 0 and _files(change)):
            return Receipt(ReceiptStatus.SENT, external_id=change.external_id)
        return Receipt(ReceiptStatus.RETRY, reason="it does not stand in the channel as it was asked for")

    async def _take_away(self, method: str, **values: str) -> None:
        """Raises one of FAILURES, but not for what is gone, or Later."""
        await self._may_now(method)
        try:
            await self._web.client.api_call(method, json=values)
        except FAILURES as error:
            if error_of(error) not in GONE:
                raise

    async def _may_now(self, method: str) -> None:
        wait = self._rates.take(method, self._clock.now())
        if wait > LONGEST_PAUSE_SECONDS:
            raise Later(wait)
        await asyncio.sleep(wait)


def _texts(change: SentChange) -> list[str]:
    """The ts of what it left as, the first first. Raises ValueError where it is no message of Slack."""
    names = [each for each in change.parts if not each.startswith(FILE)] or [change.external_id]
    return [ts_of(each) for each in names]


def _files(change: SentChange) -> list[str]:
    return [each.removeprefix(FILE) for each in change.parts if each.startswith(FILE)]


def _update(message: OutboundMessage, change: SentChange, place: Place, ts: str, text: str) -> dict[str, Any]:
    """With metadata, by which it is known that this very edit stands there."""
    payload = {"id": str(change.message), "part": 0, "of": 1, "change": str(message.message)}
    metadata = {"event_type": METADATA_TYPE, "event_payload": payload}
    return {"channel": place.channel, "ts": ts, "text": text, "metadata": metadata}


def _bears(found: Json | None, message: OutboundMessage) -> bool:
    metadata = found.get("metadata") if found is not None else None
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return isinstance(payload, dict) and string(payload.get("change")) == str(message.message)


def _partly(receipt: Receipt, done: int) -> Receipt:
    """Of several steps one failed. Where some were done it is not true that nothing was."""
    if receipt.status is ReceiptStatus.FAILED and done:
        return Receipt(ReceiptStatus.UNKNOWN, reason=f"only a part of it was done; then {receipt.reason}")
    return receipt


def parts_named(texts: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """For `Receipt.parts`: empty where the message is all of it."""
    return (*texts, *map(file_name, files)) if len(texts) + len(files) > 1 else ()
