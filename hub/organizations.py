"""Organizations: who belongs to them, by the domain of their mail or by hand, and which cases they have."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from connectors.kit.client_address import parse_address
from hub.accounts.records import audited, changed, created, decided_again, load
from hub.case_lists import CaseFilter
from hub.queries import PAGE_LIMIT
from hub.service import Service, actor_of
from processors.mail_domains import is_shared
from schemas.accounts import Principal, Role, Scope
from schemas.blocking import mail_domain
from schemas.collections import HANDLES
from schemas.documents import Case, Handle
from schemas.errors import Conflict, Forbidden, Invalid, Unknown
from schemas.ids import derive
from schemas.organizations import (
    MEMBERSHIPS,
    ORGANIZATIONS,
    Membership,
    Organization,
    OrganizationDomain,
    domain_id,
    membership_id,
)
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Page, Query, References, Step, Where

DOMAINS_AT_MOST = 20
PEOPLE_AT_MOST = 200
ATTRIBUTES_AT_MOST = 50
LONGEST_NAME = 120
LONGEST_NOTE = 2000
LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class OrganizationView:
    """The people and cases that who asks may see; `by_hand` are those of the people whom somebody put there."""

    organization: Organization
    people: Sequence[Handle] = ()
    by_hand: frozenset[UUID] = frozenset()
    cases: Page[Case] = field(default_factory=lambda: Page([]))


class Organizations:
    """Everybody who works here reads them; supervisors of every queue make and change them; people are put in by who sees them."""

    def __init__(self, engine: Engine, clock: Clock, service: Service) -> None:
        self._engine = engine
        self._clock = clock
        self._service = service

    async def find(self, words: str = "", limit: int = 50, after: str | None = None) -> Page[Organization]:
        """By the beginning of the name, or the whole domain; all of them where nothing is said."""
        said = words.strip().casefold()
        where = (Where("key", ">=", said), Where("key", "<", said + LAST)) if said else ()
        page = await self._engine.find(Query(ORGANIZATIONS, where, ("key",), limit, after))
        found = [each for each in page.items if isinstance(each, Organization)]
        by_domain = await self._by_domain(said.removeprefix("@")) if said and after is None else None
        if by_domain is not None and by_domain not in found:
            found.insert(0, by_domain)
        return Page(found, page.next)

    async def get(self, id: UUID) -> Organization:
        found = await load(self._engine, Organization, id)
        if found is None:
            raise Unknown("there is no such organization")
        return found

    async def view(self, principal: Principal, id: UUID, after: str | None = None) -> OrganizationView:
        """With its people and cases. Who works for some queues sees those of whom cases are there."""
        organization = await self.get(id)
        people, by_hand = await self._people(organization)
        if not people:
            return OrganizationView(organization)
        wanted = CaseFilter(handles=tuple(each.id for each in people), states=(), sort="newest")
        cases = await self._service.cases(principal, wanted, 50, after)
        if principal.queues() is not None:
            seen = (await self._service.cases(principal, wanted, PAGE_LIMIT)).items
            visible = {each.handle for each in seen}
            people = [each for each in people if each.id in visible]
        return OrganizationView(organization, people, by_hand, cases)

    async def of(self, handles: Sequence[Handle]) -> Organization | None:
        """Whom a person belongs to: what somebody said of a handle, else the domain of the first that has one."""
        ids = {membership_id(each.id) for each in handles}
        said = (await self._engine.load(References(documents={Membership: ids}))).documents.values()
        memberships = {each.handle: each for each in said if isinstance(each, Membership)}
        for handle in handles:
            membership = memberships.get(handle.id)
            if membership is not None and membership.organization is not None:
                return await load(self._engine, Organization, membership.organization)
        for handle in handles:
            if handle.id not in memberships and (found := await self._by_domain(mail_domain(handle))):
                return found
        return None

    async def create(
        self, principal: Principal, name: str, domains: Sequence[str] = (), note: str = "", request: str = ""
    ) -> Organization:
        """Raises Invalid, or Conflict when a domain belongs to another. The same request twice makes one."""
        _must_supervise(principal)
        id = derive("organization", request or secrets.token_hex(16))
        known = await load(self._engine, Organization, id)
        if known is not None:
            return known
        now, actor = self._clock.now(), actor_of(principal)
        made = Organization(
            id=id,
            name=_name(name),
            domains=_domains(domains),
            note=note[:LONGEST_NOTE],
            made_by=actor,
            made_at=now,
        )
        step = Step(documents=[created(made)], events=[audited(now, actor, "organization-made", str(id))])
        step.documents += [created(_domain(each, id)) for each in made.domains]
        await self._commit(step)
        return await self.get(id)

    async def change(
        self,
        principal: Principal,
        id: UUID,
        *,
        name: str | None = None,
        domains: Sequence[str] | None = None,
        note: str | None = None,
        attributes: Mapping[str, str | None] | None = None,
    ) -> Organization:
        """What is given; an attribute that is None is removed. Raises Invalid, Conflict or Unknown."""
        _must_supervise(principal)

        async def attempt() -> Organization:
            before = await self.get(id)
            changes: dict[str, object] = {}
            if name is not None:
                changes["name"] = _name(name)
            if note is not None:
                changes["note"] = note[:LONGEST_NOTE]
            if attributes is not None:
                held = {**before.attributes, **attributes}
                changes["attributes"] = {key: value for key, value in held.items() if value is not None}
                if len(held) > ATTRIBUTES_AT_MOST:
                    raise Invalid(
                        "nothing was changed", {"attributes": said("at most {n}", n=ATTRIBUTES_AT_MOST)}
                    )
            after = _domains(domains) if domains is not None else before.domains
            step = Step()
            step.documents += [created(_domain(each, id)) for each in after if each not in before.domains]
            step.deletions += [
                (OrganizationDomain, domain_id(each)) for each in before.domains if each not in after
            ]
            changes["domains"] = after
            step.documents.append(changed(before, changes))
            step.events.append(
                audited(self._clock.now(), actor_of(principal), "organization-changed", str(id))
            )
            await self._commit(step, before)
            return await self.get(id)

        return await decided_again(attempt)

    async def remove(self, principal: Principal, id: UUID) -> None:
        """The people stay, with all that they wrote; they belong nowhere."""
        _must_supervise(principal)
        before = await self.get(id)
        page = await self._engine.find(Query(MEMBERSHIPS, (Where("organization", "=", id),), limit=1000))
        deletions: list[tuple[type, UUID]] = [(Organization, id)]
        deletions += [(OrganizationDomain, domain_id(each)) for each in before.domains]
        deletions += [(Membership, each.id) for each in page.items]
        event = audited(self._clock.now(), actor_of(principal), "organization-removed", str(id))
        await self._engine.commit(Step(deletions=deletions, events=[event]))

    async def put(self, principal: Principal, handle: UUID, organization: UUID | None) -> None:
        """The handle belongs there (None: nowhere), whatever its domain says. Raises Unknown for a person who is not seen."""
        if Scope.WRITE not in principal.scopes:
            raise Forbidden("this key may only read")
        await self._service.customer(principal, handle, limit=1)
        if organization is not None:
            await self.get(organization)

        async def attempt() -> None:
            before = await load(self._engine, Membership, membership_id(handle))
            revision = before.revision if before is not None else 0
            said = Membership(
                id=membership_id(handle),
                revision=revision + 1,
                handle=handle,
                organization=organization,
                by=principal.id,
                at=self._clock.now(),
            )
            await self._engine.commit(Step(documents=[(said, revision)]))

        await decided_again(attempt)

    async def _by_domain(self, domain: str) -> Organization | None:
        held = await load(self._engine, OrganizationDomain, domain_id(domain)) if domain else None
        return await load(self._engine, Organization, held.organization) if held is not None else None

    async def _people(self, organization: Organization) -> tuple[list[Handle], frozenset[UUID]]:
        """By domain but those who were put elsewhere, and those who were put here; at most 200."""
        people: dict[UUID, Handle] = {}
        if organization.domains:
            where = (Where("domain", "in", organization.domains),)
            page = await self._engine.find(Query(HANDLES, where, limit=PEOPLE_AT_MOST))
            people = {each.id: each for each in page.items if isinstance(each, Handle)}
        ids = {membership_id(each): each for each in people}
        said = (await self._engine.load(References(documents={Membership: set(ids)}))).documents
        for membership in said.values():
            if isinstance(membership, Membership) and membership.organization != organization.id:
                people.pop(membership.handle, None)
        query = Query(MEMBERSHIPS, (Where("organization", "=", organization.id),), limit=PEOPLE_AT_MOST)
        put = [each for each in (await self._engine.find(query)).items if isinstance(each, Membership)]
        by_hand = frozenset(each.handle for each in put)
        missing = by_hand - people.keys()
        if missing:
            found = (await self._engine.load(References(documents={Handle: set(missing)}))).documents
            people |= {id: each for id, each in found.items() if isinstance(each, Handle)}
        ordered = sorted(people.values(), key=lambda each: (each.name.casefold() or each.value, each.value))
        return ordered[:PEOPLE_AT_MOST], by_hand

    async def _commit(self, step: Step, before: Organization | None = None) -> None:
        """A conflict is told apart: the organization changed meanwhile (decided again), or a domain is another's."""
        try:
            await self._engine.commit(step)
        except Conflict:
            domains = [each for each, _ in step.documents if isinstance(each, OrganizationDomain)]
            for each in domains:
                holder = await load(self._engine, OrganizationDomain, each.id)
                if holder is not None and holder.organization != each.organization:
                    raise Invalid(
                        "nothing was changed",
                        {"domains": said("{domain} belongs to another organization", domain=each.domain)},
                    ) from None
            raise


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 0 < len(cleaned) <= LONGEST_NAME:
        raise Invalid(
            "nothing was changed", {"name": said("name it, in at most {n} characters", n=LONGEST_NAME)}
        )
    return cleaned


