"""Who comes by single sign-on: found by issuer and subject, which never change, and by nothing else unless the settings say so.

A name that is taken here is never taken over: who has it signs in and adds the way, or an administrator does.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from hub.accounts.errors import Unauthenticated
from hub.accounts.records import audited, changed, created, decided_again, load
from hub.accounts.sessions import Sessions
from hub.accounts.users import USER_NAME, actor_of
from hub.openid.person import Person
from schemas.accounts import (
    IDENTITIES,
    USERS,
    OpenIdIdentity,
    Role,
    Session,
    User,
    identity_id,
    user_id,
)
from schemas.errors import Conflict, Invalid, Refused, Unknown
from schemas.events import Actor
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Query, Step, Where

IDENTITIES_AT_MOST = 20
USERS_SEEN = 1000
NOT_NAMEABLE = re.compile(r"[^a-z0-9._-]+")


class NoPlace(Unauthenticated):
    """Who came is who they say, but has no place here. `reason`: unknown, no-role, taken, inactive, nameless."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the sign-on was right, but does not open this hub ({reason})")
        self.reason = reason


class Identities:
    def __init__(self, engine: Engine, clock: Clock, sessions: Sessions) -> None:
        self._engine = engine
        self._clock = clock
        self._sessions = sessions

    async def sign_in(
        self, person: Person, address: str, agent: str, *, create: bool, by_mail: bool
    ) -> tuple[str, Session, User]:
        """A session for who came. Raises NoPlace. Roles that the claims give are set now."""
        if person.roles is not None and not person.roles:
            raise NoPlace("no-role")

        async def attempt() -> tuple[str, Session, User]:
            step = Step()
            user = await self._found(person, step, create=create, by_mail=by_mail)
            if not user.active:
                raise NoPlace("inactive")
            opened = self._sessions.opened(user, address, agent, provider=person.provider)
            detail = {"address": address, "provider": person.provider}
            step.documents.append(created(opened.session))
            step.events.append(audited(self._clock.now(), actor_of(user), "signed-in", user.name, detail))
            await self._engine.commit(step)
            return opened.token, await self._sessions.get(opened.session.id), user

        return await decided_again(attempt)

    async def _found(self, person: Person, step: Step, *, create: bool, by_mail: bool) -> User:
        """The user, with what becomes of them put into the step."""
        now, by = self._clock.now(), _provider(person)
        known = await load(self._engine, OpenIdIdentity, identity_id(person.issuer, person.subject))
        user = await load(self._engine, User, user_id(known.user)) if known is not None else None
        if user is None:
            user = await self._by_mail(person) if by_mail else None
            if user is None:
                return await self._welcomed(person, step, create=create)
            step.documents.append(_identity(person, user.name, now, known))
            step.events.append(audited(now, by, "identity-linked", user.name, {"issuer": person.issuer}))
        roles = dict(person.roles) if person.roles is not None else user.roles
        if roles == user.roles:
            return user
        step.documents.append(changed(user, {"roles": roles}))
        detail = {"roles_before": _roles(user.roles), "roles": _roles(roles)}
        step.events.append(audited(now, by, "user-changed", user.name, detail))
        return user.model_copy(update={"roles": roles})

    async def _welcomed(self, person: Person, step: Step, *, create: bool) -> User:
        """A new user without a password: single sign-on is the way in until an administrator gives another."""
        if not create:
            raise NoPlace("unknown")
        name, now = _name(person), self._clock.now()
        if await load(self._engine, User, user_id(name)) is not None:
            raise NoPlace("taken")
        user = User(
            id=user_id(name),
            name=name,
            title=person.title,
            address=person.address if person.is_verified else "",
            roles=dict(person.roles or {}),
            created_at=now,
        )
        step.documents += [created(user), _identity(person, name, now, None)]
        detail = {"issuer": person.issuer, "roles": _roles(user.roles)}
        step.events.append(audited(now, _provider(person), "user-created", name, detail))
        return user

    async def add(self, user: User, person: Person) -> None:
        """The signed-in user comes this way too from now on. Raises Refused when somebody else does."""
        id = identity_id(person.issuer, person.subject)
        known = await load(self._engine, OpenIdIdentity, id)
        if known is not None:
            if known.user != user.name:
                raise Refused("this sign-on belongs to another user")
            return
        if len(await self.of(user.name)) >= IDENTITIES_AT_MOST:
            raise Refused(said("there are {n} already; take one away first", n=IDENTITIES_AT_MOST))
        now = self._clock.now()
        event = audited(now, actor_of(user), "identity-linked", user.name, {"issuer": person.issuer})
        try:
            await self._engine.commit(
                Step(documents=[_identity(person, user.name, now, None)], events=[event])
            )
        except Conflict:
            raise Refused("this sign-on was added at the same moment") from None

    async def of(self, user: str) -> list[OpenIdIdentity]:
        page = await self._engine.find(
            Query(IDENTITIES, (Where("user", "=", user),), limit=IDENTITIES_AT_MOST * 2)
        )
        return [each for each in page.items if isinstance(each, OpenIdIdentity)]

    async def remove(self, user: User, id: UUID) -> None:
        """That way leads here no more. Raises Unknown when it is not this user's, Invalid when it is the last way in."""
        held = {each.id: each for each in await self.of(user.name)}
        if id not in held:
            raise Unknown("there is no such sign-on of this user")
        if len(held) == 1 and not user.password_hash:
            raise Invalid("this is the only way in", {"item": "get a password first"})
        detail = {"issuer": held[id].issuer}
        event = audited(self._clock.now(), actor_of(user), "identity-unlinked", user.name, detail)
        await self._engine.commit(Step(deletions=[(OpenIdIdentity, id)], events=[event]))

    async def _by_mail(self, person: Person) -> User | None:
        """The one user with the address that the provider verified; where several have it, nobody."""
        if not person.is_verified or not person.address:
            return None
        page = await self._engine.find(Query(USERS, order=("name",), limit=USERS_SEEN))
        same = [
            each
            for each in page.items
            if isinstance(each, User) and each.address.lower() == person.address.lower()
        ]
        return same[0] if len(same) == 1 else None


def _name(person: Person) -> str:
    """A user name made of what the provider says: what stands before an @, without what an address cannot hold."""
    name = NOT_NAMEABLE.sub("-", person.name.lower().partition("@")[0]).strip("-._")[:63]
    if not USER_NAME.fullmatch(name):
        raise NoPlace("nameless")
    return name


def _identity(
    person: Person, user: str, now: datetime, known: OpenIdIdentity | None
) -> tuple[OpenIdIdentity, int]:
    revision = known.revision if known is not None else 0
    id = identity_id(person.issuer, person.subject)
    made = OpenIdIdentity(
        id=id, revision=revision + 1, issuer=person.issuer, subject=person.subject, user=user, since=now
    )
    return made, revision


def _provider(person: Person) -> Actor:
    return Actor(kind="system", id=f"openid:{person.provider}", name=person.provider)


def _roles(roles: Mapping[str, Role]) -> str:
    return " ".join(f"{queue}={role}" for queue, role in sorted(roles.items()))
