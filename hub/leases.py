"""Leases: what only one process of the hub may do at a time, each with a token that rises whenever it changes hands.

Whoever holds one is a member (hub/members.py); when that member ends, another takes over. A holder asks `is_held` before it
acts, and hands `token` on where a late write must be refused.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from hub.members import Members
from hub.observe import Metric, Metrics
from schemas.errors import Conflict, Outage
from schemas.ids import derive
from schemas.members import Lease
from schemas.ports import Clock, Engine
from schemas.steps import References, Step

log = logging.getLogger("hubbub.leases")

LOOK_SECONDS = 1.0
"""How often one that is wanted is looked at. An end by silence shows no sooner than that."""


class Wanted:
    """A lease that this process wants, and has or has not."""

    def __init__(self, name: str, duty: str, is_trusted: Callable[[UUID | None], bool]) -> None:
        self.name = name
        self.duty = duty
        self.holder: UUID | None = None
        """Who had it when last looked at."""
        self._token: int | None = None
        self._member: UUID | None = None
        """As which member this process took it."""
        self._is_trusted = is_trusted
        self._changed = asyncio.Event()

    @property
    def is_held(self) -> bool:
        """Nobody else can have it yet."""
        return self._token is not None and self._is_trusted(self._member)

    @property
    def token(self) -> int:
        """Of the present holding, or of the last."""
        return self._token or 0

    async def change(self) -> None:
        """Until it was taken or lost. May return without either; look again."""
        await self._changed.wait()
        self._changed.clear()

    def set(self, token: int | None, member: UUID | None = None) -> None:
        self._member = member
        if token != self._token:
            self._token = token
            self._changed.set()


class Leases:
    """Keeps this process a member, and takes what is wanted and free. Run `run`; `stop` gives all up.

    Without `members` nobody can share the engine: all that is wanted is held, and nothing is written.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        members: Members | None,
        look_seconds: float = LOOK_SECONDS,
        metrics: Metrics | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._members = members
        self._look_seconds = look_seconds
        self._metrics = metrics or Metrics()
        self._monotonic = monotonic
        self._wanted: dict[str, Wanted] = {}
        self._free_since: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self._next_beat = 0.0

    def want(self, name: str, duty: str = "") -> Wanted:
        """Taken as soon as it is free. `duty`: with whom it is shared fairly. Asking again gives the same."""
        if name not in self._wanted:
            wanted = self._wanted[name] = Wanted(name, duty, self._is_trusted)
            if self._members is None:
                wanted.set(0)
            self._tell()
        return self._wanted[name]

    def holder_name(self, wanted: Wanted) -> str:
        """Which other process has it, for people; empty where that is not known."""
        if self._members is None or wanted.holder == self._members.id:
            return ""
        return next((each.name for each in self._members.live if each.id == wanted.holder), "")

    async def start(self, duties: Sequence[str] = ()) -> None:
        """Joins, with these duties, and takes what is free. Raises Outage."""
        if self._members is not None:
            await self._members.join(duties)
            self._next_beat = self._monotonic() + self._members.beat_seconds
            await self.look()

    async def run(self) -> None:
        """Until `stop`. Outages are waited for; what is held meanwhile is lost when others may think us gone."""
        if self._members is None:
            await self._stopping.wait()
            return
        while not await self._is_stopped_within(self._look_seconds):
            try:
                if self._monotonic() >= self._next_beat:
                    await self._members.beat()
                    self._next_beat = self._monotonic() + self._members.beat_seconds
                await self.look()
            except Outage as outage:
                log.warning("leases wait: %s", outage)
            except Exception:
                log.exception("leases failed and try again")
            self._let_go_of_doubtful()
            self._tell()

    async def stop(self) -> None:
        """Gives all up, so that others need not wait. Call it when what ran under leases has ended."""
        self._stopping.set()
        if self._members is None:
            return
        for each in self._wanted.values():
            each.set(None)
        try:
            await self._members.leave()
        except Outage as outage:
            log.warning("others will find out by themselves that this process is gone: %s", outage)

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _is_trusted(self, member: UUID | None) -> bool:
        """Whether what was taken as that member is still this process's. After others ended it, it is another one."""
        if self._members is None:
            return True
        return member == self._members.id and self._members.is_valid

    def _tell(self) -> None:
        self._metrics.set(Metric.MEMBERS, 1 if self._members is None else len(self._members.live))
        held = {each.name: float(each.is_held) for each in self._wanted.values()}
        self._metrics.set_all(Metric.LEASES, held)

    def _let_go_of_doubtful(self) -> None:
        for each in self._wanted.values():
            if not each.is_held:
                each.set(None)

    async def look(self) -> None:
        """One look at all that is wanted: takes what is free, lets go of what is lost. Raises Outage."""
        if self._members is None or not self._wanted:
            return
        stored = await self._load(self._wanted.values())
        holders = {each.holder for each in stored.values() if each.holder is not None}
        gone = await self._members.gone(holders)
        for name, wanted in list(self._wanted.items()):
            lease = stored.get(name)
            wanted.holder = lease.holder if lease is not None and lease.holder not in gone else None
            if lease is not None and lease.holder == self._members.id:
                wanted.set(lease.token, lease.holder)
                continue
            wanted.set(None)
            if wanted.holder is not None:
                self._free_since.pop(name, None)
            elif self._may_take(wanted):
                await self._take(wanted, lease)

    def _may_take(self, wanted: Wanted) -> bool:
        """At once up to a fair share; what nobody else took for a while, beyond it."""
        assert self._members is not None
        if not self._members.is_valid:
            return False
        alike = [each for each in self._wanted.values() if each.duty == wanted.duty]
        able = sum(wanted.duty in each.duties for each in self._members.live) or 1
        share = math.ceil(len(alike) / able)
        now = self._monotonic()
        since = self._free_since.setdefault(wanted.name, now)
        patience = 2 * self._members.beat_seconds
        return sum(each.is_held for each in alike) < share or now - since > patience

    async def _take(self, wanted: Wanted, lease: Lease | None) -> None:
        assert self._members is not None
        revision = lease.revision if lease is not None else 0
        taken = Lease(
            id=_id(wanted.name),
            revision=revision + 1,
            name=wanted.name,
            holder=self._members.id,
            token=revision + 1,
            taken_at=self._clock.now(),
        )
        try:
            await self._engine.commit(Step(documents=[(taken, revision)]))
        except Conflict:
            return  # somebody was first
        log.info("this process holds %s now", wanted.name)
        self._free_since.pop(wanted.name, None)
        wanted.holder = taken.holder
        wanted.set(taken.token, taken.holder)

    async def _load(self, wanted: Iterable[Wanted]) -> dict[str, Lease]:
        ids = {_id(each.name) for each in wanted}
        found = (await self._engine.load(References(documents={Lease: ids}))).documents
        return {each.name: each for each in found.values() if isinstance(each, Lease)}


def _id(name: str) -> UUID:
    return derive("lease", name)
