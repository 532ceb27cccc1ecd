"""(e) Every outbound message is exactly one of waiting, sent, failed, unknown or cancelled, and is what was queued."""

from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from hub.verify.gathered import CATCH_UPS, CHUNK, Fault, Gathered, Queued, fingerprint
from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.outbound import DeliveryEvent, DeliverySent, DeliverySettled, DeliveryState, OutboundQueued
from schemas.ports import Engine
from schemas.steps import START, Position, Query, References
from schemas.topics import Topic

WAITING = "waiting"
ENDED = {DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNKNOWN}


class Sending:
    """Compares the sending queue with what the log says was queued and what it says came of it."""

    def __init__(self, engine: Engine, gathered: Gathered, counts: Counter[str]) -> None:
        self._engine = engine
        self._gathered = gathered
        self._counts = counts

    async def faults(self, position: Position) -> AsyncIterator[Fault]:
        """`position`: where the consumer that fills the sending queue stood when the verification began."""
        unseen = {id: each.place for id, each in self._gathered.queued.items()}
        after: str | None = None
        while True:
            page = await self._engine.find(Query(DELIVERIES, limit=CHUNK, after=after))
            for delivery in page.items:
                assert isinstance(delivery, Delivery)
                unseen.pop(delivery.id, None)
                state = WAITING if delivery.state not in ENDED | {DeliveryState.CANCELLED} else delivery.state
                self._counts[f"outbound:{state}"] += 1
                for problem in await self._problems(delivery):
                    yield Fault("e", problem, str(delivery.id))
            if (after := page.next) is None:
                break
        for id, queued_at in unseen.items():
            if self._engine.covers(position, queued_at):
                yield Fault("e", "is queued on the log and not in the sending queue", str(id))
            else:
                self._counts[f"outbound:{WAITING}"] += 1

    async def _problems(self, delivery: Delivery) -> list[str]:
        gathered, id = self._gathered, delivery.id
        problems = problems_of(delivery, gathered.queued.get(id), gathered.ended.get(id), gathered.sent[id])
        return problems and await self._problems_by_now(delivery)

    async def _problems_by_now(self, delivery: Delivery) -> list[str]:
        """The hub may have got on with it since the log was read: look at both again, until they agree."""
        problems: list[str] = []
        for _ in range(CATCH_UPS):
            queued, told, sent = await self._told(delivery.id, delivery.message.conversation)
            found = (await self._engine.load(References(documents={Delivery: {delivery.id}}))).documents
            now = found[delivery.id]
            assert isinstance(now, Delivery)
            problems = problems_of(now, queued, told, sent)
            if not problems:
                break
        return problems

    async def _told(self, id: UUID, conversation: str) -> tuple[Queued | None, DeliveryEvent | None, int]:
        queued, told, sent = self._gathered.queued.get(id), None, 0
        counted: set[UUID] = set()
        after: Position = START
        topics = (Topic.OUTBOUND, Topic.DELIVERIES)
        while records := await self._engine.scan(topics, after, CHUNK, key=conversation):
            for record in records:
                data = record.event.data if record.event else None
                if isinstance(data, DeliveryEvent) and data.message == id:
                    if record.id in counted and not self._engine.is_one_order:
                        continue
                    counted.add(record.id)
                    told, sent = data, sent + isinstance(data, DeliverySent)
                elif isinstance(data, OutboundQueued) and data.message.message == id:
                    queued = Queued(record.place, fingerprint(data.message))
            after = records[-1].position
        return queued, told, sent


def problems_of(
    delivery: Delivery, queued: Queued | None, told: DeliveryEvent | None, sent: int
) -> list[str]:
    """What the log contradicts."""
    problems = []
    if queued is None:
        problems.append("is in the sending queue, and the log does not say that it was queued")
    elif queued.fingerprint != fingerprint(delivery.message):
        problems.append("is not the message that was queued")
    if sent > 1:
        problems.append(f"was sent {sent} times")
    if delivery.state in ENDED and told is None:
        problems.append(f"is {delivery.state}, and the log does not say so")
    if told is not None and delivery.state not in ENDED and not isinstance(told, DeliverySettled):
        problems.append(f"is {delivery.state}, and the log says {told.type}")
    return problems
