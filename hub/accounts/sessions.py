"""Sessions of the console: a random token in a cookie, of which only a hash is kept."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hub.accounts.credentials import new_token, session_id
from hub.accounts.records import audited, changed, load
from schemas.accounts import SESSIONS, Principal, Session, User, user_id
from schemas.errors import Conflict, Unknown
from schemas.events import Actor
from schemas.ids import sha256
from schemas.ports import Clock, Engine
from schemas.steps import Page, Query, Step, Where

TOKEN_LENGTH_AT_MOST = 100
AGENT_LENGTH_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session ends when it was not used for `idle`, and after `longest` in any case. `code`: so long one waits for it."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=7)
    seen_every: timedelta = timedelta(minutes=5)
    code: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to, now: the user's rights are read with each request."""

    principal: Principal
    session: Session
    user: User


def began_with_one_time_password(user: User, session: Session) -> bool:
    """Whether the user's password is a one-time password that was typed to open this session: it need not be typed again."""
    return bool(session.one_time) and user.must_change_password and session.one_time == digest_of(user)


def digest_of(user: User) -> str:
    return sha256(user.password_hash.encode())


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session as it will be stored, and its token."""

    token: str = field(repr=False)
    session: Session


def principal_of(user: User) -> Principal:
    return Principal(kind="agent", id=user.name, name=user.title or user.name, roles=user.roles)


class Sessions:
    def __init__(self, engine: Engine, clock: Clock, limits: SessionLimits) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = limits
        self.endings = 0
        """How many this process ended: a stream that sees it move asks whether it may go on, and need not wait."""

    def opened(
        self,
        user: User,
        address: str,
        agent: str,
        *,
        awaits_code: bool = False,
        provider: str = "",
        one_time: str = "",
    ) -> Opened:
        """A session to be written by who calls, with the sign-in's other changes."""
        token = new_token()
        now = self._clock.now()
        session = Session(
            id=session_id(token),
            user=user.name,
            csrf=new_token(),
            created_at=now,
            seen_at=now,
            expires_at=now + (self._limits.code if awaits_code else self._limits.longest),
            address=address,
            agent=agent[:AGENT_LENGTH_AT_MOST],
            awaits_code=awaits_code,
            provider=provider,
            one_time=one_time,
        )
        return Opened(token, session)

    async def by_token(self, token: str) -> SignedIn | None:
        """Whose session this is; None when it is unknown, over, revoked, without its code, or its user not active."""
        session = await self._by_token(token)
        if session is None or session.awaits_code:
            return None
        user = await load(self._engine, User, user_id(session.user))
        if user is None or not user.active:
            return None
        await self._see(session)
        return SignedIn(principal_of(user), session, user)

    async def awaiting(self, token: str) -> Session | None:
        """The session that waits for the code of a second factor."""
        session = await self._by_token(token)
        return session if session is not None and session.awaits_code else None

    async def _by_token(self, token: str) -> Session | None:
        if not token or len(token) > TOKEN_LENGTH_AT_MOST:
            return None
        session = await load(self._engine, Session, session_id(token))
        return None if session is None or self._is_over(session) else session

    async def list(self, user: str, limit: int = 50, after: str | None = None) -> Page[Session]:
        """Sessions of a user that are not over."""
        page = await self._engine.find(
            Query(
                SESSIONS,
                (Where("user", "=", user), Where("expires_at", ">", self._clock.now())),
                (),
                limit,
                after,
            )
        )
        open_ones = [each for each in page.items if isinstance(each, Session) and not self._is_over(each)]
        return Page(open_ones, page.next)

    async def get(self, id: UUID) -> Session:
        session = await load(self._engine, Session, id)
        if session is None or self._is_over(session):
            raise Unknown("there is no such session, or it is over")
        return session

    async def revoke(self, id: UUID, actor: Actor, action: str = "session-revoked") -> None:
        """End a session now. Raises Unknown when there is none."""
        session = await self.get(id)
        event = audited(self._clock.now(), actor, action, session.user, {"session": str(id)})
        await self._engine.commit(Step(deletions=[(Session, id)], events=[event]))
        self.endings += 1

    async def revoke_others(self, user: str, keep: UUID | None, actor: Actor) -> int:
        """End all sessions of a user but one. Returns how many."""
        others = [each for each in (await self.list(user, limit=1000)).items if each.id != keep]
        if others:
            event = audited(self._clock.now(), actor, "sessions-revoked", user, {"count": str(len(others))})
            await self._engine.commit(Step(deletions=[(Session, each.id) for each in others], events=[event]))
            self.endings += 1
        return len(others)

    async def purge(self, limit: int = 500) -> int:
        """Forget sessions that are over. Returns how many."""
        page = await self._engine.find(
            Query(SESSIONS, (Where("expires_at", "<", self._clock.now()),), ("expires_at",), limit)
        )
        if page.items:
            await self._engine.commit(Step(deletions=[(Session, each.id) for each in page.items]))
        return len(page.items)

    def _is_over(self, session: Session) -> bool:
        now = self._clock.now()
        return now >= session.expires_at or now >= session.seen_at + self._limits.idle

    async def _see(self, session: Session) -> None:
        """Note now and then that the session is used; a write with each request would be one fsync each."""
        now = self._clock.now()
        if now < session.seen_at + self._limits.seen_every:
            return
        try:
            await self._engine.commit(Step(documents=[changed(session, {"seen_at": now})]))
        except Conflict:
            return  # another request noted it, or the session was revoked meanwhile
