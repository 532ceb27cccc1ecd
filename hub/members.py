"""This process as a member of the hub: it renews itself, and ends others that were silent for too long.

Silence is measured by the observer's own clock from the moment at which it last saw the member's document change; no clock is
compared with another. It counts while the observer looks: where the store was away nobody could renew himself. A process that is ended so, because it or its network stood still, learns it with its next renewal and
goes on as another member, which holds nothing.
"""

import hashlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from schemas.errors import Conflict
from schemas.ids import derive
from schemas.members import MEMBERS, Member
from schemas.ports import Clock, Engine
from schemas.steps import Query, References, Step, Where

log = logging.getLogger("hubbub.members")

SECONDS = 10.0
"""So long a member may be silent."""
BEATS = 5
"""Renewals in that time."""
VALID_PART = 0.9
"""A member stops trusting itself before others can end it: clocks may run at different speeds, within a tenth."""
UNSEEN_PART = 0.5
"""Who did not look for so long begins to watch the others anew: the store was away, or he stood still himself."""
MOST_MEMBERS = 1000
KEPT_FOR = timedelta(days=1)


def awake_or_not() -> float:
    """Seconds that go on while the machine sleeps, where the system counts those (Linux does)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Members:
    """Implements schemas.members.Membership for processes that share an engine. `join`, then `beat` again and again.

    `seconds`: how long it may be silent. `place`: see `place_of`; a neighbour that is gone is ended without waiting.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        duties: Sequence[str] = (),
        seconds: float = SECONDS,
        monotonic: Callable[[], float] = awake_or_not,
        place: str | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._duties = tuple(duties)
        self._seconds = seconds
        self._monotonic = monotonic
        self._place = place_of(os.getpid()) if place is None else place
        self._mine = self._fresh()
        self._valid_until = float("-inf")
        self._seen: dict[UUID, tuple[int, float]] = {}
        self._looked_at = float("-inf")
        self.live: tuple[Member, ...] = ()
        """Those that live, this one included, as of the last beat."""

    @property
    def id(self) -> UUID:
        return self._mine.id

    @property
    def name(self) -> str:
        return self._mine.name

    @property
    def is_valid(self) -> bool:
        return self._monotonic() < self._valid_until

    @property
    def beat_seconds(self) -> float:
        """How often `beat` is to be called."""
        return self._seconds / BEATS

    async def join(self, duties: Sequence[str] = ()) -> None:
        """Known to the others when it returns, with these duties beside its own. Raises Outage."""
        self._duties = tuple(dict.fromkeys((*self._duties, *duties)))
        await self._write_new()
        await self._look()

    async def beat(self) -> None:
        """Renews this member, and ends those that were silent for too long. Raises Outage."""
        await self._renew()
        await self._look()

    async def leave(self) -> None:
        """The others need not wait until this one is found silent. Raises Outage."""
        self._valid_until = float("-inf")
        await self._end(self._mine)

    async def gone(self, members: Collection[UUID]) -> set[UUID]:
        others = set(members) - {self.id}
        if not others:
            return set()
        found = (await self._engine.load(References(documents={Member: others}))).documents
        return {id for id in others if (each := _member(found.get(id))) is None or each.ended_at is not None}

    def is_first_for(self, name: str, duty: str) -> bool:
        """By the highest hash of name and member (rendezvous hashing): one that comes or goes moves only its own share."""
        able = [each.id for each in self.live if duty in each.duties]
        return not able or max(able, key=lambda id: _weight(id, name)) == self.id

    # -- this one ---------------------------------------------------------------------------------------------------

    def _fresh(self) -> Member:
        now = self._clock.now()
        name = f"{socket.gethostname()}:{os.getpid()}"
        return Member(
            id=derive("member", name, secrets.token_hex(16)),
            revision=1,
            name=name,
            place=self._place,
            duties=self._duties,
            seconds=self._seconds,
            joined_at=now,
            renewed_at=now,
        )

    async def _write_new(self) -> None:
        began = self._monotonic()
        self._mine = self._fresh()
        await self._engine.commit(Step(documents=[(self._mine, 0)]))
        self._valid_until = began + self._seconds * VALID_PART

    async def _renew(self) -> None:
        began = self._monotonic()
        renewed = self._mine.model_copy(
            update={"renewed_at": self._clock.now(), "revision": self._mine.revision + 1}
        )
        try:
            await self._engine.commit(Step(documents=[(renewed, self._mine.revision)]))
        except Conflict:
            await self._find_itself()
            return
        self._mine = renewed
        self._valid_until = began + self._seconds * VALID_PART

    async def _find_itself(self) -> None:
        """A renewal that was told to have failed may have been written; else others have ended us."""
        found = await self._engine.load(References(documents={Member: {self._mine.id}}))
        mine = _member(found.documents.get(self._mine.id))
        if mine is not None and mine.ended_at is None:
            self._mine = mine
            await self._renew()
            return
        log.warning("this process was taken for gone: it was silent for more than %g s", self._seconds)
        self._valid_until = float("-inf")
        await self._write_new()

    # -- the others -------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        query = Query(MEMBERS, (Where("ended_at", "null"),), limit=MOST_MEMBERS)
        found = [each for each in (await self._engine.find(query)).items if isinstance(each, Member)]
        now = self._monotonic()
        if now - self._looked_at > self._seconds * UNSEEN_PART:
            self._seen.clear()
        self._looked_at = now
        seen: dict[UUID, tuple[int, float]] = {}
        live: list[Member] = []
        for each in found:
            revision, since = self._seen.get(each.id, (0, now))
            seen[each.id] = (each.revision, since if revision == each.revision else now)
            is_silent = now - seen[each.id][1] > each.seconds
            if each.id != self.id and (is_silent or self._is_gone_neighbour(each)):
                log.info("%s is gone", each.name)
                await self._end(each)
            else:
                live.append(each)
        self._seen = seen
        self.live = tuple(live)

    def _is_gone_neighbour(self, other: Member) -> bool:
        machine, _, process = other.place.rpartition("/")
        if not machine or machine != self._place.rpartition("/")[0]:
            return False
        return place_of(int(process.partition("-")[0])) != other.place

    async def _end(self, member: Member) -> None:
        """For good. Where it has renewed itself meanwhile, or another has ended it, nothing is to be done."""
        ended = member.model_copy(update={"ended_at": self._clock.now(), "revision": member.revision + 1})
        try:
            await self._engine.commit(Step(documents=[(ended, member.revision)]))
        except Conflict:
            return

    async def purge(self) -> int:
        """Forgets members that ended long ago. Returns how many."""
        before = self._clock.now() - KEPT_FOR
        page = await self._engine.find(
            Query(MEMBERS, (Where("ended_at", "<", before),), ("ended_at",), MOST_MEMBERS)
        )
        if page.items:
            await self._engine.commit(Step(deletions=[(Member, each.id) for each in page.items]))
        return len(page.items)


def place_of(process: int) -> str:
    """Machine since its start, space of process numbers, and process since its start: `boot/space/pid-start`.

    The same text means the same running process. Empty where the system does not tell (it does on Linux) or there is none.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        # The name of the program, in brackets, may hold anything; the 20th field after it is when it started.
        started = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot}/{space}/{process}-{started}"


def _member(found: object) -> Member | None:
    return found if isinstance(found, Member) else None


def _weight(id: UUID, name: str) -> bytes:
    return hashlib.blake2b(name.encode(), key=id.bytes, digest_size=8).digest()
