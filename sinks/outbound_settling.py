"""What may have been sent is asked for where the channel can be asked: found there it is sent, proven absent it is queued again."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.errors import Conflict, Outage
from schemas.outbound import DeliveryState
from schemas.ports import Clock, Deliverer, Engine, ReceiptStatus, Reconciler
from schemas.steps import Query, Step, Where
from sinks.outbound_results import SETTLED, ended

log = logging.getLogger("hubbub.outbound")

LOOK_SECONDS = 5.0
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)
ASKED_FOR = timedelta(days=1)
"""After that a person decides."""
PAGE = 200


@dataclass(slots=True)
class _Waiting:
    tries: int
    until: datetime


class Settling:
    """Asks the deliverers of those channels that can tell. Several processes may: of two answers the first counts."""

    def __init__(self, engine: Engine, clock: Clock, deliverers: Mapping[str, Deliverer]) -> None:
        self._engine = engine
        self._clock = clock
        self._reconcilers = {
            channel: cast(Reconciler, each)
            for channel, each in deliverers.items()
            if hasattr(each, "reconcile")
        }
        self._waiting: dict[UUID, _Waiting] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. Outages are waited for."""
        while self._reconcilers and not self._stopping.is_set():
            try:
                await self.once()
            except Outage as outage:
                log.debug("settling waits: %s", outage)
            except Exception:
                log.exception("settling failed and tries again")
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def once(self) -> int:
        """Ask for what is unknown and due to be asked for. Returns how many messages were settled. Raises Outage."""
        where = (
            Where("state", "=", DeliveryState.UNKNOWN),
            Where("channel", "in", tuple(self._reconcilers)),
        )
        page = await self._engine.find(Query(DELIVERIES, where, ("-next_attempt_at",), PAGE))
        unknown = [each for each in page.items if isinstance(each, Delivery)]
        self._waiting = {each.id: self._waiting[each.id] for each in unknown if each.id in self._waiting}
        settled = 0
        for each in unknown:
            if self._is_due(each):
                settled += await self._settle(each)
        return settled

    def _is_due(self, delivery: Delivery) -> bool:
        now = self._clock.now()
        if now - delivery.changed_at > ASKED_FOR:
            return False
        waiting = self._waiting.get(delivery.id)
        return waiting is None or waiting.until <= now

    async def _settle(self, delivery: Delivery) -> bool:
        reconciler = self._reconcilers[delivery.message.channel]
        receipt = await reconciler.reconcile(delivery.message, delivery.changed_at)
        if receipt is None or receipt.status not in (ReceiptStatus.SENT, ReceiptStatus.RETRY):
            before = self._waiting.get(delivery.id)
            tries = before.tries + 1 if before else 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries, 10))
            self._waiting[delivery.id] = _Waiting(tries, self._clock.now() + wait)
            return False
        result = ended(delivery, receipt, self._clock.now(), consumer=SETTLED)
        try:
            await self._engine.commit(result.into(Step()))
        except Conflict:  # a person, or another process, was first
            return False
        return True
