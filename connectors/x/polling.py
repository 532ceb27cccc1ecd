"""Asking X for what is new. A sweep is walked to its end, given on the oldest first, and only then the cursor moves.

Mentions https://docs.x.com/x-api/users/get-mentions (the newest 800) · messages https://docs.x.com/x-api/direct-messages/get-dm-events
(of the last 30 days). Both come newest first, in pages.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from connectors.kit.cursors import Cursors
from connectors.kit.items import RawItem, Receiver
from connectors.x.client import XClient
from connectors.x.names import CHANNEL, ID
from connectors.x.parse.items import (
    Json,
    message_item,
    newest,
    objects,
    post_items,
    posts_of,
    string,
    users_of,
)
from connectors.x.spending import Spending
from schemas.crash import crash_point
from schemas.ports import Clock

log = structlog.get_logger("connectors.x")

PAGE = 100
MOST_MENTIONS = 800
MOST_PAGES = 50
X_BEGAN_MILLISECONDS = 1_288_834_974_657
POST_FIELDS = "author_id,conversation_id,created_at,edit_history_tweet_ids,in_reply_to_user_id,lang,note_tweet,referenced_tweets"
USER_FIELDS = "name,username"
MESSAGE_FIELDS = "created_at,dm_conversation_id,event_type,sender_id,text"


class Sweep:
    """One stream of one account: `page` asks for a page, `items` makes items of an object in it."""

    def __init__(
        self,
        stream: str,
        receiver: Receiver,
        cursors: Cursors,
        clock: Clock,
        spending: Spending,
        page: Callable[[str, str | None], Awaitable[Json]],
        items: Callable[[Json, dict[str, Json], dict[str, Json]], list[RawItem]],
        most: int | None,
    ) -> None:
        self._stream = stream
        self._receiver = receiver
        self._cursors = cursors
        self._clock = clock
        self._spending = spending
        self._page = page
        self._items = items
        self._most = most
        self.again: datetime | None = None
        """The next run asks for everything since then once more, as far back as X goes."""
        self.gap = ""
        """What was missed for good, as far as X lets us know."""

    async def run(self, token: int = 0) -> int:
        """Returns how many items were given on. Raises Outage, Conflict or one of FAILURES: the next run begins at the same place."""
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, self._stream, token)
        since = string(json.loads(cursor.value).get("since")) if cursor.value else ""
        if not since:  # the first look: what was before is not asked for
            answer = await self._page("", None)
            found = objects(answer.get("data"))
            await self._spending.add(reads=len(found))
            await self._cursors.save(cursor, json.dumps({"since": newest(_ids(found)) or "1"}))
            return 0
        begin = since if self.again is None else str(min(int(since), id_at(self.again)))
        found, users, others = await self._walk(begin)
        taken = 0
        for each in sorted(found, key=lambda one: int(string(one.get("id")))):
            for item in self._items(each, users, others):
                await self._receiver.take(item)
                taken += 1
        crash_point("intake.before-acknowledge")
        if found:
            await self._cursors.save(cursor, json.dumps({"since": newest([since, *_ids(found)])}))
        self.again = None
        return taken

    async def _walk(self, since: str) -> tuple[list[Json], dict[str, Json], dict[str, Json]]:
        """All that is newer than `since`, with the people and posts that it refers to."""
        found: dict[str, Json] = {}
        users: dict[str, Json] = {}
        others: dict[str, Json] = {}
        after: str | None = None
        for _ in range(MOST_PAGES):
            answer = await self._page(since, after)
            users.update(users_of(answer))
            others.update(posts_of(answer))
            listed = [each for each in objects(answer.get("data")) if ID.fullmatch(string(each.get("id")))]
            await self._spending.add(reads=len(listed))
            newer = [each for each in listed if int(string(each.get("id"))) > int(since)]
            found.update({string(each["id"]): each for each in newer})
            meta = answer.get("meta")
            after = string(meta.get("next_token")) if isinstance(meta, dict) else ""
            if not after or len(newer) < len(listed):
                break
        if self._most is not None and len(found) >= self._most:
            self.gap = f"more than {self._most} came between two looks; those before {min(found, key=int)} were missed"
            log.warning("x: a gap", account=self._receiver.account, stream=self._stream, after=since)
        return list(found.values()), users, others


def id_at(moment: datetime) -> int:
    """The lowest id of that time: milliseconds since X began, above 22 bits. https://docs.x.com/fundamentals/x-ids"""
    return max(1, (int(moment.timestamp() * 1000) - X_BEGAN_MILLISECONDS) << 22)


def _ids(found: list[Json]) -> list[str]:
    return [string(each.get("id")) for each in found]


def mentions(
    client: XClient, own: str, receiver: Receiver, cursors: Cursors, clock: Clock, spending: Spending
) -> Sweep:
    async def page(since: str, after: str | None) -> Json:
        given: dict[str, Any] = {"max_results": PAGE if since else 5}
        if since:
            given["since_id"] = since
        if after:
            given["pagination_token"] = after
        told: Json = await client.get_users_mentions(
            own,
            user_auth=True,
            expansions=["author_id", "referenced_tweets.id", "referenced_tweets.id.author_id"],
            tweet_fields=POST_FIELDS.split(","),
            user_fields=USER_FIELDS.split(","),
            **given,
        )
        return told

    def items(post: Json, users: dict[str, Json], others: dict[str, Json]) -> list[RawItem]:
        return post_items(post, users, clock.now(), others)

    return Sweep("mentions", receiver, cursors, clock, spending, page, items, MOST_MENTIONS)


def messages(
    client: XClient, receiver: Receiver, cursors: Cursors, clock: Clock, spending: Spending
) -> Sweep:
    async def page(since: str, after: str | None) -> Json:
        given: dict[str, Any] = {"max_results": PAGE if since else 1}
        if after:
            given["pagination_token"] = after
        told: Json = await client.get_direct_message_events(
            dm_event_fields=MESSAGE_FIELDS.split(","),
            event_types="MessageCreate",
            expansions=["sender_id"],
            user_fields=USER_FIELDS.split(","),
            **given,
        )
        return told

    def items(event: Json, users: dict[str, Json], others: dict[str, Json]) -> list[RawItem]:
        return [message_item(event, users, clock.now())]

    return Sweep("messages", receiver, cursors, clock, spending, page, items, None)
