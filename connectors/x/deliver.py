"""X out: an answer in public as a reply, as a thread where it is long; a direct message in private.

What may have been taken is looked up in the account's own posts, or in the conversation, and never posted again blindly.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.channel import FetchBlob
from connectors.x.answers import is_duplicate, nothing_seen, partly, receipt_of
from connectors.x.changing import changed
from connectors.x.client import FAILURES, XClient
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
from connectors.x.parse.items import objects, string
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
CLOCKS_APART = timedelta(minutes=2)
KNOWN_MESSAGES = 1000


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
        self._known: deque[str] = deque(maxlen=KNOWN_MESSAGES)
        """Direct messages of which it is known which answer they are."""

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
            found = await self._found(message, place, posts)
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
        last, sent = _answered(message), []
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
        self._known.append(string(data.get("dm_event_id")))
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
                found = await self._found(message, place, [text], answered)
            except FAILURES:
                continue
            if found:
                return self._arrived(place, found)
        return unknown

    async def _found(
        self, message: OutboundMessage, place: Place, texts: Sequence[str], answered: str = ""
    ) -> list[str]:
        """Ids of what we sent, as many of these texts as are there, in their order. X's clock may be two minutes behind ours."""
        began = (message.queued_at - CLOCKS_APART).astimezone(UTC)
        wanted = [
            {_plain(each)} | ({f"{_plain(each)} (link)"} if message.attachments else set()) for each in texts
        ]  # X puts a link to the files behind the text
        if place.is_public:
            return await self._found_in_public(wanted, answered or _answered(message), began)
        return await self._found_in_private(wanted, place, began)

    async def _found_in_public(self, wanted: Sequence[set[str]], answered: str, began: datetime) -> list[str]:
        """Each answers the one before it, the first what was answered: X takes no text twice, so each is this very answer."""
        told: Mapping[str, Any] = await self._client.get_users_tweets(
            self._account.user_id,
            user_auth=True,
            max_results=100,
            start_time=f"{began:%Y-%m-%dT%H:%M:%SZ}",
            tweet_fields=["note_tweet", "referenced_tweets"],
        )
        listed = objects(told.get("data"))
        await self._spending.add(reads=len(listed))
        found: list[str] = []
        for texts in wanted:
            answers = [each for each in listed if _answers(each, answered) and _plain(_said(each)) in texts]
            if not answers:
                break
            answered = string(answers[0].get("id"))
            found.append(answered)
        return found

    async def _found_in_private(self, wanted: Sequence[set[str]], place: Place, began: datetime) -> list[str]:
        """X takes the same words twice and names no answer of ours, so that it is the last that is not known to be another."""
        told: Mapping[str, Any] = await self._client.get_direct_message_events(
            dm_conversation_id=place.conversation,
            dm_event_fields=["sender_id", "text", "created_at"],
            max_results=100,
        )
        since = f"{began:%Y-%m-%dT%H:%M:%S}"  # as RFC 3339 orders
        listed = [
            each
            for each in objects(told.get("data"))
            if string(each.get("sender_id")) == self._account.user_id
            and string(each.get("created_at")) >= since
        ]
        await self._spending.add(reads=len(listed))
        ids = [
            id
            for each in listed
            if (id := string(each.get("id"))) not in self._known and _plain(_said(each)) in wanted[0]
        ]
        found = sorted(ids, key=lambda id: int(id or 0))[-1:]
        self._known.extend(found)
        return found

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


def _answered(message: OutboundMessage) -> str:
    """The post that is answered."""
    return post_id(message.in_reply_to) or place_of(message.conversation).conversation


def _answers(post: Mapping[str, Any], answered: str) -> bool:
    return any(
        string(each.get("type")) == "replied_to" and string(each.get("id")) == answered
        for each in objects(post.get("referenced_tweets"))
    )


def _object(told: object, name: str) -> Mapping[str, Any]:
    value = told.get(name) if isinstance(told, dict) else None
    return value if isinstance(value, dict) else {}


def _said(each: Mapping[str, Any]) -> str:
    note = each.get("note_tweet")
    return string(note.get("text")) if isinstance(note, dict) else string(each.get("text"))


def _plain(text: str) -> str:
    """Without what X changes: escapes, links made short, the names in front of a reply, spaces."""
    words = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").split()
    while words and words[0].startswith("@"):
        words.pop(0)
    return " ".join("(link)" if each.startswith(("http://", "https://")) else each for each in words)
