"""The sending queue as the log tells it. What it does not tell the end of may have been sent: it is never sent again by machine."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from hub.catching_up.reading import chunks, since
from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.outbound import (
    DeliveryEvent,
    DeliveryFailed,
    DeliverySent,
    DeliverySettled,
    DeliveryState,
    OutboundQueued,
)
from schemas.ports import Engine
from schemas.steps import Query, References, Step, Where
from schemas.topics import Topic
from sinks.outbound import queued

QUEUED_SINCE = {"outbound": (Topic.OUTBOUND,)}
TOLD_SINCE = {"cases": (Topic.DELIVERIES,)}
OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
PAGE = 500


class Outbound:
    """What has no end on the log is left as `sending` by nobody: the next start calls it unknown, and says so on the log."""

    def __init__(self, engine: Engine, counts: Counter[str], now: datetime) -> None:
        self._engine = engine
        self._counts = counts
        self._now = now
        self._told: dict[UUID, DeliveryEvent] = {}

    async def run(self) -> None:
        positions = await self._engine.positions()
        async for records in chunks(self._engine, (Topic.DELIVERIES,), since(positions, TOLD_SINCE)):
            for each in records:
                if each.event is not None and isinstance(each.event.data, DeliveryEvent):
                    self._told[each.event.data.message] = each.event.data
        await self._end_open()
        async for records in chunks(self._engine, (Topic.OUTBOUND,), since(positions, QUEUED_SINCE)):
            found = [each for each in records if each.event and isinstance(each.event.data, OutboundQueued)]
            deliveries = {each.id: each for each in map(queued, found)}
            known = (await self._engine.load(References(documents={Delivery: set(deliveries)}))).documents
            await self._store([(each, 0) for id, each in deliveries.items() if id not in known])

    async def _end_open(self) -> None:
        """What stands in the store as not yet ended."""
        states = tuple(map(str, OPEN))
        after: str | None = None
        waiting: list[tuple[Delivery, int]] = []
        while True:
            page = await self._engine.find(
                Query(DELIVERIES, (Where("state", "in", states),), (), PAGE, after)
            )
            waiting += [(each, each.revision) for each in page.items if isinstance(each, Delivery)]
            if (after := page.next) is None:
                break
        await self._store(waiting)

    async def _store(self, deliveries: Iterable[tuple[Delivery, int]]) -> None:
        step = Step()
        for delivery, revision in deliveries:
            now = self._ended(delivery)
            if now is not delivery or not revision:
                step.documents.append((now.model_copy(update={"revision": revision + 1}), revision))
                self._counts[
                    f"messages: {'unknown' if now.state is DeliveryState.SENDING else now.state}"
                ] += 1
        if step.documents:
            await self._engine.commit(step)

    def _ended(self, delivery: Delivery) -> Delivery:
        told = self._told.get(delivery.id)
        change: dict[str, object] = {"changed_at": self._now, "sender": None}
        if told is None or (isinstance(told, DeliverySettled) and told.state is DeliveryState.QUEUED):
            if told is None and delivery.state is DeliveryState.UNKNOWN:
                return delivery
            change |= {"state": DeliveryState.SENDING, "attempts": delivery.attempts + 1}
        elif isinstance(told, DeliverySettled):
            change |= {"state": told.state}
        elif isinstance(told, DeliverySent):
            change |= {
                "state": DeliveryState.SENT,
                "attempts": told.attempts,
                "external_id": told.external_id,
                "parts": told.parts,
            }
        else:
            state = DeliveryState.FAILED if isinstance(told, DeliveryFailed) else DeliveryState.UNKNOWN
            change |= {"state": state, "attempts": told.attempts, "reason": getattr(told, "reason", "")}
        return delivery.model_copy(update=change)
