"""The one way in: what a connector accepted goes to the log durably before its source is answered."""

from dataclasses import dataclass, field
from uuid import UUID

from schemas.documents import QuarantineItem
from schemas.errors import Conflict
from schemas.events import Event
from schemas.ids import derive, part_id
from schemas.interactions import InteractionEvent
from schemas.parking import Quarantined
from schemas.ports import Blob, Clock, Engine, Step


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


class Intake:
    """Accepts items. When `accept` returns, they are durable; when it raises Outage, nothing of them is."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock

    async def accept(self, accepted: Accepted) -> None:
        blobs = [accepted.original, *accepted.blobs]
        if accepted.quarantined is None:
            await self._engine.commit(Step(blobs=blobs, events=[interaction_event(each) for each in accepted.interactions]))
            return
        event = quarantine_event(accepted.quarantined)
        item = _quarantine_item(accepted.quarantined)
        try:
            await self._engine.commit(Step(blobs=blobs, events=[event], documents=[(item, 0)]))
        except Conflict:  # it lies there already: the source gave it again
            await self._engine.commit(Step(blobs=blobs, events=[event]))


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
