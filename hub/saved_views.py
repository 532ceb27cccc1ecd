"""Named filters of the list: kept by agents for themselves, and by supervisors for everybody."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from uuid import UUID

from hub.accounts.records import audited, changed, created, decided_again, load
from hub.case_lists import OPEN_STATES, SORTS, CaseFilter
from hub.service import Service, actor_of
from schemas.accounts import Principal, Role, Scope
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.ports import Clock, Engine
from schemas.saved_views import EVERYBODY, ME, NOBODY, SAVED_VIEWS, SavedView, ViewFilter, view_id
from schemas.sentences import said
from schemas.steps import Query, Step, Where

OWN_AT_MOST = 20
SHARED_AT_MOST = 30
LONGEST_TITLE = 60


def case_filter(filter: ViewFilter, user: str) -> CaseFilter:
    """The cases that the filter means to this user."""
    named = {ME: user, NOBODY: None, "": None}.get(filter.assignee, filter.assignee)
    return CaseFilter(
        queues=filter.queues,
        states=filter.states or OPEN_STATES,
        assignee=named,
        unassigned=filter.assignee == NOBODY,
        priorities=filter.priorities,
        brand=filter.brand or None,
        overdue=filter.overdue,
        sort=filter.sort,
    )


class SavedViews:
    """`request` seeds the id of a new view: the same request twice saves one."""

    def __init__(self, engine: Engine, clock: Clock, service: Service) -> None:
        self._engine = engine
        self._clock = clock
        self._service = service

    async def seen_by(self, principal: Principal) -> Sequence[SavedView]:
        """One's own in their order, then those of everybody in theirs."""
        own, shared = await asyncio.gather(self._of(_owner(principal)), self._of(EVERYBODY))
        return [*own, *shared]

    async def get(self, principal: Principal, id: UUID) -> SavedView:
        view = await load(self._engine, SavedView, id)
        if view is None or view.audience not in (EVERYBODY, _owner(principal)):
            raise Unknown("there is no such view")
        return view

    async def counts(self, principal: Principal, views: Sequence[SavedView]) -> Sequence[int]:
        """How many cases each holds for the principal now."""
        filters = [case_filter(each.filter, principal.id) for each in views]
        return await asyncio.gather(*(self._service.count(principal, each) for each in filters))

    async def save(
        self, principal: Principal, title: str, filter: ViewFilter, *, shared: bool, request: str = ""
    ) -> SavedView:
        """A new one, at the end. Raises Invalid, or Forbidden for one of everybody without the role."""
        _may_change(principal, shared=shared)
        title = _title(title)
        self._check(filter)
        audience = EVERYBODY if shared else _owner(principal)
        id = view_id(_owner(principal), request or secrets.token_hex(16))

        async def attempt() -> SavedView:
            known = await load(self._engine, SavedView, id)
            if known is not None:
                return known
            order = await self._room(audience)
            now = self._clock.now()
            view = SavedView(
                id=id,
                owner=_owner(principal),
                audience=audience,
                title=title,
                filter=filter,
                order=order,
                saved_at=now,
            )
            step = Step(documents=[created(view)])
            if shared:
                step.events.append(
                    audited(now, actor_of(principal), "view-shared", str(id), {"title": title})
                )
            await self._engine.commit(step)
            return await self.get(principal, id)

        return await decided_again(attempt)

    async def change(
        self,
        principal: Principal,
        id: UUID,
        *,
        title: str | None = None,
        filter: ViewFilter | None = None,
        shared: bool | None = None,
        before: UUID | None = None,
    ) -> SavedView:
        """What is given. `before`: it stands before that one from now on. Raises Invalid, Forbidden or Unknown."""
        if filter is not None:
            self._check(filter)

        async def attempt() -> SavedView:
            view = await self.get(principal, id)
            _may_change(principal, shared=view.audience == EVERYBODY)
            changes: dict[str, object] = {}
            if title is not None:
                changes["title"] = _title(title)
            if filter is not None:
                changes["filter"] = filter
            if shared is not None and shared != (view.audience == EVERYBODY):
                _may_change(principal, shared=True)
                audience = EVERYBODY if shared else _owner(principal)
                changes |= {"audience": audience, "owner": _owner(principal)}
                changes["order"] = await self._room(audience)
            step = Step(documents=[changed(view, changes)] if changes else [])
            if before is not None:
                step = Step(documents=[*await self._reordered(view, before, changes)])
            if step.documents:
                await self._engine.commit(step)
            return await self.get(principal, id)

        return await decided_again(attempt)

    async def remove(self, principal: Principal, id: UUID) -> None:
        view = await self.get(principal, id)
        _may_change(principal, shared=view.audience == EVERYBODY)
        await self._engine.commit(Step(deletions=[(SavedView, view.id)]))

    async def _reordered(
        self, view: SavedView, before: UUID, changes: Mapping[str, object]
    ) -> list[tuple[SavedView, int]]:
        """The views of the same audience with this one before that one; only those that move are written."""
        audience = str(changes.get("audience", view.audience))
        others = [each for each in await self._of(audience) if each.id != view.id]
        at = next((index for index, each in enumerate(others) if each.id == before), None)
        if at is None:
            raise Invalid("the order was not changed", {"before": "name a view of the same kind"})
        found: list[tuple[SavedView, int]] = []
        for order, each in enumerate([*others[:at], view, *others[at:]], start=1):
            more = {**changes, "order": order} if each.id == view.id else {"order": order}
            after = each.model_copy(update={**more, "revision": each.revision + 1})
            if each.id == view.id or each.order != order:
                found.append((after, each.revision))
        return found

    async def _of(self, audience: str) -> Sequence[SavedView]:
        where = (Where("audience", "=", audience),)
        page = await self._engine.find(Query(SAVED_VIEWS, where, ("order_",), SHARED_AT_MOST + OWN_AT_MOST))
        return [each for each in page.items if isinstance(each, SavedView)]

    async def _room(self, audience: str) -> int:
        """The place at the end. Raises Invalid where there are too many."""
        held = await self._of(audience)
        most = SHARED_AT_MOST if audience == EVERYBODY else OWN_AT_MOST
        if len(held) >= most:
            raise Invalid(
                "the view was not saved",
                {"title": said("there are {n} already; remove one first", n=most)},
            )
        return max((each.order for each in held), default=0) + 1

    def _check(self, filter: ViewFilter) -> None:
        if filter.sort not in SORTS:
            raise Invalid(
                "sort is not known", {"filter.sort": said("use one of {names}", names=", ".join(SORTS))}
            )


def _owner(principal: Principal) -> str:
    """Keys have views of their own; none is called like a user's."""
    return principal.id if principal.kind == "agent" else f"{principal.kind}:{principal.id}"


def _title(title: str) -> str:
    cleaned = " ".join(title.split())
    if not 0 < len(cleaned) <= LONGEST_TITLE:
        raise Invalid(
            "the view was not saved", {"title": said("name it, in at most {n} characters", n=LONGEST_TITLE)}
        )
    return cleaned


def _may_change(principal: Principal, *, shared: bool) -> None:
    if Scope.WRITE not in principal.scopes:
        raise Forbidden("this key may only read")
    if shared and not principal.is_at_least(Role.SUPERVISOR):
        raise Forbidden("a view of everybody needs the role supervisor in every queue ('*')")
