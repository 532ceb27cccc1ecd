"""What reading and sending cost, counted by month, kept beside the log, and capped where the settings say so."""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from connectors.kit.cursors import Cursors
from connectors.x.names import CHANNEL
from schemas.errors import Conflict
from schemas.ports import Clock

STREAM = "spending"
TRIES = 5


@dataclass(frozen=True, slots=True)
class Month:
    name: str
    reads: int = 0
    posts: int = 0


class Spending:
    """One account. Counts are of all processes together."""

    def __init__(
        self, cursors: Cursors, clock: Clock, account: str, most_reads: int | None, most_posts: int | None
    ) -> None:
        self._cursors = cursors
        self._clock = clock
        self._account = account
        self._most_reads = most_reads
        self._most_posts = most_posts
        self.month = Month("")

    async def add(self, reads: int = 0, posts: int = 0) -> None:
        """Durable when it returns. Raises Outage."""
        for _ in range(TRIES):
            cursor = await self._cursors.load(CHANNEL, self._account, STREAM)
            known = self._read(cursor.value)
            after = replace(known, reads=known.reads + reads, posts=known.posts + posts)
            value = json.dumps({"month": after.name, "reads": after.reads, "posts": after.posts})
            try:
                await self._cursors.save(cursor, value)
            except Conflict:  # another process counted meanwhile
                continue
            self.month = after
            return

    async def load(self) -> None:
        self.month = self._read((await self._cursors.load(CHANNEL, self._account, STREAM)).value)

    @property
    def may_read(self) -> bool:
        return self._most_reads is None or self._now().reads < self._most_reads

    @property
    def may_post(self) -> bool:
        return self._most_posts is None or self._now().posts < self._most_posts

    def words(self) -> str:
        month = self._now()
        reads = f"{month.reads} read" + (f" of {self._most_reads}" if self._most_reads else "")
        posts = f"{month.posts} sent" + (f" of {self._most_posts}" if self._most_posts else "")
        return f"this month {reads}, {posts}"

    def _now(self) -> Month:
        name = _name(self._clock.now())
        return self.month if self.month.name == name else Month(name)

    def _read(self, value: str) -> Month:
        name = _name(self._clock.now())
        told = json.loads(value) if value else {}
        return Month(name, told["reads"], told["posts"]) if told.get("month") == name else Month(name)


def _name(at: datetime) -> str:
    return f"{at:%Y-%m}"
