"""Users, sessions and API keys, over documents of the engine."""

from datetime import timedelta

from connectors.kit.client_address import parse_address, rate_name
from connectors.kit.rates import Rate, TokenBuckets
from hub.accounts.credentials import Passwords
from hub.accounts.errors import Throttled, Unauthenticated
from hub.accounts.keys import Keys
from hub.accounts.records import audited, changed, created, decided_again, load
from hub.accounts.sessions import SessionLimits, Sessions, SignedIn
from hub.accounts.users import Users, canonical_name
from schemas.accounts import ANSWERED, AnsweredRequest, Principal, Session, User, user_id
from schemas.events import Actor
from schemas.ports import Clock, Engine, Query, Step, Where

__all__ = ["Accounts", "SessionLimits", "SignedIn", "Throttled", "Unauthenticated"]

BY_NAME_AND_ADDRESS = Rate(per_minute=0.5, burst=5)
BY_NAME = Rate(per_minute=2, burst=20)
BY_ADDRESS = Rate(per_minute=10, burst=30)
"""Failed sign-ins. A name has more tries in all than from one address, so that a stranger cannot lock an agent out soon."""

FAILURES_KEPT = 20
FAILURES_KEPT_FOR = timedelta(days=1)
NAME_LENGTH_AT_MOST = 100
WRONG = "the user name or the password is not right"


class Accounts:
    """`users`, `sessions` and `keys` hold each kind; here is how somebody becomes a principal."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        passwords: Passwords | None = None,
        limits: SessionLimits | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._passwords = passwords or Passwords()
        self.users = Users(engine, clock, self._passwords)
        self.sessions = Sessions(engine, clock, limits or SessionLimits())
        self.keys = Keys(engine, clock)
        self._limits = (TokenBuckets(BY_NAME_AND_ADDRESS), TokenBuckets(BY_NAME), TokenBuckets(BY_ADDRESS))

    async def sign_in(self, name: str, password: str, address: str, agent: str) -> tuple[str, Session, User]:
        """A new session and its token. Raises Unauthenticated without telling what was wrong, or Throttled.

        A name that nobody has costs the same work as a wrong password.
        """
        name = canonical_name(name)[:NAME_LENGTH_AT_MOST]
        taken = self._take_turn(name, address)
        user = await load(self._engine, User, user_id(name))
        stored = user.password_hash if user is not None and user.active else ""
        if not await self._passwords.verify(stored, password) or user is None:
            await self._note_failure(name, user, address)
            raise Unauthenticated(WRONG)
        for limit, key in taken:
            limit.give_back(key)
        rehashed = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else stored
        opened = self.sessions.opened(user, address, agent)

        async def attempt() -> None:
            fresh = await self.users.get(name)
            if not fresh.active or fresh.password_hash != stored:
                raise Unauthenticated(WRONG)  # changed while we checked
            event = audited(self._clock.now(), _actor(fresh), "signed-in", name, {"address": address})
            step = Step(documents=[created(opened.session)], events=[event])
            if fresh.failed_sign_ins or rehashed != stored:
                changes = {"failed_sign_ins": (), "password_hash": rehashed}
                step.documents.append(changed(fresh, changes))
            await self._engine.commit(step)

        await decided_again(attempt)
        return opened.token, await self.sessions.get(opened.session.id), await self.users.get(name)

    async def sign_out(self, session: Session) -> None:
        user = await self.users.get(session.user)
        await self.sessions.revoke(session.id, _actor(user), "signed-out")

    async def change_password(self, session: Session, old: str, new: str) -> None:
        """The user's own change. All other sessions of the user end."""
        user = await self.users.get(session.user)
        taken = self._take_turn(user.name, session.address)
        await self.users.change_password(user.name, old, new, _actor(user))
        for limit, key in taken:
            limit.give_back(key)
        await self.sessions.revoke_others(user.name, session.id, _actor(user))

    async def principal_of_session(self, token: str) -> SignedIn | None:
        return await self.sessions.by_token(token)

    async def principal_of_key(self, text: str) -> Principal | None:
        return await self.keys.by_text(text)

    async def purge(self) -> int:
        """Forget sessions and answered requests that are over, all of them. Returns how many. Call it now and then."""
        total = 0
        for purge in (self.sessions.purge, self._purge_answers):
            while purged := await purge():
                total += purged
        return total

    async def _purge_answers(self, limit: int = 500) -> int:
        where = (Where("expires_at", "<", self._clock.now()),)
        page = await self._engine.find(Query(ANSWERED, where, ("expires_at",), limit))
        if page.items:
            await self._engine.commit(Step(deletions=[(AnsweredRequest, each.id) for each in page.items]))
        return len(page.items)

    def _take_turn(self, name: str, address: str) -> list[tuple[TokenBuckets, str]]:
        """One try of each limit, returned when the try succeeds. Raises Throttled when one has none left."""
        site = rate_name(parse_address(address))
        now = self._clock.now()
        taken: list[tuple[TokenBuckets, str]] = []
        for limit, key in zip(self._limits, (f"{name}\x1f{site}", name, site), strict=True):
            wait = limit.take(key, now)
            if wait > 0:
                for held, held_key in taken:
                    held.give_back(held_key)
                raise Throttled("too many attempts to sign in; wait and try again", wait)
            taken.append((limit, key))
        return taken

    async def _note_failure(self, name: str, user: User | None, address: str) -> None:
        now = self._clock.now()
        event = audited(now, Actor(kind="agent", id=name), "sign-in-failed", name, {"address": address})

        async def attempt() -> None:
            fresh = await load(self._engine, User, user_id(name)) if user is not None else None
            step = Step(events=[event])
            if fresh is not None:
                recent = [each for each in fresh.failed_sign_ins if each > now - FAILURES_KEPT_FOR]
                kept = (*recent, now)[-FAILURES_KEPT:]
                step.documents.append(changed(fresh, {"failed_sign_ins": kept}))
            await self._engine.commit(step)

        await decided_again(attempt)


def _actor(user: User) -> Actor:
    return Actor(kind="agent", id=user.name, name=user.title or user.name)
