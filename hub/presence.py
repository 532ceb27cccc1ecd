"""Who looks at a case, and who writes in it, so that colleagues do not collide. Any process of the hub tells it of all.

It is kept in the store, seldom written and soon forgotten: who was seen lately is here, and who typed lately is writing.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from schemas.accounts import Principal
from schemas.collections import PRESENCES
from schemas.documents import Presence
from schemas.errors import Conflict
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.steps import Query, References, Step, Where

SEEN_FOR = timedelta(seconds=45)
TYPING_FOR = timedelta(seconds=12)
NOTED_EVERY = timedelta(seconds=20)
"""Being there is written down only so often: it would be a write with each question."""
FORGOTTEN_AFTER = timedelta(minutes=10)
TOLD_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Colleague:
    user: str
    name: str
    is_writing: bool


class Presences:
    """Who may read the case is for the caller to see to."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def here(self, principal: Principal, case: UUID, *, is_writing: bool) -> list[Colleague]:
        """Note that the principal is there. Returns the others."""
        id, now = _id(principal.id, case), self._clock.now()
        before = (await self._engine.load(References(documents={Presence: {id}}))).documents.get(id)
        known = before if isinstance(before, Presence) else None
        was_writing = known is not None and known.typing_at is not None and now - known.typing_at < TYPING_FOR
        if known is None or now - known.seen_at > NOTED_EVERY or is_writing != was_writing:
            presence = Presence(
                id=id,
                revision=known.revision if known else 0,
                case=case,
                user=principal.id,
                name=principal.name or principal.id,
                seen_at=now,
                typing_at=now if is_writing else None,
            )
            with contextlib.suppress(
                Conflict
            ):  # another window of the same person said it at the same moment
                await self._engine.commit(Step(documents=[(presence, presence.revision)]))
        return await self.others(principal.id, case)

    async def gone(self, user: str, case: UUID) -> None:
        """The case was closed."""
        await self._engine.commit(Step(deletions=[(Presence, _id(user, case))]))

    async def others(self, user: str, case: UUID) -> list[Colleague]:
        """Whoever else is there, by name."""
        now = self._clock.now()
        where = (Where("case_", "=", case), Where("seen_at", ">", now - SEEN_FOR))
        found = (await self._engine.find(Query(PRESENCES, where, limit=TOLD_AT_MOST))).items
        return sorted(
            (
                Colleague(
                    each.user, each.name, each.typing_at is not None and now - each.typing_at < TYPING_FOR
                )
                for each in found
                if isinstance(each, Presence) and each.user != user
            ),
            key=lambda each: each.name,
        )

    async def purge(self, limit: int = 500) -> int:
        """Forgets who is long gone. Returns how many."""
        total = 0
        where = (Where("seen_at", "<", self._clock.now() - FORGOTTEN_AFTER),)
        while (page := await self._engine.find(Query(PRESENCES, where, ("seen_at",), limit))).items:
            await self._engine.commit(Step(deletions=[(Presence, each.id) for each in page.items]))
            total += len(page.items)
        return total


def _id(user: str, case: UUID) -> UUID:
    return derive("presence", user, case.hex)


def names(colleagues: Sequence[Colleague], *, writing: bool) -> list[str]:
    return [each.name for each in colleagues if each.is_writing is writing]
