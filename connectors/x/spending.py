"""What reading and sending cost, counted by month, kept beside the log, and capped where the settings say so."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.kit.cursors import Cursors
from connectors.x.names import CHANNEL
from schemas.errors import Conflict, Outage
from schemas.ports import Clock

log = structlog.get_logger("connectors.x")

STREAM = "spending"
TRIES = 5


@dataclass(frozen=True, slots=True)
class Month:
    """`checks` are those of the reads by which kept posts were looked up again."""

    name: str
    reads: int = 0
    posts: int = 0
    checks: int = 0

    def plus(self, other: "Month") -> "Month":
        """Both together, where they are of one month."""
        if self.name != other.name:
            return self
        return Month(
            self.name, self.reads + other.reads, self.posts + other.posts, self.checks + other.checks
        )

    def minus(self, other: "Month") -> "Month":
        return Month(
            self.name, self.reads - other.reads, self.posts - other.posts, self.checks - other.checks
        )


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
        self._kept = Month("")
        self._owed = Month("")
        self._one_at_a_time = asyncio.Lock()

    async def add(self, reads: int = 0, posts: int = 0, checks: int = 0) -> None:
        """Durable when it returns, unless nothing can be kept just now: then it counts here, and is kept with the next one.

        Never raises for that: what was sent is sent, and what was looked up is known, whether it can be counted or not.
        """
        name = _name(self._clock.now())
        self._owed = Month(name, reads, posts, checks).plus(self._owed)
        async with self._one_at_a_time:
            if not await self._keep():
                log.warning("x: what was spent is kept later", account=self._account, **_told(self._owed))

    async def _keep(self) -> bool:
        for _ in range(TRIES):
            owed = self._owed
            if owed == Month(owed.name):
                return True
            try:
                cursor = await self._cursors.load(CHANNEL, self._account, STREAM)
                after = self._read(cursor.value).plus(owed)
                await self._cursors.save(cursor, _written(after))
            except Conflict:  # another process counted meanwhile
                continue
            except Outage:
                return False
            self._kept, self._owed = after, self._owed.minus(owed)
            return True
        return False

    async def load(self) -> None:
        self._kept = self._read((await self._cursors.load(CHANNEL, self._account, STREAM)).value)

    @property
    def may_read(self) -> bool:
        return self._most_reads is None or self._now().reads < self._most_reads

    @property
    def reads_left(self) -> int | None:
        """None: as many as are wanted."""
        return None if self._most_reads is None else max(0, self._most_reads - self._now().reads)

    @property
    def may_post(self) -> bool:
        return self._most_posts is None or self._now().posts < self._most_posts

    def words(self) -> str:
        month = self._now()
        reads = f"{month.reads} read" + (f" of {self._most_reads}" if self._most_reads else "")
        posts = f"{month.posts} sent" + (f" of {self._most_posts}" if self._most_posts else "")
        return f"this month {reads}, {posts}"

    @property
    def checks(self) -> int:
        return self._now().checks

    def _now(self) -> Month:
        name = _name(self._clock.now())
        kept = self._kept if self._kept.name == name else Month(name)
        return kept.plus(self._owed)

    def _read(self, value: str) -> Month:
        name = _name(self._clock.now())
        told = json.loads(value) if value else {}
        if told.get("month") != name:
            return Month(name)
        return Month(name, told["reads"], told["posts"], told.get("checks", 0))


def _written(month: Month) -> str:
    return json.dumps({"month": month.name, **_told(month)})


def _told(month: Month) -> dict[str, int]:
    return {"reads": month.reads, "posts": month.posts, "checks": month.checks}


def _name(at: datetime) -> str:
    return f"{at:%Y-%m}"
