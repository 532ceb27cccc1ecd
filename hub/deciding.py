"""Runs the cases decider against an engine: load what it wants, decide, commit; load again when somebody was first."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from hub.company import Company
from hub.refolding import Refolding
from hub.staging import Staging
from processors.cases.decide import ROUNDS, Result, decide, leads_on, wants
from processors.cases.work import Facts
from schemas.capabilities import Capabilities, Count
from schemas.case_messages import CaseReplied
from schemas.errors import Conflict, HubbubError, Invalid, NotYet, Outage, Unknown
from schemas.events import Event
from schemas.ids import handle_id
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Engine
from schemas.steps import Found, OutcomeKind, Step

ATTEMPTS = 8
REQUEST_SECONDS = 4.0
"""After so long no further attempt is made: whoever asks is told to ask again, rather than nothing."""


class Deciding:
    """The decider with its facts. `answer_accounts`: brand -> the mail account that answers for it; the rest: see Facts."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        company: Company,
        secret: bytes,
        answer_accounts: Mapping[str, str],
        capabilities: Mapping[str, Capabilities] | None = None,
        counts: Mapping[str, Count] | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._company = company
        self._refolding = Refolding(engine)
        self._staging = Staging(engine, clock)
        self._answer_accounts = answer_accounts
        self.capabilities: Mapping[str, Capabilities] = capabilities or {}
        self._counts: Mapping[str, Count] = counts or {}

        @lru_cache(maxsize=100_000)
        def id_of(scheme: str, value: str) -> UUID:
            return handle_id(secret, scheme, value)

        self.handle_id = id_of

    def facts(self, refuse: bool = False) -> Facts:
        version = self._company.current
        return Facts(
            now=self._clock.now(),
            version=version.number,
            configuration=version.configuration,
            router=version.router,
            handle_id=self.handle_id,
            answer_accounts=self._answer_accounts,
            capabilities=self.capabilities,
            counts=self._counts,
            refuse=refuse,
        )

    async def load(self, inputs: Sequence[Event]) -> Found:
        """All that the decider wants to know of these inputs."""
        found = Found()
        for _ in range(ROUNDS):
            references = wants(inputs, found, self.handle_id)
            if not references:
                break
            more = await self._engine.load(references)
            await self._refolding.known(more)
            found.absorb(references, more)
            if not leads_on(found, more):
                break
        return found

    async def batch(self, inputs: Sequence[Event]) -> tuple[Step, list[Result]]:
        """Decide without committing."""
        work, results = decide(inputs, await self.load(inputs), self.facts())
        return work.finish(), results

    async def message(self, event: Event) -> OutboundMessage:
        """The message that a request would send, or raise what is wrong with it. Commits nothing."""
        work, results = decide([event], await self.load([event]), self.facts(refuse=True))
        _raise(results[0])
        return _message_of(work.finish())

    async def request(self, event: Event) -> None:
        """Decide one request and commit it, with the files that were uploaded for it, or raise what is wrong with it. Done
        already is done. Raises Outage where others change the case all the time, or do not come to an end with it."""
        began = time.monotonic()
        files = await self._staging.sent(getattr(event.data, "attachments", ()))
        for _ in range(ATTEMPTS):
            work, results = decide([event], await self.load([event]), self.facts(refuse=True))
            _raise(results[0])
            step = _durable(work.finish())
            step.blobs += files
            try:
                await self._engine.commit(step)
            except Conflict:
                # Somebody else changed the case meanwhile: look again, it may still be possible.
                if time.monotonic() - began > REQUEST_SECONDS:
                    break
                continue
            return
        raise Outage("the case is changed by many at once; try again", retry_after_seconds=0.5)


def _message_of(step: Step) -> OutboundMessage:
    replied = (each.data for each in step.events if isinstance(each.data, CaseReplied))
    found = next(replied, None)
    if found is None:
        raise Invalid("nothing would be sent")
    return found.message


def _durable(step: Step) -> Step:
    step.consumer = None  # a request has no position on the log
    return step


def _raise(result: Result) -> None:
    error = result.error
    if error is None:
        return
    if isinstance(error, NotYet):
        raise Unknown("there is no such case") from error
    if isinstance(error, HubbubError) or result.kind is OutcomeKind.DEAD_LETTERED:
        raise error
