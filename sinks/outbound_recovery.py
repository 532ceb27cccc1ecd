"""What becomes of a message whose sender is gone, or whose sender was taken for gone and is not."""

from collections.abc import Container
from datetime import datetime
from uuid import UUID

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.errors import Conflict
from schemas.members import Membership
from schemas.outbound import DeliveryState
from schemas.ports import Clock, Engine, Receipt, ReceiptStatus
from schemas.steps import Query, References, Step, Where
from sinks.outbound_results import LATE, Ended, ended

INTERRUPTED = "the hub stopped while the message was being sent; it may have arrived"
PAGE = 500
TOLD_TWICE = 3


class Recovery:
    """`busy`: the conversations in which this process sends."""

    def __init__(self, engine: Engine, clock: Clock, members: Membership, busy: Container[str]) -> None:
        self._engine = engine
        self._clock = clock
        self._members = members
        self._busy = busy
        self._not_sent: dict[UUID, int] = {}

    def was_not_sent(self, delivery: Delivery) -> None:
        """It may stand as `sending` by this process, and was not given to its channel."""
        self._not_sent[delivery.id] = delivery.attempts

    def is_being_sent(self, delivery: Delivery) -> None:
        self._not_sent.pop(delivery.id, None)

    async def run(self) -> int:
        """What is `sending` by a process that is gone, or by this one which knows nothing of it, is unknown now.

        What a live process sends is left alone. Returns how many became unknown. Raises Outage.
        """
        recovered = 0
        after: str | None = None
        while True:
            query = Query(DELIVERIES, (Where("state", "=", DeliveryState.SENDING),), (), PAGE, after)
            page = await self._engine.find(query)
            sending = [each for each in page.items if isinstance(each, Delivery)]
            senders = {each.sender for each in sending if each.sender is not None}
            gone = await self._members.gone(senders - {self._members.id})
            for each in sending:
                if self._is_left(each, gone):
                    recovered += await self._recovered(each)
            if page.next is None:
                return recovered
            after = page.next

    def _is_left(self, delivery: Delivery, gone: set[UUID]) -> bool:
        if delivery.message.conversation in self._busy:
            return False  # we are at it, under whichever name others know us now
        return delivery.sender in (None, self._members.id) or delivery.sender in gone

    async def _recovered(self, delivery: Delivery) -> bool:
        is_ours = delivery.sender == self._members.id
        if is_ours and self._not_sent.pop(delivery.id, None) == delivery.attempts:
            receipt = Receipt(ReceiptStatus.RETRY, reason="the store did not answer", retry_after_seconds=1)
        else:
            receipt = Receipt(ReceiptStatus.UNKNOWN, reason=INTERRUPTED)
        result = ended(delivery, receipt, self._clock.now())
        try:
            await self._engine.commit(result.into(Step()))
        except Conflict:
            return False  # its sender has told what became of it, or another has been here
        return receipt.status is ReceiptStatus.UNKNOWN

    async def told_late(self, delivery: Delivery, receipt: Receipt) -> None:
        """The channel answered a message that is no longer as we left it.

        Others took us for gone and called it unknown: what the channel said settles that. If anything else became of it, a
        person has decided, or this very answer is kept already. Raises Outage.
        """
        if receipt.status not in (ReceiptStatus.SENT, ReceiptStatus.FAILED):
            return
        for _ in range(TOLD_TWICE):
            current = await self._load(delivery.id)
            if current is None or not _is_unknown_since(current, delivery):
                return
            try:
                await self._engine.commit(_late(current, receipt, self._clock.now()).into(Step()))
            except Conflict:
                continue
            return

    async def _load(self, id: UUID) -> Delivery | None:
        found = (await self._engine.load(References(documents={Delivery: {id}}))).documents.get(id)
        return found if isinstance(found, Delivery) else None


def _is_unknown_since(current: Delivery, sending: Delivery) -> bool:
    return current.state is DeliveryState.UNKNOWN and current.attempts == sending.attempts


def _late(current: Delivery, receipt: Receipt, now: datetime) -> Ended:
    return ended(current, receipt, now, consumer=LATE)
