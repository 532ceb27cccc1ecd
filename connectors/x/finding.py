"""What we sent, found again among the account's own posts or in a conversation."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.x.client import XClient
from connectors.x.names import Place, place_of, post_id
from connectors.x.parse.items import objects, string
from connectors.x.spending import Spending
from schemas.outbound import OutboundMessage

CLOCKS_APART = timedelta(minutes=2)
KNOWN_MESSAGES = 1000


class Finder:
    """Looks among what one account sent."""

    def __init__(self, user_id: str, client: XClient, spending: Spending) -> None:
        self._user_id = user_id
        self._client = client
        self._spending = spending
        self._known: deque[str] = deque(maxlen=KNOWN_MESSAGES)
        """Direct messages of which it is known which answer they are."""

    def know(self, direct_message: str) -> None:
        """It is known which answer this one is, so that it is taken for no other."""
        self._known.append(direct_message)

    async def found(
        self, message: OutboundMessage, place: Place, texts: Sequence[str], answered: str = ""
    ) -> list[str]:
        """Ids of what we sent, as many of these texts as are there, in their order. X's clock may be two minutes behind ours."""
        began = (message.queued_at - CLOCKS_APART).astimezone(UTC)
        wanted = [
            {_plain(each)} | ({f"{_plain(each)} (link)"} if message.attachments else set()) for each in texts
        ]  # X puts a link to the files behind the text
        if place.is_public:
            return await self._in_public(wanted, answered or answered_post(message), began)
        return await self._in_private(wanted, place, began)

    async def _in_public(self, wanted: Sequence[set[str]], answered: str, began: datetime) -> list[str]:
        """Each answers the one before it, the first what was answered: X takes no text twice, so each is this very answer."""
        told: Mapping[str, Any] = await self._client.get_users_tweets(
            self._user_id,
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

    async def _in_private(self, wanted: Sequence[set[str]], place: Place, began: datetime) -> list[str]:
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
            if string(each.get("sender_id")) == self._user_id and string(each.get("created_at")) >= since
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


def answered_post(message: OutboundMessage) -> str:
    """The post that is answered."""
    return post_id(message.in_reply_to) or place_of(message.conversation).conversation


def _answers(post: Mapping[str, Any], answered: str) -> bool:
    return any(
        string(each.get("type")) == "replied_to" and string(each.get("id")) == answered
        for each in objects(post.get("referenced_tweets"))
    )


def _said(each: Mapping[str, Any]) -> str:
    note = each.get("note_tweet")
    return string(note.get("text")) if isinstance(note, dict) else string(each.get("text"))


def _plain(text: str) -> str:
    """Without what X changes: escapes, links made short, the names in front of a reply, spaces."""
    words = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").split()
    while words and words[0].startswith("@"):
        words.pop(0)
    return " ".join("(link)" if each.startswith(("http://", "https://")) else each for each in words)