def _domains(domains: Sequence[str]) -> tuple[str, ...]:
    cleaned = tuple(dict.fromkeys(each.strip().lower().removeprefix("@").rstrip(".") for each in domains))
    for each in cleaned:
        if (
            "." not in each
            or len(each) > 253
            or not all(part.isprintable() and part for part in each.split("."))
        ):
            raise Invalid(
                "nothing was changed",
                {"domains": said("{domain!r} is no domain, such as acme.example", domain=each)},
            )
        if "@" in each or " " in each or parse_address(each) is not None:
            raise Invalid(
                "nothing was changed",
                {"domains": said("{domain!r} is no domain, such as acme.example", domain=each)},
            )
        if is_shared(each):
            raise Invalid(
                "nothing was changed",
                {"domains": said("anybody can have an address of {domain}", domain=each)},
            )
    if len(cleaned) > DOMAINS_AT_MOST:
        raise Invalid("nothing was changed", {"domains": said("at most {n}", n=DOMAINS_AT_MOST)})
    return cleaned


def _domain(domain: str, organization: UUID) -> OrganizationDomain:
    return OrganizationDomain(id=domain_id(domain), domain=domain, organization=organization)


def _must_supervise(principal: Principal) -> None:
    if Scope.WRITE not in principal.scopes:
        raise Forbidden("this key may only read")
    if not principal.is_at_least(Role.SUPERVISOR):
        raise Forbidden("this needs the role supervisor in every queue ('*')")
