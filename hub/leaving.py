"""Who no longer works here has no cases: they go back to their queues, where somebody sees them."""

from uuid import UUID

from hub.service import Service
from schemas.accounts import USERS, Principal, Role, User
from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.commands import AssignCase
from schemas.documents import Case
from schemas.errors import Refused
from schemas.events import SYSTEM, Actor
from schemas.ids import derive
from schemas.ports import Engine
from schemas.steps import Query, Where

HELD = (CaseState.OPEN, CaseState.WAITING, CaseState.SNOOZED)
CASES_AT_ONCE = 200
HUB = Principal(kind="operator", id="hubbub", roles={"*": Role.ADMIN})


async def give_back(engine: Engine, service: Service, name: str, actor: Actor) -> int:
    """Take the open cases of a user away from them, each as an event of its own. Returns how many; doing it again does no harm."""
    states = tuple(str(each) for each in HELD)
    query = Query(CASES, (Where("assignee", "=", name), Where("state", "in", states)), limit=CASES_AT_ONCE)
    count = 0
    refused: set[UUID] = set()
    while True:
        page = await engine.find(query)
        held = [each for each in page.items if isinstance(each, Case) and each.id not in refused]
        if not held:
            return count
        for case in held:
            command = AssignCase(case=case.id, actor=actor, assignee=None, expected_sequence=case.revision)
            try:
                await service.command(HUB, command, derive("given-back", case.id.hex, str(case.revision)))
                count += 1
            except Refused:  # somebody changed it meanwhile: looked at again with the next call
                refused.add(case.id)


class Leaving:
    """For whoever keeps house: what was left undone when somebody was deactivated, because a process ended."""

    def __init__(self, engine: Engine, service: Service) -> None:
        self._engine = engine
        self._service = service

    async def run(self) -> int:
        count = 0
        after: str | None = None
        while True:
            page = await self._engine.find(Query(USERS, (), ("name",), CASES_AT_ONCE, after))
            for each in page.items:
                if isinstance(each, User) and not each.active:
                    count += await give_back(self._engine, self._service, each.name, SYSTEM)
            if (after := page.next) is None:
                return count
