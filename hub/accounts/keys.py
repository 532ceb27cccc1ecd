"""API keys: shown once, kept as a hash, with scopes and roles of their own."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.accounts.credentials import KEY_MARK, key_id, new_key
from hub.accounts.records import audited, changed, created, decided_again, load
from schemas.accounts import KEYS, ApiKey, Principal, Role, Scope
from schemas.errors import Conflict, Invalid, Unknown
from schemas.events import Actor
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Page, Query, Step

CACHED_FOR = timedelta(seconds=10)
CACHED_AT_MOST = 1000
KEY_LENGTH_AT_MOST = 100
NAME_LENGTH_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class _Remembered:
    key: ApiKey
    until: datetime


class Keys:
    """Looked up at most every ten seconds a key; a revocation through this process holds at once."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._cache: OrderedDict[UUID, _Remembered] = OrderedDict()

    async def create(
        self,
        name: str,
        scopes: Sequence[Scope],
        roles: Mapping[str, Role],
        actor: Actor,
        expires_at: datetime | None = None,
        seed: bytes = b"",
    ) -> tuple[ApiKey, str]:
        """A key and its text, which is returned once and kept nowhere.

        `seed` is a secret made from the request: asked again, because the answer did not arrive, it is the same key.
        """
        now = self._clock.now()
        problems: dict[str, str] = {}
        if not 0 < len(name.strip()) <= NAME_LENGTH_AT_MOST:
            problems["name"] = said(
                "say what the key is for, in at most {n} characters", n=NAME_LENGTH_AT_MOST
            )
        if not scopes:
            problems["scopes"] = said("name at least one of {names}", names=", ".join(Scope))
        if expires_at is not None and expires_at <= now:
            problems["expires_at"] = "give a time to come"
        if problems:
            raise Invalid("the key was not made", problems)
        fresh = new_key(seed)
        key = ApiKey(
            id=key_id(fresh.text),
            name=name.strip(),
            prefix=fresh.prefix,
            last_four=fresh.last_four,
            scopes=tuple(dict.fromkeys(scopes)),
            roles=dict(roles),
            created_at=now,
            created_by=actor.id,
            expires_at=expires_at,
        )
        event = audited(
            now, actor, "key-created", str(key.id), {"name": key.name, "scopes": " ".join(key.scopes)}
        )
        try:
            await self._engine.commit(Step(documents=[created(key)], events=[event]))
        except Conflict:
            if not seed:
                raise
        return await self.get(key.id), fresh.text

    async def get(self, id: UUID) -> ApiKey:
        key = await load(self._engine, ApiKey, id)
        if key is None:
            raise Unknown("there is no such key")
        return key

    async def list(self, limit: int = 50, after: str | None = None) -> Page[ApiKey]:
        page = await self._engine.find(Query(KEYS, order=("name",), limit=limit, after=after))
        return Page([each for each in page.items if isinstance(each, ApiKey)], page.next)

    async def revoke(self, id: UUID, actor: Actor) -> ApiKey:
        """The key is no longer good. Revoking it again changes nothing."""

        async def attempt() -> ApiKey:
            key = await self.get(id)
            if key.revoked_at is not None:
                return key
            now = self._clock.now()
            event = audited(now, actor, "key-revoked", str(id), {"name": key.name})
            await self._engine.commit(Step(documents=[changed(key, {"revoked_at": now})], events=[event]))
            return await self.get(id)

        try:
            return await decided_again(attempt)
        finally:
            self._cache.pop(id, None)

    async def by_text(self, text: str) -> Principal | None:
        """Who asks with this key; None when it is unknown, expired or revoked."""
        if len(text) > KEY_LENGTH_AT_MOST or not text.startswith(f"{KEY_MARK}_"):
            return None
        key = await self._known(key_id(text))
        if key is None or not self._is_good(key):
            return None
        return Principal(
            kind="key", id=str(key.id), name=key.name, roles=key.roles, scopes=frozenset(key.scopes)
        )

    async def _known(self, id: UUID) -> ApiKey | None:
        now = self._clock.now()
        remembered = self._cache.get(id)
        if remembered is not None and now < remembered.until:
            return remembered.key
        self._cache.pop(id, None)
        key = await load(self._engine, ApiKey, id)
        if key is not None and self._is_good(key):
            self._cache[id] = _Remembered(key, now + CACHED_FOR)
            if len(self._cache) > CACHED_AT_MOST:
                self._cache.popitem(last=False)
        return key

    def _is_good(self, key: ApiKey) -> bool:
        return key.revoked_at is None and (key.expires_at is None or self._clock.now() < key.expires_at)
