"""Asking X for what is new. A sweep is walked to its end, given on the oldest first, and only then the cursor moves.

Mentions https://docs.x.com/x-api/users/get-mentions (the newest 800) · messages https://docs.x.com/x-api/direct-messages/get-dm-events
(of the last 30 days). Both come newest first, in pages.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from connectors.kit.cursors import Cursors
from connectors.kit.gaps import between, noted, still_told
from connectors.kit.items import RawItem, Receiver
from connectors.x.client import XClient, XError
from connectors.x.names import CHANNEL, ID
from connectors.x.parse.items import (
    Json,
    gap_item,
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
TOO_MANY = 429
X_BEGAN_MILLISECONDS = 1_288_834_974_657
POST_FIELDS = "author_id,conversation_id,created_at,edit_history_tweet_ids,in_reply_to_user_id,lang,note_tweet,referenced_tweets"
USER_FIELDS = "name,username"
MESSAGE_FIELDS = "created_at,dm_conversation_id,event_type,sender_id,text"


@dataclass
class Walk:
    """What one sweep has found so far of all that is newer than `since`, and the page that comes next."""

    since: str
    found: dict[str, Json] = field(default_factory=dict)
    users: dict[str, Json] = field(default_factory=dict)
    others: dict[str, Json] = field(default_factory=dict)
    after: str | None = None
    pages: int = 0
    is_over: bool = False


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
        self._most_pages = MOST_PAGES
        self._walk: Walk | None = None
        self.again: datetime | None = None
        """The next run asks for everything since then once more, as far back as X goes."""
        self.gap = ""
        """What was missed for good in the last days, as far as X lets us know."""

    async def run(self, token: int = 0) -> int:
        """Returns how many items were given on. Raises Outage, Conflict or one of FAILURES: the next run begins at the same place.

        Where X asks to wait half way, what was read (and paid for) until then is kept, and the next run goes on behind it.
        """
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, self._stream, token)
        told = json.loads(cursor.value) if cursor.value else {}
        since, gap = string(told.get("since")), told.get("gap")
        self.gap = self._words(gap)
        if not since:  # the first look: what was before is not asked for
            answer = await self._page("", None)
            found = objects(answer.get("data"))
            await self._spending.add(reads=len(found))
            await self._cursors.save(cursor, json.dumps({"since": newest(_ids(found)) or "1"}))
            return 0
        begin = since if self.again is None else str(min(int(since), id_at(self.again)))
        walk = await self._walked(begin)
        taken = 0
        missed = self._missed(walk, since)
        if missed is not None:
            gap = noted(self._clock.now(), **{"from": since, "to": missed})
            self.gap = self._words(gap)
            log.warning("x: a gap", account=self._receiver.account, stream=self._stream, what=self.gap)
            await self._receiver.take(gap_item(self._stream, since, missed, self.gap, self._clock.now()))
        for id in sorted(walk.found, key=int):
            for item in self._items(walk.found[id], walk.users, walk.others):
                await self._receiver.take(item)
                taken += 1
        crash_point("intake.before-acknowledge")
        if walk.found:
            value = {"since": newest([since, *walk.found])}
            await self._cursors.save(cursor, json.dumps(value | ({"gap": gap} if gap else {})))
        self._walk = self.again = None
        return taken

    async def _walked(self, since: str) -> Walk:
        """All that is newer than `since`, with the people and posts that it refers to."""
        walk = self._walk if self._walk is not None and self._walk.since == since else Walk(since)
        self._walk = None
        while not walk.is_over and walk.pages < self._most_pages:
            try:
                answer = await self._page(since, walk.after)
            except XError as error:
                if error.status == TOO_MANY:
                    self._walk = walk
                raise
            walk.pages += 1
            walk.users.update(users_of(answer))
            walk.others.update(posts_of(answer))
            listed = [each for each in objects(answer.get("data")) if ID.fullmatch(string(each.get("id")))]
            await self._spending.add(reads=len(listed))
            newer = [each for each in listed if int(string(each.get("id"))) > int(since)]
            walk.found.update({string(each["id"]): each for each in newer})
            meta = answer.get("meta")
            walk.after = string(meta.get("next_token")) if isinstance(meta, dict) else ""
            walk.is_over = not walk.after or len(newer) < len(listed)
        self._walk = walk  # what cannot be kept now is given on again, and not asked for again
        return walk

    def _missed(self, walk: Walk, since: str) -> str | None:
        """Up to which id something is missing behind `since`, where the sweep ended before it came there."""
        ended = not walk.is_over or (self._most is not None and len(walk.found) >= self._most)
        oldest = min(walk.found, key=int, default=since)
        return oldest if ended and int(oldest) > int(since) else None

    def _words(self, gap: object) -> str:
        """What was missed, while it was noted lately."""
        told = still_told(gap, self._clock.now())
        if told is None:
            return ""
        missed = between(time_of(told["from"]), time_of(told["to"]))
        return f"more {self._stream} came than X gives in one go: those {missed} were missed"


def time_of(id: str) -> datetime:
    """When X made an id, to the millisecond; the inverse of `id_at`."""
    return datetime.fromtimestamp(((int(id) >> 22) + X_BEGAN_MILLISECONDS) / 1000, UTC)


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
