"""What vendors granted to accounts by a page of theirs: tokens, kept durably and sealed, renewed by one process at a time."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from schemas.connecting import GRANTS, Grant, grant_id
from schemas.errors import Conflict, Invalid
from schemas.ports import Clock, Engine
from schemas.steps import Query, References, Step, Where

HEADER = {"alg": "dir", "enc": "A256GCM"}
"""RFC 7516: authenticated, with the key itself."""
RENEWING_FOR = timedelta(seconds=60)
"""Longer than the call to a vendor may take. A process that dies at it holds others up for so long."""
PAGE = 500
TRIES = 5


class Grants:
    """Of all accounts. `secret` has 32 bytes and is the installation's, for this alone."""

    def __init__(self, engine: Engine, clock: Clock, secret: bytes) -> None:
        self._engine = engine
        self._clock = clock
        self._key = OctKey.import_key(secret[:32])

    async def all(self, channel: str, account: str) -> Sequence[Grant]:
        """Those that ended too. Raises Outage."""
        where = (Where("channel", "=", channel), Where("account", "=", account))
        found: list[Grant] = []
        after: str | None = None
        while True:
            page = await self._engine.find(Query(GRANTS, where, (), PAGE, after))
            found += [each for each in page.items if isinstance(each, Grant)]
            if (after := page.next) is None:
                return found

    async def keep(
        self,
        channel: str,
        account: str,
        name: str,
        title: str,
        tokens: Mapping[str, str],
        good_until: datetime | None,
    ) -> Grant:
        """Granted just now, for the first time or again. Durable when it returns. Raises Outage."""
        id = grant_id(channel, account, name)
        for _ in range(TRIES):
            before = await self._load(id)
            revision = before.revision if before is not None else 0
            made = Grant(
                id=id,
                revision=revision + 1,
                channel=channel,
                account=account,
                name=name,
                title=title[:200],
                sealed=self._seal(id.hex, tokens),
                granted_at=self._clock.now(),
                good_until=good_until,
            )
            try:
                await self._engine.commit(Step(documents=[(made, revision)]))
            except Conflict:
                continue
            return made
        raise Conflict(f"{channel} {account}: {name} is granted by others all the time")

    def tokens(self, grant: Grant) -> dict[str, str]:
        """What was sealed. Raises Invalid where it was sealed with another secret, or for another grant."""
        try:
            found = json.loads(jwe.decrypt_compact(grant.sealed, self._key).plaintext or b"")
        except (JoseError, ValueError) as error:
            raise Invalid(f"what {grant.name} granted cannot be opened: {type(error).__name__}") from error
        if found.pop("grant", "") != grant.id.hex:
            raise Invalid(f"what {grant.name} granted belongs to another")
        return {str(name): str(value) for name, value in found.items()}

    async def begin_renewal(self, grant: Grant) -> Grant | None:
        """This process renews it now; give what comes back to `renewed`. None: another one does, or did. Raises Outage."""
        now = self._clock.now()
        if grant.ended_at is not None or (grant.renewing_until is not None and grant.renewing_until > now):
            return None
        return await self._change(grant, renewing_until=now + RENEWING_FOR)

    async def renewed(
        self, grant: Grant, tokens: Mapping[str, str], good_until: datetime | None
    ) -> Grant | None:
        """None: it was granted anew or ended meanwhile, and that counts. Raises Outage."""
        sealed = self._seal(grant.id.hex, tokens)
        return await self._change(grant, sealed=sealed, good_until=good_until, renewing_until=None)

    async def end(self, known: Grant, reason: str) -> None:
        """Its tokens are forgotten, unless it was granted anew since. Raises Outage."""
        for _ in range(TRIES):
            grant = await self._load(known.id)
            if grant is None or grant.ended_at is not None or grant.granted_at != known.granted_at:
                return
            if await self._change(grant, sealed="", ended_at=self._clock.now(), reason=reason[:500]):
                return

    async def _change(self, grant: Grant, **update: object) -> Grant | None:
        changed = grant.model_copy(update={**update, "revision": grant.revision + 1})
        try:
            await self._engine.commit(Step(documents=[(changed, grant.revision)]))
        except Conflict:
            return None
        return changed

    async def _load(self, id: UUID) -> Grant | None:
        found = (await self._engine.load(References(documents={Grant: {id}}))).documents
        return next((each for each in found.values() if isinstance(each, Grant)), None)

    def _seal(self, grant: str, tokens: Mapping[str, str]) -> str:
        """The name of the grant is inside, so that one cannot be put in another's place."""
        return jwe.encrypt_compact(HEADER, json.dumps({**tokens, "grant": grant}).encode(), self._key)
