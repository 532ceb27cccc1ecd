"""Blocked senders: by address from a case, by domain, taken back with what they wrote meanwhile; suggested from what was spam."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from hub.accounts.records import audited, created, decided_again, load
from hub.service import Service, actor_of
from processors.mail_domains import is_shared
from schemas.accounts import Principal, Role, Scope
from schemas.blocking import BLOCKS, DOMAIN, HELD, TYPED, Block, HeldMessage, block_id, domain_of
from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.documents import Case, Handle
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.events import Event
from schemas.ids import derive
from schemas.interactions import InteractionReceived
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import START, Page, Query, References, Step, Where
from schemas.topics import Topic

KEPT_FOR = timedelta(days=90)
"""So long what was held is listed; on the log it stays."""
RELEASED_AT_MOST = 100
SPAM_LOOKED_AT = 500
SUGGESTED_AT_MOST = 10
LONGEST_VALUE = 320
CONVERSATION_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A sender of whom cases were marked as spam, and who is not blocked."""

    scheme: str
    value: str
    cases: int


class Blocks:
    """Agents block whoever wrote a case of theirs; domains, and taking back, are for supervisors of every queue."""

    def __init__(self, engine: Engine, clock: Clock, service: Service) -> None:
        self._engine = engine
        self._clock = clock
        self._service = service

    async def block_writer(self, principal: Principal, case: Case, note: str = "") -> Block:
        """Whoever wrote the case. Done already is done. Raises Unknown for a case that the principal does not read."""
        _must_write(principal)
        case = await self._service.case(principal, case.id)
        handle = await load(self._engine, Handle, case.handle)
        if handle is None:
            raise Unknown("nothing is known of who wrote this case")
        return await self._block(principal, handle.scheme.removesuffix(TYPED), handle.value, note, case.id)

    async def block(self, principal: Principal, scheme: str, value: str, note: str = "") -> Block:
        """An address, a name in a network, or (`domain`) all mail from below a domain. Raises Invalid."""
        _must_supervise(principal)
        value = value.strip().lower()
        if not 0 < len(value) <= LONGEST_VALUE or any(letter.isspace() for letter in value):
            raise Invalid("nobody was blocked", {"value": "name an address or a domain"})
        if scheme == DOMAIN:
            value = value.removeprefix("@")
            if "." not in value or "@" in value:
                raise Invalid("nobody was blocked", {"value": "name a domain, such as spam.example"})
            if is_shared(value):
                raise Invalid(
                    "nobody was blocked",
                    {"value": said("many people have addresses of {value}", value=value)},
                )
        elif scheme == "email" and not domain_of(value):
            raise Invalid("nobody was blocked", {"value": "name an address, such as ann@spam.example"})
        return await self._block(principal, scheme, value, note, None)

    async def unblock(self, principal: Principal, id: UUID, *, release: bool) -> int:
        """Hear from them again. `release`: what was held comes in now, as if it were new. Returns how much.

        Who blocked somebody may take that back; else it is for supervisors.
        """
        _must_write(principal)
        block = await load(self._engine, Block, id)
        if block is None:
            raise Unknown("nobody is blocked by this")
        if block.by.id != principal.id:
            _must_supervise(principal)
        held = (await self.held(id, RELEASED_AT_MOST)).items if release else []
        events = [event for each in held if (event := await self._again(each)) is not None]
        detail = {"value": block.value, "released": str(len(events))}
        told = audited(self._clock.now(), actor_of(principal), "sender-unblocked", str(id), detail)
        deletions: list[tuple[type, UUID]] = [(Block, id), *((HeldMessage, each.id) for each in held)]
        await self._engine.commit(Step(events=[told, *events], deletions=deletions))
        return len(events)

    async def list(self, limit: int = 50, after: str | None = None) -> Page[Block]:
        page = await self._engine.find(Query(BLOCKS, order=("-since",), limit=limit, after=after))
        return Page([each for each in page.items if isinstance(each, Block)], page.next)

    async def get(self, id: UUID) -> Block:
        block = await load(self._engine, Block, id)
        if block is None:
            raise Unknown("nobody is blocked by this")
        return block

    async def held(self, block: UUID, limit: int = 50, after: str | None = None) -> Page[HeldMessage]:
        """What they wrote meanwhile, newest first."""
        where = (Where("block", "=", block),)
        page = await self._engine.find(Query(HELD, where, ("-received_at",), limit, after))
        return Page([each for each in page.items if isinstance(each, HeldMessage)], page.next)

    async def held_count(self, block: UUID) -> int:
        return await self._engine.count(Query(HELD, (Where("block", "=", block),)))

    async def suggestions(self) -> Sequence[Suggestion]:
        """Senders of the last cases that were marked as spam, those of most first."""
        where = (Where("state", "=", str(CaseState.SPAM)),)
        page = await self._engine.find(Query(CASES, where, ("-updated_at",), SPAM_LOOKED_AT))
        counts = Counter(each.handle for each in page.items if isinstance(each, Case))
        if not counts:
            return []
        found = (await self._engine.load(References(documents={Handle: set(counts)}))).documents
        senders: Counter[tuple[str, str]] = Counter()
        for id, count in counts.items():
            handle = found.get(id)
            if isinstance(handle, Handle):
                senders[handle.scheme.removesuffix(TYPED), handle.value] += count
        ids = {(scheme, value): block_id(scheme, value) for scheme, value in senders}
        blocked = (await self._engine.load(References(documents={Block: set(ids.values())}))).documents
        open_ones = [each for each in senders.most_common() if ids[each[0]] not in blocked]
        return [Suggestion(*sender, count) for sender, count in open_ones[:SUGGESTED_AT_MOST]]

    async def purge(self, limit: int = 500) -> int:
        """Forget what was held long ago. Returns how much."""
        where = (Where("received_at", "<", self._clock.now() - KEPT_FOR),)
        page = await self._engine.find(Query(HELD, where, ("received_at",), limit))
        if page.items:
            await self._engine.commit(Step(deletions=[(HeldMessage, each.id) for each in page.items]))
        return len(page.items)

    async def _block(
        self, principal: Principal, scheme: str, value: str, note: str, case: UUID | None
    ) -> Block:
        id, actor = block_id(scheme, value), actor_of(principal)

        async def attempt() -> Block:
            known = await load(self._engine, Block, id)
            if known is not None:
                return known
            now = self._clock.now()
            block = Block(id=id, scheme=scheme, value=value, note=note, case=case, by=actor, since=now)
            told = audited(now, actor, "sender-blocked", str(id), {"scheme": scheme, "value": value})
            await self._engine.commit(Step(documents=[created(block)], events=[told]))
            return await self.get(id)

        return await decided_again(attempt)

    async def _again(self, held: HeldMessage) -> Event | None:
        """The message once more, by an id of its own: the first was ignored, and stays so."""
        records = await self._engine.scan(
            [Topic.INTERACTIONS], START, CONVERSATION_AT_MOST, held.conversation
        )
        first = next((each.event for each in records if each.id == held.event), None)
        if first is None or not isinstance(first.data, InteractionReceived):
            return None
        return Event(
            id=derive("released", held.event.hex),
            key=first.key,
            time=self._clock.now(),
            data=first.data,
            source="/hub/blocking",
            correlation=first.correlation,
            causation=first.id,
        )


def _must_write(principal: Principal) -> None:
    if Scope.WRITE not in principal.scopes:
        raise Forbidden("this key may only read")


def _must_supervise(principal: Principal) -> None:
    _must_write(principal)
    if not principal.is_at_least(Role.SUPERVISOR):
        raise Forbidden("this needs the role supervisor in every queue ('*')")
