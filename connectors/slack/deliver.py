"""Slack out. A part is posted once; what may have been accepted is looked up in the channel's history, never sent again."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from connectors.kit.channel import FetchBlob
from connectors.kit.rates import Rate, TokenBuckets
from connectors.slack.answers import may_not_customize, receipt_of
from connectors.slack.blobs import Uploaded, uploaded
from connectors.slack.changing import Changer, parts_named
from connectors.slack.compose import Looks, posts_of
from connectors.slack.history import parts_found
from connectors.slack.names import Place, message_name
from connectors.slack.parse.blocks import string
from connectors.slack.settings import SlackAccount
from connectors.slack.web import FAILURES, SlackWeb
from schemas.errors import HubbubError, Outage
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Receipt, ReceiptStatus

log = structlog.get_logger("connectors.slack")

PER_CHANNEL = Rate(per_minute=60, burst=3)
"""https://docs.slack.dev/apis/web-api/rate-limits: one message a second and channel, short bursts allowed."""
LOOKS = frozenset({"username", "icon_url"})
LONGEST_PAUSE_SECONDS = 5.0
PART_TRIES = 5
LOOK_AFTER_SECONDS = (0.5, 3.0)
PROVES_ABSENCE_AFTER = timedelta(minutes=10)
MOST_REMEMBERED = 1_000


