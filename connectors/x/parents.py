"""The posts that customers answer, looked up where X told of an answer by webhook: what they say is often not to be understood without.

https://docs.x.com/x-api/posts/get-posts-by-ids. Asking for mentions brings them along (`polling`). X does not wait long for the answer to
a webhook, so this is given little time, and what is not there by then is left out: the message itself never waits for X's API.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from connectors.kit.intake import Accepted
from connectors.x.client import FAILURES, XClient, XError
from connectors.x.names import post_id
from connectors.x.parse.events import lacks_parent, quoting
from connectors.x.parse.items import Json, objects, string, users_of
from connectors.x.spending import Spending
from schemas.errors import Outage
from schemas.interactions import InteractionReceived
from schemas.ports import Clock

log = structlog.get_logger("connectors.x")

BUDGET_SECONDS = 1.0
MOST = 100
"""Posts that X tells of in one call; more of one request are left out."""
MOST_UNDER_WAY = 10
KEPT = 500
KEPT_FOR = timedelta(hours=1)
REST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Parent:
    """`text` is empty for a post that X does not show us."""

    text: str
    username: str
    known_at: datetime


class Parents:
    """Of one account. A post that many answer is asked for once an hour; where X fails, it is left alone for a while."""

    def __init__(self, client: XClient, spending: Spending, clock: Clock) -> None:
        self._client = client
        self._spending = spending
        self._clock = clock
        self._known: OrderedDict[str, Parent] = OrderedDict()
        self._under_way: dict[asyncio.Task[None], frozenset[str]] = {}
        self._rests_until: datetime | None = None

    async def shown(self, read: Iterable[Accepted]) -> list[Accepted]:
        """The same items in the same order, with the posts that are answered quoted below, where they could be had in time. Total."""
        items = list(read)
        wanted = {id for each in items for event in each.interactions for id in _wanted(event)}
        await self._look_up(set(list(wanted)[:MOST]))
        return [self._with_parents(each) for each in items]

    async def close(self) -> None:
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, wanted: set[str]) -> None:
        """One call for all that is neither known nor asked for just now. What takes longer goes on, and is known to the next answer."""
        wanted = {each for each in wanted if not self._is_known(each)}
        asked = frozenset(wanted.difference(*self._under_way.values()))
        if asked and self._may_ask():
            task = asyncio.create_task(self._ask(asked))
            self._under_way[task] = asked
            task.add_done_callback(self._under_way.pop)
        tasks = [task for task, ids in self._under_way.items() if ids & wanted]
        if tasks:
            await asyncio.wait(tasks, timeout=BUDGET_SECONDS)

    def _may_ask(self) -> bool:
        rests = self._rests_until is not None and self._clock.now() < self._rests_until
        return not rests and len(self._under_way) < MOST_UNDER_WAY

    async def _ask(self, ids: frozenset[str]) -> None:
        """Each post is a read, and counts as one."""
        try:
            await self._spending.load()
            left = self._spending.reads_left
            if left is not None and left < len(ids):
                return
            answer: Json = await self._client.get_tweets(
                sorted(ids, key=int),
                user_auth=True,
                expansions=["author_id"],
                tweet_fields=["author_id"],
                user_fields=["username"],
            )
            found = {string(each.get("id")): each for each in objects(answer.get("data"))}
            self._keep(ids, found, users_of(answer))
            await self._spending.add(reads=len(found))
        except (*FAILURES, Outage) as error:
            self._rest(error)
        except Exception:
            log.exception("x: looking up what is answered failed")
            self._rest(None)

    def _rest(self, error: BaseException | None) -> None:
        wait = error.wait_seconds if isinstance(error, XError) else None
        self._rests_until = self._clock.now() + timedelta(seconds=max(REST_SECONDS, min(wait or 0, 3600)))
        log.warning(
            "x: what is answered is not shown for a while",
            reason=(str(error) or type(error).__name__) if error else "",
        )

    def _keep(self, ids: Iterable[str], found: Mapping[str, Json], users: Mapping[str, Json]) -> None:
        now = self._clock.now()
        for id in ids:
            post = found.get(id, {})
            username = string(users.get(string(post.get("author_id")), {}).get("username"))
            self._known[id] = Parent(string(post.get("text")), username, now)
            self._known.move_to_end(id)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)

    def _is_known(self, id: str) -> bool:
        known = self._known.get(id)
        return known is not None and self._clock.now() - known.known_at < KEPT_FOR

    def _with_parents(self, accepted: Accepted) -> Accepted:
        events = tuple(
            self._with_parent(each) if isinstance(each, InteractionReceived) else each
            for each in accepted.interactions
        )
        return Accepted(
            accepted.item, accepted.original, events, accepted.blobs, quarantined=accepted.quarantined
        )

    def _with_parent(self, event: InteractionReceived) -> InteractionReceived:
        parent = next((self._known[id] for id in _wanted(event) if self._is_known(id)), None)
        if parent is None:
            return event
        return event.model_copy(update={"content": quoting(event.content, parent.text, parent.username)})


def _wanted(event: object) -> list[str]:
    """The post that it answers or quotes, as `polling` takes it: the first that it names."""
    if not isinstance(event, InteractionReceived) or not lacks_parent(event):
        return []
    ids = [post_id(each) for each in event.parents]
    return [each for each in ids if each][:1]
