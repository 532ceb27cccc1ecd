"""X out: an answer in public as a reply, as a thread where it is long; a direct message in private.

What may have been taken is looked up in the account's own posts, or in the conversation, and never posted again blindly.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.channel import FetchBlob
from connectors.x.answers import is_duplicate, nothing_seen, partly, receipt_of
from connectors.x.changing import changed
from connectors.x.client import FAILURES, XClient
from connectors.x.finding import Finder, answered_post
from connectors.x.names import (
    CHANNEL,
    ID,
    Place,
    message_name,
    other_of,
    pair,
    place_is_named,
    place_of,
    post_id,
    post_name,
    private_conversation,
)
from connectors.x.parse.items import string
from connectors.x.parse.weight import cut
from connectors.x.settings import XAccount
from connectors.x.spending import Spending
from connectors.x.uploading import uploaded
from schemas.errors import HubbubError, Outage
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Receipt, ReceiptStatus

MOST_POSTS = 25
LONGEST_MESSAGE = 10_000
LOOK_AFTER_SECONDS = (1.0, 4.0)
PROVES_ABSENCE_AFTER = timedelta(minutes=10)


class Sender:
    """One account, in public and in private."""

    def __init__(
        self,
        account: XAccount,
        client: XClient,
        clock: Clock,
        spending: Spending,
        fetch: FetchBlob,
        look_after_seconds: Sequence[float] = LOOK_AFTER_SECONDS,
    ) -> None:
        self._account = account
        self._client = client
        self._clock = clock
        self._spending = spending
        self._fetch = fetch
        self._look_after_seconds = look_after_seconds
        self._finder = Finder(account.user_id, client, spending)

    async def deliver(self, message: OutboundMessage) -> Receipt:
        if message.change is not None:
            return await changed(self._client, message.change)
        if not self._spending.may_post:
            return Receipt(ReceiptStatus.FAILED, reason="posts_a_month of the settings are used up")
        try:
            place = self._place(message)
        except ValueError as error:
            return Receipt(ReceiptStatus.FAILED, reason=str(error))
        media = await self._uploaded(message, place)
        if isinstance(media, Receipt):
            return media
        receipt = await (
            self._reply(message, media) if place.is_public else self._write(message, place, media)
        )
        await self._spending.add(posts=1 if receipt.status is not ReceiptStatus.RETRY else 0)
        return receipt

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        if message.change is not None:
            return await changed(self._client, message.change)
        try:
            place = self._place(message)
            posts = self._posts(message) if place.is_public else [message.text]
            found = await self._finder.found(message, place, posts)
        except (*FAILURES, ValueError):
            return None
        if len(found) >= len(posts):
            return self._arrived(place, found)
        if found or self._clock.now() - tried_at < PROVES_ABSENCE_AFTER:
            return None
        return Receipt(
            ReceiptStatus.RETRY, reason="it is not among the account's posts, so X did not take it"
        )

    def _place(self, message: OutboundMessage) -> Place:
        """Where it goes. What names no conversation of X, but somebody, is a direct message to them, if it is of the private account."""
        if message.account != self._account.private_name or place_is_named(message.conversation):
            return place_of(message.conversation)
        to = next((each.value for each in message.recipients if each.scheme == CHANNEL), "")
        if not ID.fullmatch(to):
            raise ValueError("nobody on X is named to write to")
        return Place(False, pair(self._account.user_id, to))

    async def _uploaded(self, message: OutboundMessage, place: Place) -> list[str] | Receipt:
        """The message's files at X, where nobody sees them yet; or why they are not there."""
        try:
            return [
                await uploaded(self._client, each, await self._fetch(each.blob), is_public=place.is_public)
                for each in message.attachments
                if each.blob is not None
            ]
        except FAILURES as error:
            return nothing_seen(receipt_of(error))
        except Outage as outage:
            return Receipt(
                ReceiptStatus.RETRY, reason=str(outage), retry_after_seconds=outage.retry_after_seconds
            )
        except HubbubError as error:
            return Receipt(ReceiptStatus.FAILED, reason=str(error)[:500])

    # -- in public ------------------------------------------------------------------------------------------------------

    def _posts(self, message: OutboundMessage) -> list[str]:
        return cut(message.text, self._account.longest)

    async def _reply(self, message: OutboundMessage, media: Sequence[str]) -> Receipt:
        posts = self._posts(message)
        if len(posts) > MOST_POSTS:
            return Receipt(
                ReceiptStatus.FAILED, reason=f"it would be {len(posts)} posts; {MOST_POSTS} are sent at most"
            )
        last, sent = answered_post(message), []
        for number, text in enumerate(posts):
            receipt = await self._post(message, text, last, media if number == 0 else ())
            if receipt.status is not ReceiptStatus.SENT:
                return receipt if number == 0 else partly(receipt)
            last = post_id(receipt.external_id)
            sent.append(last)
        return self._arrived(Place(True, ""), sent)

    async def _post(
        self, message: OutboundMessage, text: str, answered: str, media: Sequence[str]
    ) -> Receipt:
        try:
            told = await self._client.create_tweet(
                text=text, in_reply_to_tweet_id=answered, media_ids=list(media) or None, user_auth=True
            )
        except FAILURES as error:
            receipt = receipt_of(error)
            if receipt.status is not ReceiptStatus.UNKNOWN and not is_duplicate(error):
                return receipt
            return await self._looked_up(message, Place(True, ""), text, receipt, answered)
        id = string(_object(told, "data").get("id"))
        return Receipt(
            ReceiptStatus.SENT, external_id=post_name(id), may_change=True, limit=self._client.last_limit
        )

    # -- in private -----------------------------------------------------------------------------------------------------

    async def _write(self, message: OutboundMessage, place: Place, media: Sequence[str]) -> Receipt:
        if len(message.text) > LONGEST_MESSAGE:
            return Receipt(
                ReceiptStatus.FAILED, reason=f"a direct message has at most {LONGEST_MESSAGE} characters"
            )
        try:
            told = await self._client.create_direct_message(
                **self._to(place),
                text=message.text,
                media_id=media[0] if media else None,
                user_auth=True,
            )
        except FAILURES as error:
            receipt = receipt_of(error)
            if receipt.status is not ReceiptStatus.UNKNOWN:
                return receipt
            return await self._looked_up(message, place, message.text, receipt)
        data = _object(told, "data")
        self._finder.know(string(data.get("dm_event_id")))
        return Receipt(
            ReceiptStatus.SENT,
            external_id=message_name(string(data.get("dm_event_id"))),
            limit=self._client.last_limit,
            conversation=self._key(string(data.get("dm_conversation_id")) or place.conversation),
        )

    def _to(self, place: Place) -> dict[str, str]:
        """One person is written to by name, which works before there is a conversation; a group by the conversation's."""
        other = other_of(place.conversation, self._account.user_id)
        return {"participant_id": other} if other else {"dm_conversation_id": place.conversation}

    def _key(self, conversation: str) -> str:
        return private_conversation(self._account.user_id, conversation)

    # -- what became of it ------------------------------------------------------------------------------------------------

    async def _looked_up(
        self, message: OutboundMessage, place: Place, text: str, unknown: Receipt, answered: str = ""
    ) -> Receipt:
        for seconds in self._look_after_seconds:
            await asyncio.sleep(seconds)
            try:
                found = await self._finder.found(message, place, [text], answered)
            except FAILURES:
                continue
            if found:
                return self._arrived(place, found)
        return unknown

    def _arrived(self, place: Place, ids: Sequence[str]) -> Receipt:
        """Known by its last part, which is what is answered."""
        names = tuple(post_name(each) if place.is_public else message_name(each) for each in ids)
        parts = names if len(names) > 1 else ()
        conversation = "" if place.is_public else self._key(place.conversation)
        return Receipt(
            ReceiptStatus.SENT,
            external_id=names[-1],
            may_change=place.is_public,
            parts=parts,
            conversation=conversation,
        )


def _object(told: object, name: str) -> Mapping[str, Any]:
    value = told.get(name) if isinstance(told, dict) else None
    return value if isinstance(value, dict) else {}