class Sender:
    """One account."""

    def __init__(
        self,
        account: SlackAccount,
        team: str,
        web: SlackWeb,
        clock: Clock,
        fetch: FetchBlob,
        look_after_seconds: Sequence[float] = LOOK_AFTER_SECONDS,
    ) -> None:
        self._looks = Looks(account.as_agent, account.pictures)
        self._team = team
        self._web = web
        self._clock = clock
        self._fetch = fetch
        self._look_after_seconds = look_after_seconds
        self._changer = Changer(web, clock)
        self._rates = TokenBuckets(PER_CHANNEL)
        self._sent: OrderedDict[UUID, list[str]] = OrderedDict()
        """Message -> ts of the parts that Slack took, for a message whose later parts had to wait."""

    async def deliver(self, message: OutboundMessage) -> Receipt:
        if message.change is not None:
            return await self._changer.change(message, message.change)
        try:
            place, posts = posts_of(message, self._looks)
            files = [
                (each, await self._fetch(each.blob)) for each in message.attachments if each.blob is not None
            ]
        except Outage as outage:
            return Receipt(
                ReceiptStatus.RETRY, reason=str(outage), retry_after_seconds=outage.retry_after_seconds
            )
        except (HubbubError, ValueError) as error:
            return Receipt(ReceiptStatus.FAILED, reason=str(error)[:500])
        done = self._sent.setdefault(message.message, [])
        try:
            uploads = [await uploaded(self._web, each, content) for each, content in files]
        except FAILURES as error:  # nobody saw anything of it yet
            return _nothing_seen(receipt_of(error))
        receipt = await self._post_all(message, place, posts, done)
        if receipt is None and uploads:
            receipt = await self._share(place, uploads)
        if receipt is None:
            receipt = self._arrived(place, done, [each.id for each in uploads])
        if receipt.status is not ReceiptStatus.RETRY:
            self._sent.pop(message.message, None)
        while len(self._sent) > MOST_REMEMBERED:
            self._sent.popitem(last=False)
        return receipt

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        """`tried_at`: nothing was sent after that. Long enough after it, what is not in the history was not taken."""
        if message.change is not None:
            return await self._changer.reconcile(message, message.change)
        try:
            place, posts = posts_of(message, self._looks)
            found = await parts_found(self._web, place, message.message, message.queued_at)
        except (*FAILURES, ValueError):
            return None
        if len(found) == len(posts):
            return self._arrived(place, [found[number] for number in sorted(found)])
        if found:  # some parts are there, and the rest would need a person's look
            return None
        if self._clock.now() - tried_at < PROVES_ABSENCE_AFTER:
            return None
        return Receipt(
            ReceiptStatus.RETRY, reason="it is not in the channel's history, so Slack did not take it"
        )

    async def _post_all(
        self, message: OutboundMessage, place: Place, posts: Sequence[Mapping[str, Any]], done: list[str]
    ) -> Receipt | None:
        """None when all parts arrived. Once one did, the rest is tried here until it is known what became of it."""
        for post in posts[len(done) :]:
            receipt = await self._post_until_known(message, place, post, bool(done))
            if receipt.status is not ReceiptStatus.SENT:
                return receipt
            done.append(receipt.external_id)
        return None

    async def _post_until_known(
        self, message: OutboundMessage, place: Place, post: Mapping[str, Any], is_later: bool
    ) -> Receipt:
        receipt = Receipt(ReceiptStatus.RETRY)
        for attempt in range(PART_TRIES):
            receipt = await self._post(message, place, post)
            if receipt.status is not ReceiptStatus.RETRY or not is_later or receipt.stop_account:
                break
            await asyncio.sleep(min(receipt.retry_after_seconds or 2.0**attempt, 30.0))
        if is_later and receipt.status in (ReceiptStatus.RETRY, ReceiptStatus.FAILED):
            return Receipt(ReceiptStatus.UNKNOWN, reason=f"only a part of it arrived; then {receipt.reason}")
        return receipt

    async def _post(self, message: OutboundMessage, place: Place, post: Mapping[str, Any]) -> Receipt:
        wait = self._rates.take(place.channel, self._clock.now())
        if wait > LONGEST_PAUSE_SECONDS:
            return Receipt(
                ReceiptStatus.RETRY, reason="one message a second and channel", retry_after_seconds=wait
            )
        if wait > 0:
            await asyncio.sleep(wait)
        began = self._clock.now()
        try:
            answer = await self._web.client.chat_postMessage(**post)
        except FAILURES as error:
            if may_not_customize(error) and LOOKS & post.keys():
                return await self._post_plainly(message, place, post)
            receipt = receipt_of(error)
            if receipt.status is ReceiptStatus.UNKNOWN:
                return await self._looked_up(
                    message, place, int(post["metadata"]["event_payload"]["part"]), began, receipt
                )
            return receipt
        return Receipt(ReceiptStatus.SENT, external_id=string(answer.get("ts")))

    async def _post_plainly(self, message: OutboundMessage, place: Place, post: Mapping[str, Any]) -> Receipt:
        """The app may not write as somebody: nothing was accepted, and from now on it writes as itself. `check` tells of it."""
        log.warning("slack: answers leave as the app; add the scope chat:write.customize", team=self._team)
        self._looks = Looks()
        plain = {name: value for name, value in post.items() if name not in LOOKS}
        return await self._post(message, place, plain)

    async def _looked_up(
        self, message: OutboundMessage, place: Place, part: int, began: datetime, unknown: Receipt
    ) -> Receipt:
        """Whether the part stands in the channel though no good answer came."""
        for seconds in self._look_after_seconds:
            await asyncio.sleep(seconds)
            try:
                found = await parts_found(self._web, place, message.message, began)
            except FAILURES:
                continue
            if part in found:
                return Receipt(ReceiptStatus.SENT, external_id=found[part])
        return unknown

    async def _share(self, place: Place, uploads: Sequence[Uploaded]) -> Receipt | None:
        """Show the files, in one step. https://docs.slack.dev/reference/methods/files.completeUploadExternal"""
        values: dict[str, Any] = {
            "files": [{"id": each.id, "title": each.title} for each in uploads],
            "channel_id": place.channel,
        }
        if place.thread_ts:
            values["thread_ts"] = place.thread_ts
        for attempt in range(PART_TRIES):
            try:
                await self._web.client.files_completeUploadExternal(**values)
            except FAILURES as error:
                receipt = receipt_of(error)
                if (
                    receipt.status is ReceiptStatus.RETRY
                    and not receipt.stop_account
                    and attempt < PART_TRIES - 1
                ):
                    await asyncio.sleep(min(receipt.retry_after_seconds or 2.0**attempt, 30.0))
                    continue
                return Receipt(
                    ReceiptStatus.UNKNOWN, reason=f"the text arrived, the files perhaps not: {receipt.reason}"
                )
            return None
        return None

    def _arrived(self, place: Place, parts: Sequence[str], files: Sequence[str] = ()) -> Receipt:
        """Known by its last part, so that an answer to it is one to the thread's newest message."""
        names = [message_name(self._team, place.channel, each) for each in parts]
        return Receipt(
            ReceiptStatus.SENT,
            external_id=names[-1] if names else "",
            may_change=True,
            parts=parts_named(names, files),
        )


def _nothing_seen(receipt: Receipt) -> Receipt:
    """Of a step that shows nothing to anybody: it may be done again whatever became of it."""
    if receipt.status is ReceiptStatus.UNKNOWN:
        return Receipt(ReceiptStatus.RETRY, reason=receipt.reason)
    return receipt
