"""Who is at work right now, at what, and with how much: what a supervisor looks at before giving cases to others."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.accounts import Accounts
from hub.presence import SEEN_FOR
from schemas.accounts import SESSIONS, Role, Session, User
from schemas.cases import CaseState
from schemas.collections import CASES, PRESENCES
from schemas.documents import Case, Presence
from schemas.ports import Clock, Engine
from schemas.steps import Query, References, Where

ON_FOR = timedelta(minutes=10)
"""A session is noted as seen every five minutes at most, so that this is the soonest that somebody is surely away."""
MOST_MEMBERS = 200
MOST_SESSIONS = 2_000
AT_ONCE = 8
OPEN = (str(CaseState.OPEN), str(CaseState.WAITING))


@dataclass(frozen=True, slots=True)
class Member:
    """`looks_at` are numbers of cases that are open in front of them now; `open` and `late` count the cases that they have."""

    user: str
    name: str
    roles: Mapping[str, Role]
    seen_at: datetime | None
    is_on: bool
    looks_at: tuple[str, ...]
    open: int
    late: int


class Team:
    """Who may see all queues is for the caller to see to."""

    def __init__(self, engine: Engine, clock: Clock, accounts: Accounts) -> None:
        self._engine = engine
        self._clock = clock
        self._accounts = accounts

    async def members(self) -> list[Member]:
        """Everybody who may sign in, those at work first; at most 200."""
        users = [each for each in await self._accounts.users.names() if each.active][:MOST_MEMBERS]
        gate = asyncio.Semaphore(AT_ONCE)
        seen, looking, counts = await asyncio.gather(
            self._seen(), self._looking(), asyncio.gather(*(self._counts(each, gate) for each in users))
        )
        now = self._clock.now()
        members = [
            Member(
                user=each.name,
                name=each.title or each.name,
                roles=each.roles,
                seen_at=seen.get(each.name),
                is_on=each.name in looking or (each.name in seen and now - seen[each.name] < ON_FOR),
                looks_at=looking.get(each.name, ()),
                open=open_,
                late=late,
            )
            for each, (open_, late) in zip(users, counts, strict=True)
        ]
        return sorted(members, key=lambda each: (not each.is_on, each.name.casefold()))

    async def _seen(self) -> dict[str, datetime]:
        """When each was last seen in a session that has not ended."""
        found: dict[str, datetime] = {}
        after: str | None = None
        read = 0
        while read < MOST_SESSIONS:
            where = (Where("expires_at", ">", self._clock.now()),)
            page = await self._engine.find(Query(SESSIONS, where, ("-expires_at",), 500, after))
            for each in page.items:
                if isinstance(each, Session):
                    found[each.user] = max(each.seen_at, found.get(each.user, each.seen_at))
            read += len(page.items)
            after = page.next
            if after is None:
                break
        return found

    async def _looking(self) -> dict[str, tuple[str, ...]]:
        where = (Where("seen_at", ">", self._clock.now() - SEEN_FOR),)
        page = await self._engine.find(Query(PRESENCES, where, ("-seen_at",), 500))
        present = [each for each in page.items if isinstance(each, Presence)]
        references = References()
        for each in present:
            references.want(Case, each.case)
        found = (await self._engine.load(references)).documents if present else {}
        looked: dict[str, dict[str, None]] = {}
        for each in present:
            case = found.get(each.case)
            if isinstance(case, Case):
                looked.setdefault(each.user, {})[case.number] = None
        return {user: tuple(numbers) for user, numbers in looked.items()}

    async def _counts(self, user: User, gate: asyncio.Semaphore) -> tuple[int, int]:
        has = (Where("assignee", "=", user.name), Where("state", "in", OPEN))
        late = (*has, Where("due_at", "<", self._clock.now()))
        async with gate:
            return await self._engine.count(Query(CASES, has)), await self._engine.count(Query(CASES, late))
