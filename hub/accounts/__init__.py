"""Users, sessions and API keys, over documents of the engine."""

import secrets
from collections.abc import Collection
from datetime import timedelta

from connectors.kit.client_address import parse_address, rate_name
from hub.accounts.credentials import Passwords
from hub.accounts.errors import Throttled, Unauthenticated
from hub.accounts.factors import SecondFactors
from hub.accounts.identities import Identities
from hub.accounts.keys import Keys
from hub.accounts.records import audited, changed, created, decided_again, load
from hub.accounts.sessions import SessionLimits, Sessions, SignedIn, began_with_one_time_password
from hub.accounts.throttle import Budgets, Throttles, budgets_of, code_budgets_of, visit_budgets_of
from hub.accounts.users import Users, actor_of, canonical_name
from schemas.accounts import ANSWERED, AnsweredRequest, Principal, Role, Session, User, user_id
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.ids import sha256
from schemas.ports import Clock, Engine
from schemas.steps import Query, Step, Where

__all__ = [
    "Accounts",
    "SessionLimits",
    "SignedIn",
    "Throttled",
    "Unauthenticated",
    "began_with_one_time_password",
]

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
        secret: bytes | None = None,
        must_have_factor: Collection[Role] = (),
    ) -> None:
        """`secret`: what second factors are made from; without one they last as long as this process."""
        self._engine = engine
        self._clock = clock
        self._passwords = passwords or Passwords()
        self.users = Users(engine, clock, self._passwords)
        self.sessions = Sessions(engine, clock, limits or SessionLimits())
        self.keys = Keys(engine, clock)
        self.factors = SecondFactors(engine, clock, secret or secrets.token_bytes(32), must_have_factor)
        self.identities = Identities(engine, clock, self.sessions)
        self._throttles = Throttles(engine, clock)

    async def sign_in(self, name: str, password: str, address: str, agent: str) -> tuple[str, Session, User]:
        """A new session and its token. Raises Unauthenticated without telling what was wrong, or Throttled.

        Where the user has a second factor the session opens nothing until its code came (`enter_code`). A name that nobody has costs the same work as a wrong password.
        """
        name = canonical_name(name)[:NAME_LENGTH_AT_MOST]
        taken = await self._take_turn(name, address)
        user = await load(self._engine, User, user_id(name))
        stored = user.password_hash if user is not None and user.active else ""
        if not await self._passwords.verify(stored, password) or user is None:
            await self._note_failure(name, user, address)
            raise Unauthenticated(WRONG)
        await self._throttles.give_back(taken)
        rehashed = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else stored
        awaits = user.second_factor is not None
        one_time = sha256(rehashed.encode()) if user.must_change_password else ""
        opened = self.sessions.opened(user, address, agent, awaits_code=awaits, one_time=one_time)

        async def attempt() -> None:
            fresh = await self.users.get(name)
            has_factor = fresh.second_factor is not None
            if not fresh.active or fresh.password_hash != stored or has_factor is not awaits:
                raise Unauthenticated(WRONG)  # changed while we checked
            done = "password-accepted" if opened.session.awaits_code else "signed-in"
            event = audited(self._clock.now(), actor_of(fresh), done, name, {"address": address})
            step = Step(documents=[created(opened.session)], events=[event])
            if fresh.failed_sign_ins or rehashed != stored:
                changes = {"failed_sign_ins": (), "password_hash": rehashed}
                step.documents.append(changed(fresh, changes))
            await self._engine.commit(step)

        await decided_again(attempt)
        return opened.token, await self.sessions.get(opened.session.id), await self.users.get(name)

    async def enter_code(self, token: str, code: str, address: str, agent: str) -> tuple[str, Session, User]:
        """The code for a sign-in whose password was right: a session of its own. Raises Unauthenticated or Throttled."""
        waiting = await self.sessions.awaiting(token)
        if waiting is None:
            raise Unauthenticated("the sign-in is over; begin again")
        user = await self.use_code(waiting.user, code)
        opened = self.sessions.opened(user, address, agent, one_time=waiting.one_time)
        event = audited(self._clock.now(), actor_of(user), "signed-in", user.name, {"address": address})
        await self._engine.commit(
            Step(documents=[created(opened.session)], deletions=[(Session, waiting.id)], events=[event])
        )
        return opened.token, await self.sessions.get(opened.session.id), user

    async def use_code(self, name: str, code: str) -> User:
        """A try with a code. Raises Unauthenticated, or Throttled whoever tries: they know the password already."""
        taken = code_budgets_of(name)
        await self._throttles.take(taken)
        user = await self.users.get(name)
        try:
            await self.factors.use(name, code, actor_of(user))
        except Unauthenticated:
            event = audited(self._clock.now(), actor_of(user), "code-refused", name)
            await self._engine.commit(Step(events=[event]))
            raise
        await self._throttles.give_back(taken)
        user = await self.users.get(name)
        if not user.active:
            raise Unauthenticated(WRONG)
        return user

    async def visit(self, address: str) -> Budgets:
        """A turn to come back from a provider of single sign-on; give it back (`welcome`) to who was who they said. Raises Throttled."""
        budgets = visit_budgets_of(rate_name(parse_address(address)))
        await self._throttles.take(budgets)
        return budgets

    async def welcome(self, taken: Budgets) -> None:
        await self._throttles.give_back(taken)

    async def prove(self, session: Session, password: str) -> User:
        """That it is still the user who sits there, before what could lock them out. Raises Invalid, or Throttled."""
        user = await self.users.get(session.user)
        if session.provider:
            return user  # has no password here
        taken = await self._take_turn(user.name, session.address)
        if not await self._passwords.verify(user.password_hash, password):
            raise Invalid("nothing was changed", {"password": "this is not your password"})
        await self._throttles.give_back(taken)
        return user

    async def confirm_factor(self, session: Session, code: str) -> tuple[str, ...]:
        """The second factor is in use from now on, and sessions that came without it end. Returns the recovery codes, once."""
        user = await self.users.get(session.user)
        taken = code_budgets_of(user.name)
        await self._throttles.take(taken)
        codes = await self.factors.confirm(user.name, code, actor_of(user))
        await self._throttles.give_back(taken)
        await self.sessions.revoke_others(user.name, session.id, actor_of(user))
        return codes

    async def reset_factor(self, name: str, actor: Actor) -> None:
        """An administrator's help for who lost device and codes. All sessions of the user end."""
        user = await self.users.get(name)
        await self.factors.reset(user.name, actor)
        await self.sessions.revoke_others(user.name, None, actor)

    def must_set_up_factor(self, signed_in: SignedIn) -> bool:
        """Whether the session opens nothing but that. Who came by single sign-on was asked by the provider."""
        user, session = signed_in.user, signed_in.session
        return user.second_factor is None and not session.provider and self.factors.is_required(user)

    async def sign_out(self, session: Session) -> None:
        user = await self.users.get(session.user)
        await self.sessions.revoke(session.id, actor_of(user), "signed-out")

    async def change_password(self, session: Session, old: str, new: str) -> None:
        """The user's own change; `old` counts only where it was not just typed. All other sessions of the user end."""
        user = await self.users.get(session.user)
        if began_with_one_time_password(user, session):
            await self.users.replace_one_time_password(user, new)
        else:
            taken = await self._take_turn(user.name, session.address)
            await self.users.change_password(user.name, old, new, actor_of(user))
            await self._throttles.give_back(taken)
        await self.sessions.revoke_others(user.name, session.id, actor_of(user))

    async def principal_of_session(self, token: str) -> SignedIn | None:
        return await self.sessions.by_token(token)

    async def principal_of_key(self, text: str) -> Principal | None:
        return await self.keys.by_text(text)

    async def purge(self) -> int:
        """Forget sessions, answered requests and throttles that are over, all of them. Returns how many. Call it now and then."""
        total = 0
        for purge in (self.sessions.purge, self._purge_answers, self._throttles.purge):
            while purged := await purge():
                total += purged
        return total

    async def _purge_answers(self, limit: int = 500) -> int:
        where = (Where("expires_at", "<", self._clock.now()),)
        page = await self._engine.find(Query(ANSWERED, where, ("expires_at",), limit))
        if page.items:
            await self._engine.commit(Step(deletions=[(AnsweredRequest, each.id) for each in page.items]))
        return len(page.items)

    async def _take_turn(self, name: str, address: str) -> Budgets:
        """One try, to be given back when it succeeds. Raises Throttled when there is none left."""
        budgets = budgets_of(name, rate_name(parse_address(address)))
        await self._throttles.take(budgets)
        return budgets

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
