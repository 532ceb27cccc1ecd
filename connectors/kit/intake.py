"""The one way in: what a connector accepted goes to the log durably before its source is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from schemas.accounts import AnsweredRequest
from schemas.errors import Conflict, Outage
from schemas.events import Event
from schemas.ids import derive, part_id
from schemas.interactions import InteractionEvent, InteractionIgnored
from schemas.letters import QuarantineItem
from schemas.parking import Quarantined
from schemas.ports import Clock, Engine
from schemas.steps import Blob, References, Step


@dataclass(frozen=True, slots=True)
class Accepted:
    """One item of a source: its original, and either what it says or why it could not be read."""

    item: UUID
    original: Blob
    interactions: tuple[InteractionEvent, ...] = ()
    blobs: tuple[Blob, ...] = field(default=())
    quarantined: Quarantined | None = None


def interaction_event(data: InteractionEvent) -> Event:
    """The event of one part of an item. Its id derives from the item, so a redelivery makes the same one."""
    id = part_id(data.part.item, data.part.index)
    return Event(
        id=id,
        key=data.conversation,
        time=data.received_at,
        data=data,
        source=f"/connectors/{data.channel}/{data.account}",
        correlation=id,
    )


def quarantine_event(data: Quarantined) -> Event:
    id = derive("quarantined", data.item.hex)
    return Event(
        id=id,
        key=data.item.hex,
        time=data.received_at,
        data=data,
        source=f"/connectors/{data.channel}/{data.account}",
        correlation=id,
    )


Told = Callable[[str, str, str], None]
Scan = Callable[[Accepted], Awaitable[Accepted]]
"""The item without the bytes of files that may not be kept."""


class Intake:
    """Accepts items. When `accept` returns, they are durable; when it raises Outage, nothing of them is."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        told: Told = lambda channel, account, outcome: None,
        scan: Scan | None = None,
    ) -> None:
        """`told` is called with channel, account and outcome for each item that is on the log; `scan` looks at files first."""
        self._engine = engine
        self.clock = clock
        self._told = told
        self._scan = scan

    async def accept(self, accepted: Accepted) -> None:
        accepted = await self._scanned(accepted)
        blobs = [accepted.original, *accepted.blobs]
        if accepted.quarantined is None:
            await self._engine.commit(
                Step(blobs=blobs, events=[interaction_event(each) for each in accepted.interactions])
            )
            self._tell(accepted)
            return
        event = quarantine_event(accepted.quarantined)
        item = _quarantine_item(accepted.quarantined)
        try:
            await self._engine.commit(Step(blobs=blobs, events=[event], documents=[(item, 0)]))
        except Conflict:  # it lies there already: the source gave it again
            await self._engine.commit(Step(blobs=blobs, events=[event]))
        self._told(accepted.quarantined.channel, accepted.quarantined.account, "quarantined")

    async def accept_once(self, accepted: Accepted, answer: AnsweredRequest) -> AnsweredRequest:
        """Accept an item whose sender named it by a key of his own, and keep `answer` with it under the id of that key.

        Returns the answer that stands: this one, or the one kept when the key was used before; nothing is written then.
        Another digest in it says that the sender used one key for two things. Costs no query unless the key was used.
        """
        accepted = await self._scanned(accepted)
        events = [interaction_event(each) for each in accepted.interactions]
        step = Step(blobs=[accepted.original, *accepted.blobs], events=events, documents=[(answer, 0)])
        try:
            await self._engine.commit(step)
        except Conflict as conflict:
            return await self._answer_before(answer.id, conflict)
        self._tell(accepted)
        return answer

    async def knows(self, accepted: Accepted) -> bool:
        """Whether all of an item was handled or lies in quarantine already. False where that is not sure: accept it then."""
        references = References()
        if accepted.quarantined is not None:
            references.want(QuarantineItem, accepted.item)
            return accepted.item in (await self._engine.load(references)).documents
        events = {part_id(each.part.item, each.part.index) for each in accepted.interactions}
        references.handled |= events
        return events <= (await self._engine.load(references)).handled

    async def _scanned(self, accepted: Accepted) -> Accepted:
        return accepted if self._scan is None or not accepted.blobs else await self._scan(accepted)

    def _tell(self, accepted: Accepted) -> None:
        for each in accepted.interactions:
            outcome = "ignored" if isinstance(each, InteractionIgnored) else "received"
            self._told(each.channel, each.account, outcome)

    async def _answer_before(self, id: UUID, conflict: Conflict) -> AnsweredRequest:
        references = References()
        references.want(AnsweredRequest, id)
        kept = (await self._engine.load(references)).documents.get(id)
        if not isinstance(kept, AnsweredRequest):  # swept away between the two: the next try is the first
            raise Outage("the answer to this key is being removed", retry_after_seconds=1) from conflict
        return kept


def _quarantine_item(data: Quarantined) -> QuarantineItem:
    return QuarantineItem(
        id=data.item,
        channel=data.channel,
        account=data.account,
        original=data.original,
        stage=data.stage,
        reason=data.reason,
        received_at=data.received_at,
        envelope=data.envelope,
    )
