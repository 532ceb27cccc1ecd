"""What a person who follows a stream is told besides: notices, as they prefer them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from hub.http.context import AppContext
from hub.notices import OPEN, SOON, Notice, is_quiet, late_soon, notice_of
from schemas.accounts import Principal, User
from schemas.collections import CASES
from schemas.documents import Case
from schemas.errors import Unknown
from schemas.preferences import NoticeKind
from schemas.steps import Query, Record, Where

SOON_AT_MOST = 50


class Telling:
    """For one stream. The preferences are looked up at each sign of life, and with it what is late soon."""

    def __init__(self, context: AppContext, principal: Principal) -> None:
        self._context = context
        self._name = principal.id if principal.kind == "agent" else ""
        self._user: User | None = None
        self._told: set[UUID] = set()

    async def of(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """The notices that come with these records; none in quiet hours."""
        if not self._name:
            return []
        if self._user is None or not records:
            self._user = await self._person()
        user, now = self._user, self._context.clock.now()
        if user is None or not (user.preferences.browser or user.preferences.sound):
            return []
        if is_quiet(user.preferences, now):
            return []
        found = [
            notice
            for each in records
            if each.event is not None and (notice := notice_of(each.event, user, now))
        ]
        if not records:
            found += await self._late_soon(user)
        ways = {"browser": user.preferences.browser, "sound": user.preferences.sound}
        return [{**asdict(each), **ways} for each in found if self._is_first(each)]

    async def _person(self) -> User | None:
        try:
            return await self._context.accounts.users.get(self._name)
        except Unknown:
            return None

    async def _late_soon(self, user: User) -> list[Notice]:
        if NoticeKind.LATE_SOON not in user.preferences.notices:
            return []
        now = self._context.clock.now()
        where = (
            Where("assignee", "=", user.name),
            Where("state", "in", tuple(map(str, OPEN))),
            Where("due_at", "<=", now + SOON),
            Where("due_at", ">=", now),
        )
        page = await self._context.engine.find(Query(CASES, where, ("due_at",), SOON_AT_MOST))
        return [
            notice
            for each in page.items
            if isinstance(each, Case)
            and not user.roles.keys().isdisjoint({each.queue, "*"})
            and (notice := late_soon(each, user, now))
        ]

    def _is_first(self, notice: Notice) -> bool:
        if notice.id in self._told:
            return False
        self._told.add(notice.id)
        return True
