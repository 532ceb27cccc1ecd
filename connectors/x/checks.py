"""Posts that are kept are looked up again: what X shows to nobody any more, or not to us, is withheld here too, as its terms ask.

https://docs.x.com/developer-terms/policy (content compliance) · https://docs.x.com/x-api/posts/get-posts-by-ids
Each look costs, so there are so many a month at most, spread over it; the posts of the last days come round one after the other.
Deletions that X tells by webhook need none of this.
"""

import json
from datetime import datetime, timedelta

import structlog

from connectors.kit.cursors import Cursors
from connectors.kit.items import Receiver
from connectors.kit.kept import Kept
from connectors.x.client import XClient
from connectors.x.names import CHANNEL, post_id
from connectors.x.parse.items import Json, deletion_item, objects, string
from connectors.x.spending import Spending
from schemas.crash import crash_point
from schemas.ports import Clock

log = structlog.get_logger("connectors.x")

STREAM = "checks"
MOST = 100
MANY = 10
GONE = ("resource-not-found", "not-authorized-for-resource", "resource-unavailable")
"""How the types of X's problems end. https://docs.x.com/x-api/fundamentals/response-codes-and-errors"""


class Checks:
    """Of one account. `a_month`: posts that are looked up at most; `days`: how old they are at most."""

    def __init__(
        self,
        client: XClient,
        receiver: Receiver,
        kept: Kept,
        cursors: Cursors,
        spending: Spending,
        a_month: int,
        days: int,
    ) -> None:
        self._client = client
        self._receiver = receiver
        self._kept = kept
        self._cursors = cursors
        self._clock: Clock = receiver.intake.clock
        self._spending = spending
        self._a_month = a_month
        self._days = timedelta(days=days)
        self._doubted: set[str] = set()
        self.withheld = 0
        """In the life of this process."""

    async def run(self, token: int = 0) -> int:
        """Looks up the next ones, if there is room for them by now. Returns how many were withheld.

        Raises Outage, Conflict or one of client.FAILURES: the next run looks the same ones up.
        """
        room = self._room()
        if room < 1:
            return 0
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, STREAM, token)
        told = json.loads(cursor.value) if cursor.value else {}
        place = string(told.get("place"))
        names, behind = await self._kept.after(
            CHANNEL, self._receiver.account, place, self._clock.now() - self._days, room
        )
        gone = await self._gone([post_id(each) for each in names])
        if len(gone) >= MANY and len(gone) > len(names) / 2 and not gone <= self._doubted:
            self._doubted = (
                gone  # so many at once would rather be a fault of X's: believed when it says so again
            )
            log.warning("x: many posts are said to be gone", account=self._receiver.account, count=len(gone))
            return 0
        self._doubted = set()
        for id in sorted(gone, key=int):
            await self._receiver.take(deletion_item(id, "", "", self._clock.now()))
        crash_point("intake.before-acknowledge")
        if behind != place:
            value = {"place": behind, "looked_up": len(names), "withheld": len(gone)}
            await self._cursors.save(cursor, json.dumps(value))
        self.withheld += len(gone)
        return len(gone)

    def words(self) -> str:
        said = f"{self._spending.checks} kept posts looked up again this month of {self._a_month}"
        return f"{said}, {self.withheld} withheld" if self.withheld else said

    def _room(self) -> int:
        """How many are left of those for this part of the month: the first days do not use up the last."""
        now = self._clock.now()
        begins = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        passed = (now - begins) / (_next_month(begins) - begins)
        room = min(MOST, int(self._a_month * passed) - self._spending.checks)
        left = self._spending.reads_left
        return room if left is None else min(room, left)

    async def _gone(self, ids: list[str]) -> set[str]:
        wanted = [each for each in ids if each]
        if not wanted:
            return set()
        answer: Json = await self._client.get_tweets(wanted, user_auth=True)
        await self._spending.add(reads=len(objects(answer.get("data"))), checks=len(wanted))
        told = objects(answer.get("errors"))
        return {
            string(each.get("resource_id")) for each in told if string(each.get("type")).endswith(GONE)
        } & set(wanted)


def _next_month(begins: datetime) -> datetime:
    return (begins + timedelta(days=32)).replace(day=1)
