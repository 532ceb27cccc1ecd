"""The people who work here, and what each may do in which queue."""

import re
from collections.abc import Mapping, Sequence
from zoneinfo import available_timezones

from hub.accounts.credentials import Passwords, check_new_password, one_time_password
from hub.accounts.records import audited, changed, created, decided_again, load
from schemas.accounts import ANY_QUEUE, USERS, Role, User, user_id
from schemas.errors import Conflict, Invalid, Unknown
from schemas.events import Actor
from schemas.ports import Clock, Engine
from schemas.preferences import Preferences
from schemas.sentences import said
from schemas.steps import Page, Query, Step, Where

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def canonical_name(name: str) -> str:
    """User names are compared in lower case."""
    return name.strip().lower()


def actor_of(user: User) -> Actor:
    """The user as events name them."""
    return Actor(kind="agent", id=user.name, name=user.title or user.name)


class Users:
    """Each change is one step with its audit event. Changes of rights hold from the next request on."""

    def __init__(self, engine: Engine, clock: Clock, passwords: Passwords) -> None:
        self._engine = engine
        self._clock = clock
        self._passwords = passwords

    async def create(
        self, name: str, roles: Mapping[str, Role], actor: Actor, title: str = "", address: str = ""
    ) -> tuple[User, str]:
        """A user with a one-time password, which is returned once. Raises Conflict when the name is taken."""
        name = canonical_name(name)
        if not USER_NAME.fullmatch(name):
            raise Invalid(
                "the name cannot be used",
                {"name": "use lower-case letters, digits, '.', '_' and '-', at most 63"},
            )
        password = one_time_password()
        now = self._clock.now()
        user = User(
            id=user_id(name),
            name=name,
            title=title,
            address=address,
            password_hash=await self._passwords.hash(password),
            must_change_password=True,
            roles=dict(roles),
            created_at=now,
        )
        event = audited(now, actor, "user-created", name, {"roles": _roles_text(roles)})
        try:
            await self._engine.commit(Step(documents=[created(user)], events=[event]))
        except Conflict:
            raise Conflict(f"there is a user {name!r} already") from None
        return await self.get(name), password

    async def get(self, name: str) -> User:
        user = await load(self._engine, User, user_id(canonical_name(name)))
        if user is None:
            raise Unknown(said("there is no user {name!r}", name=name))
        return user

    async def list(self, limit: int = 50, after: str | None = None) -> Page[User]:
        page = await self._engine.find(Query(USERS, order=("name",), limit=limit, after=after))
        return Page([each for each in page.items if isinstance(each, User)], page.next)

    async def names(self) -> Sequence[User]:
        """All users, for pickers; at most a thousand."""
        return (await self.list(limit=1000)).items

    async def update(
        self,
        name: str,
        actor: Actor,
        *,
        roles: Mapping[str, Role] | None = None,
        title: str | None = None,
        address: str | None = None,
        active: bool | None = None,
    ) -> User:
        """Change what is given. Raises Invalid when nobody could administer the hub afterwards."""
        changes: dict[str, object] = {
            field: value
            for field, value in {"title": title, "address": address, "active": active}.items()
            if value is not None
        }
        if roles is not None:
            changes["roles"] = dict(roles)

        async def attempt() -> User:
            before = await self.get(name)
            after = before.model_copy(update=changes)
            if _administers(before) and not _administers(after):
                await self._must_leave_an_admin(before)
            detail = {field: str(changes[field]) for field in ("active",) if field in changes}
            if roles is not None:
                detail |= {"roles_before": _roles_text(before.roles), "roles": _roles_text(roles)}
            await self._write(before, changes, actor, "user-changed", detail)
            return await self.get(name)

        return await decided_again(attempt)

    async def prefer(self, name: str, changes: Mapping[str, object]) -> Preferences:
        """The user's own choice of how to work. Raises Invalid for a language tag or a time zone that is none."""
        zone, language = str(changes.get("zone", "")), str(changes.get("language", ""))
        problems = {}
        if zone and zone not in available_timezones():
            problems["zone"] = "name a time zone of the IANA, such as Europe/Berlin"
        if language and not LANGUAGE_TAG.fullmatch(language):
            problems["language"] = "name a language by its tag, such as de"
        if problems:
            raise Invalid("the preferences were not changed", problems)

        async def attempt() -> Preferences:
            user = await self.get(name)
            preferences = user.preferences.model_copy(update=dict(changes))
            if preferences != user.preferences:
                await self._engine.commit(Step(documents=[changed(user, {"preferences": preferences})]))
            return preferences

        return await decided_again(attempt)

    async def deactivate(self, name: str, actor: Actor) -> User:
        """The user can do nothing from now on; what they did keeps their name."""
        return await self.update(name, actor, active=False)

    async def reset_password(self, name: str, actor: Actor) -> str:
        """A new one-time password, returned once; the old one is no longer good."""
        password = one_time_password()
        await self._set_password(name, password, actor, "password-reset", must_change=True)
        return password

    async def change_password(self, name: str, old: str, new: str, actor: Actor) -> None:
        """Raises Invalid when the old one is wrong or the new one cannot be used."""
        user = await self.get(name)
        if not await self._passwords.verify(user.password_hash, old):
            raise Invalid("the password was not changed", {"old_password": "this is not your password"})
        if old == new:
            raise Invalid("the password was not changed", {"password": "use another password than before"})
        check_new_password(new, user.name)
        await self._set_password(name, new, actor, "password-changed", must_change=False)

    async def replace_one_time_password(self, user: User, new: str) -> None:
        """By who signed in with it a moment ago. Raises Invalid when the new one cannot be used."""
        if await self._passwords.verify(user.password_hash, new):
            raise Invalid("the password was not changed", {"password": "use another password than before"})
        check_new_password(new, user.name)
        await self._set_password(user.name, new, actor_of(user), "password-changed", must_change=False)

    async def _set_password(
        self, name: str, password: str, actor: Actor, action: str, *, must_change: bool
    ) -> None:
        changes = {
            "password_hash": await self._passwords.hash(password),
            "must_change_password": must_change,
            "failed_sign_ins": (),
        }

        async def attempt() -> None:
            await self._write(await self.get(name), changes, actor, action, {})

        await decided_again(attempt)

    async def _write(
        self, before: User, changes: Mapping[str, object], actor: Actor, action: str, detail: dict[str, str]
    ) -> None:
        event = audited(self._clock.now(), actor, action, before.name, detail)
        await self._engine.commit(Step(documents=[changed(before, changes)], events=[event]))

    async def _must_leave_an_admin(self, leaving: User) -> None:
        page = await self._engine.find(Query(USERS, (Where("name", "set"),), order=("name",), limit=1000))
        others = (each for each in page.items if isinstance(each, User) and each.id != leaving.id)
        if not any(_administers(each) for each in others):
            raise Invalid(
                "nobody could administer the hub afterwards",
                {
                    "roles": said(
                        "make somebody else admin first; {name!r} is the only one", name=leaving.name
                    )
                },
            )


def _administers(user: User) -> bool:
    return user.active and user.roles.get(ANY_QUEUE) is Role.ADMIN


def _roles_text(roles: Mapping[str, Role]) -> str:
    return " ".join(f"{queue}={role}" for queue, role in sorted(roles.items()))
