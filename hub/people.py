"""What people do to persons: link and unlink handles, describe them, and hand out all that is held about one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.accounts.records import audited
from hub.case_lists import CaseFilter
from hub.queries import PAGE_LIMIT
from hub.service import Service, actor_of
from hub.shown import shown
from processors.attributes import check_attributes
from processors.customers import Customer
from processors.identity import are_apart, are_linked, kept_apart, linked, unlinked
from schemas.accounts import Principal, Role, Scope
from schemas.collections import CASES, HANDLES
from schemas.documents import Case, Entry, Handle
from schemas.errors import Conflict, Forbidden, Invalid, Outage, Unknown
from schemas.events import Event
from schemas.identity import Evidence, HandleDescribed, IdentityEvent
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Query, References, Step, Where

ATTEMPTS = 5
ATTRIBUTES_AT_MOST = 50
EXPORT_PAGE = 200
SUGGESTED_AT_MOST = 10
NAMED_IN_CASES = 50
"""So many cases with a name in them are looked at for people of that name."""
NOT_THERE = "there is no such person, or none of their cases is in your queues"


@dataclass(frozen=True, slots=True)
class Export:
    """Everything held about a person: the handles, the cases and the whole timeline over all channels."""

    customer: Customer
    cases: tuple[Case, ...]
    entries: tuple[Entry, ...]


class People:
    """Each change is one step: the identity event with the handles that it changes, by compare-and-set.

    `request` is the id of what was asked for (`schemas.ids.command_id`): the same request twice is done once.
    """

    def __init__(self, engine: Engine, clock: Clock, service: Service) -> None:
        self._engine = engine
        self._clock = clock
        self._service = service

    async def suggestions(self, principal: Principal, customer: Customer) -> list[Handle]:
        """Handles of others with the same address, such as one that was typed into a form and proved by nothing.

        Only those of which the principal sees a case, and of which nobody said that they are another person.
        """
        values = tuple(dict.fromkeys(each.value for each in customer.handles))
        ours = {each.id for each in customer.handles}
        page = await self._engine.find(
            Query(HANDLES, (Where("value", "in", values),), limit=SUGGESTED_AT_MOST)
        )
        others = {
            each.id: each
            for each in page.items
            if isinstance(each, Handle)
            and each.id not in ours
            and not any(are_apart(each, one) for one in customer.handles)
        }
        if not others:
            return []
        wanted = CaseFilter(handles=tuple(others), states=(), sort="newest")
        visible = {case.handle for case in (await self._service.cases(principal, wanted, PAGE_LIMIT)).items}
        return [each for id, each in others.items() if id in visible]

    async def find(self, principal: Principal, value: str) -> Handle:
        """The handle of an address or a name in a network. Raises Unknown where the principal sees no case of it."""
        where = (Where("value", "in", tuple({value, value.lower()})),)
        page = await self._engine.find(Query(HANDLES, where, limit=SUGGESTED_AT_MOST))
        for each in page.items:
            if isinstance(each, Handle) and await self._may_see(principal, each.id):
                return each
        raise Unknown(NOT_THERE)

    async def named(self, principal: Principal, words: str) -> list[Handle]:
        """Handles whose name or address has each of the words, of people whose cases the principal sees; at most ten."""
        wanted = words.casefold().split()
        try:
            hits = await self._service.search(principal, words, NAMED_IN_CASES)
        except Invalid:
            return []  # nothing in it to look for
        cases = References()
        for hit in hits.items:
            cases.want(Case, hit.case)
        found = await self._engine.load(cases) if cases else None
        handles = References()
        for case in found.documents.values() if found else ():
            if isinstance(case, Case):
                handles.want(Handle, case.handle)
        loaded = await self._engine.load(handles) if handles else None
        people = [each for each in (loaded.documents.values() if loaded else ()) if isinstance(each, Handle)]
        return [
            each for each in people if all(one in f"{each.name} {each.value}".casefold() for one in wanted)
        ][:SUGGESTED_AT_MOST]

    async def _may_see(self, principal: Principal, handle: UUID) -> bool:
        try:
            await self._service.customer(principal, handle, limit=1)
        except Unknown:
            return False
        return True

    async def link(self, principal: Principal, first: UUID, second: UUID, note: str, request: UUID) -> None:
        """The two handles are one person from now on. Done already is done. Raises Unknown for who may not see both."""
        _must_write(principal)
        await self._must_see(principal, first, second)
        evidence, actor = Evidence(kind="agent", note=note), actor_of(principal)
        for _ in range(ATTEMPTS):
            one, other = await self._pair(first, second)
            if are_linked(one, other):
                return
            *changed, data = linked(one, other, evidence, actor, self._clock.now())
            if await self._commit(data, first, request, (one, other), changed):
                return
        raise _busy()

    async def unlink(self, principal: Principal, first: UUID, second: UUID, note: str, request: UUID) -> None:
        """Take a link back; the handles stay, with all that they wrote. Done already is done.

        Raises Invalid when they are one person by links over others: then it is one of these that has to go.
        """
        _must_write(principal)
        await self._must_see(principal, first, second)
        evidence, actor = Evidence(kind="agent", note=note), actor_of(principal)
        for _ in range(ATTEMPTS):
            one, other = await self._pair(first, second)
            if not are_linked(one, other) and not await self._are_one(first, second):
                return
            *changed, data = unlinked(one, other, evidence, actor)
            if await self._commit(data, first, request, (one, other), changed):
                return
        raise _busy()

    async def keep_apart(
        self, principal: Principal, first: UUID, second: UUID, note: str, request: UUID
    ) -> None:
        """Say that the two are not one person: they are suggested no more. A link says otherwise again. Raises Invalid."""
        _must_write(principal)
        await self._must_see(principal, first, second)
        evidence, actor = Evidence(kind="agent", note=note), actor_of(principal)
        for _ in range(ATTEMPTS):
            one, other = await self._pair(first, second)
            if are_apart(one, other):
                return
            *changed, data = kept_apart(one, other, evidence, actor)
            if await self._commit(data, first, request, (one, other), changed):
                return
        raise _busy()

    async def describe(
        self, principal: Principal, handle: UUID, attributes: Mapping[str, str | None], request: UUID
    ) -> None:
        """Set attributes of a handle; None removes one. Raises Invalid for a value that is not of its type."""
        _must_write(principal)
        check_attributes(self._service.company.current.configuration.person_attributes, attributes)
        await self._must_see(principal, handle)
        actor = actor_of(principal)
        for _ in range(ATTEMPTS):
            before = await self._handle(handle)
            after = {
                name: value
                for name, value in {**before.attributes, **attributes}.items()
                if value is not None
            }
            if len(after) > ATTRIBUTES_AT_MOST:
                raise Invalid(
                    said("a handle has at most {n} attributes", n=ATTRIBUTES_AT_MOST),
                    {"attributes": "remove some"},
                )
            if after == before.attributes:
                return
            data = HandleDescribed(handle=handle, attributes=after, actor=actor)
            described = before.model_copy(update={"attributes": after})
            if await self._commit(data, handle, request, [before], [described]):
                return
        raise _busy()

    async def export(self, principal: Principal, handle: UUID) -> Export:
        """Everything held about the person, over all queues. Needs a supervisor of every queue; it is audited."""
        if not principal.is_at_least(Role.SUPERVISOR):
            raise Forbidden(
                "an export holds cases of every queue: it needs the role supervisor in all of them ('*')"
            )
        customer = await self._service.customer_by_handle(handle)
        cases = await self._cases(customer)
        entries = await self._entries(customer)
        event = audited(
            self._clock.now(),
            actor_of(principal),
            "customer-exported",
            str(customer.id),
            {"cases": str(len(cases)), "entries": str(len(entries))},
        )
        await self._engine.commit(Step(events=[event]))
        return Export(customer, cases, entries)

    async def _cases(self, customer: Customer) -> tuple[Case, ...]:
        where = (Where("handle", "in", tuple(each.id for each in customer.handles)),)
        found: list[Case] = []
        after: str | None = None
        while True:
            page = await self._engine.find(Query(CASES, where, ("-updated_at",), EXPORT_PAGE, after))
            found.extend(each for each in page.items if isinstance(each, Case))
            if (after := page.next) is None:
                return tuple(found)

    async def _entries(self, customer: Customer) -> tuple[Entry, ...]:
        handles = [each.id for each in customer.handles]
        found: list[Entry] = []
        after: str | None = None
        while True:
            page = await self._engine.timeline(handles=handles, limit=EXPORT_PAGE, after=after)
            found.extend(await shown(self._engine, page.items))
            if (after := page.next) is None:
                return tuple(found)

    async def _must_see(self, principal: Principal, *handles: UUID) -> None:
        for each in handles:
            await self._service.customer(principal, each, limit=1)

    async def _are_one(self, first: UUID, second: UUID) -> bool:
        """Whether links lead from the one to the other."""
        customer = await self._service.customer_by_handle(first)
        return any(each.id == second for each in customer.handles)

    async def _pair(self, first: UUID, second: UUID) -> tuple[Handle, Handle]:
        return await self._handle(first), await self._handle(second)

    async def _handle(self, id: UUID) -> Handle:
        found = (await self._engine.load(References(documents={Handle: {id}}))).documents.get(id)
        if not isinstance(found, Handle):
            raise Unknown(NOT_THERE)
        return found

    async def _commit(
        self,
        data: IdentityEvent,
        key: UUID,
        request: UUID,
        before: Sequence[Handle],
        changed: Sequence[Handle],
    ) -> bool:
        event = Event(
            id=request,
            key=str(key),
            time=self._clock.now(),
            data=data,
            source="/hub/people",
            correlation=request,
        )
        try:
            expected = [each.revision for each in before]
            await self._engine.commit(
                Step(events=[event], documents=list(zip(changed, expected, strict=True)))
            )
        except Conflict:
            await asyncio.sleep(0)  # somebody else changed one of them: look again
            return False
        return True


def _must_write(principal: Principal) -> None:
    if Scope.WRITE not in principal.scopes:
        raise Forbidden("this key may only read")


def _busy() -> Outage:
    return Outage("this person is changed by many at once; try again", retry_after_seconds=1)
