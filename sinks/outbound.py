"""Outbound: queued, sending, then sent, failed or unknown. `sending` is entered once and never left twice by a machine.

The order within a conversation is kept: a message waits for the ones queued before it, unless those are unknown or failed.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from schemas.crash import crash_point
from schemas.documents import DELIVERIES, Delivery
from schemas.errors import Conflict, Outage
from schemas.events import Event
from schemas.ids import effect_id
from schemas.outbound import (
    DeliveryEvent,
    DeliveryFailed,
    DeliverySent,
    DeliveryState,
    DeliveryUnknown,
    OutboundQueued,
)
from schemas.ports import Clock, Deliverer, Engine, Query, Receipt, ReceiptStatus, Record, Step, Where
from sinks.outbound_due import IDLE_SECONDS, Account, Due, account_of

log = logging.getLogger("hubbub.outbound")

CONSUMER = "outbound"
CONCURRENCY = 16
MOST_OF_AN_ACCOUNT = 12
"""One account that hangs leaves places to the others."""
FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 3600.0
GIVE_UP_AFTER = timedelta(days=3)
INTERRUPTED = "the hub stopped while the message was being sent; it may have arrived"


def queued(record: Record) -> Delivery:
    """The state of a message as it enters the queue."""
    assert record.event is not None and isinstance(record.event.data, OutboundQueued)
    message = record.event.data.message
    return Delivery(
        id=message.message,
        revision=1,
        message=message,
        order=record.order,
        next_attempt_at=message.queued_at,
        queued_at=record.event.time,
        changed_at=record.event.time,
    )


def backoff(attempts: int, asked_seconds: float | None) -> timedelta:
    """How long to wait after so many attempts: what the peer asks for, or 5 s doubled up to an hour."""
    seconds = FIRST_BACKOFF_SECONDS * 2 ** min(attempts - 1, 12)
    return timedelta(seconds=min(LONGEST_BACKOFF_SECONDS, asked_seconds or seconds))


class Dispatcher:
    """Sends what is queued through the deliverers of its channels."""

    def __init__(self, engine: Engine, clock: Clock, deliverers: Mapping[str, Deliverer]) -> None:
        self._engine = engine
        self._clock = clock
        self._deliverers = dict(deliverers)
        self._work = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._shares: Counter[Account] = Counter()
        self._stopping = False
        self.stopped_accounts: dict[Account, datetime] = {}
        """Accounts whose credentials or settings the channel refuses, and until when they rest."""
        self._next = Due(engine, clock, self._busy, self.stopped_accounts, self._has_its_share)

    def wake(self) -> None:
        """Something was queued."""
        self._work.set()

    async def recover(self) -> int:
        """What was being sent when the hub stopped is unknown now. Returns how many."""
        recovered = 0
        while True:
            page = await self._engine.find(
                Query(DELIVERIES, (Where("state", "=", DeliveryState.SENDING),), limit=500)
            )
            interrupted = [each for each in page.items if isinstance(each, Delivery)]
            if not interrupted:
                return recovered
            step = Step()
            for each in interrupted:
                unknown = Receipt(ReceiptStatus.UNKNOWN, reason=INTERRUPTED)
                self._result(step, each, unknown)
            await self._engine.commit(step)
            recovered += len(interrupted)

    async def run(self) -> None:
        """Until `stop`. Outages of the engine are waited for."""
        while not self._stopping:
            self._work.clear()
            try:
                started = await self._start_due()
            except Outage as outage:
                log.warning("outbound waits: %s", outage)
                await self._rest(outage.retry_after_seconds)
                continue
            except Exception:
                log.exception("outbound failed and tries again")
                await self._rest(IDLE_SECONDS)
                continue
            if not started:
                await self._rest(IDLE_SECONDS)

    async def send_due(self) -> int:
        """Send what is due now and wait for it. Returns how many messages that was."""
        started = await self._start_due()
        if self._busy:
            await asyncio.wait(self._busy.values())
        return started

    async def stop(self, grace_seconds: float) -> None:
        """Begin nothing more; let what is being sent finish within the grace."""
        self._stopping = True
        self._work.set()
        if self._busy:
            await asyncio.wait(self._busy.values(), timeout=grace_seconds)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._work.wait(), seconds)
        except TimeoutError:
            return

    async def _start_due(self) -> int:
        started = 0
        due = list(await self._next.now())
        while due and not self._stopping:
            is_full = len(self._busy) >= CONCURRENCY
            delivery = next((each for each in due if not is_full and not self._has_its_share(each)), None)
            if delivery is None:
                done, _ = await asyncio.wait(
                    self._busy.values(), timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break  # they are slow: look whether something for somebody else came
                continue
            due.remove(delivery)
            self._start(delivery)
            started += 1
        return started

    def _start(self, delivery: Delivery) -> None:
        conversation = delivery.message.conversation
        task = self._busy[conversation] = asyncio.create_task(self._send(delivery))
        self._shares[account_of(delivery)] += 1
        task.add_done_callback(partial(self._finished, delivery))

    def _has_its_share(self, delivery: Delivery) -> bool:
        return self._shares[account_of(delivery)] >= MOST_OF_AN_ACCOUNT

    def _finished(self, delivery: Delivery, task: "asyncio.Task[None]") -> None:
        conversation, account = delivery.message.conversation, account_of(delivery)
        self._busy.pop(conversation, None)
        self._shares[account] -= 1
        if not self._shares[account]:
            del self._shares[account]
        self._work.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("sending in %s failed", conversation, exc_info=task.exception())

    async def _send(self, delivery: Delivery) -> None:
        deliverer = self._deliverers.get(delivery.message.channel)
        if deliverer is None:
            receipt = Receipt(
                ReceiptStatus.FAILED, reason=f"no connector sends for the channel {delivery.message.channel}"
            )
            await self._commit_result(delivery, receipt)
            return
        sending = delivery.model_copy(
            update={
                "state": DeliveryState.SENDING,
                "attempts": delivery.attempts + 1,
                "changed_at": self._clock.now(),
                "revision": delivery.revision + 1,
            }
        )
        crash_point("outbound.before-sending")
        try:
            await self._engine.commit(Step(documents=[(sending, delivery.revision)]))
        except Conflict:
            return  # cancelled, or another worker sends it
        except Outage as outage:  # nothing left us: it is still queued, and this conversation rests a little
            log.warning("outbound waits: %s", outage)
            await asyncio.sleep(min(IDLE_SECONDS, outage.retry_after_seconds))
            return
        crash_point("outbound.after-sending")
        receipt = await self._delivered(deliverer, sending)
        crash_point("outbound.before-result")
        await self._commit_result(sending, receipt)

    async def _delivered(self, deliverer: Deliverer, delivery: Delivery) -> Receipt:
        """What the channel says. A fault of ours in there leaves it unknown whether the message arrived."""
        try:
            return await deliverer.deliver(delivery.message)
        except Exception as error:
            log.exception("the channel %s failed", deliverer.channel)
            return Receipt(
                ReceiptStatus.UNKNOWN, reason=f"a fault while sending: {type(error).__name__}: {error}"[:500]
            )

    async def _commit_result(self, delivery: Delivery, receipt: Receipt) -> None:
        step = Step()
        self._result(step, delivery, receipt)
        while True:
            try:
                await self._engine.commit(step)
                crash_point("outbound.after-result")
                return
            except Outage as outage:  # the result must not be lost while we live
                await asyncio.sleep(outage.retry_after_seconds)

    def _result(self, step: Step, delivery: Delivery, receipt: Receipt) -> None:
        now = self._clock.now()
        change: dict[str, object] = {
            "changed_at": now,
            "reason": receipt.reason,
            "revision": delivery.revision + 1,
        }
        event = _event_data(delivery, receipt, now)
        if event is None:
            change["state"] = DeliveryState.QUEUED
            change["next_attempt_at"] = now + backoff(delivery.attempts, receipt.retry_after_seconds)
        else:
            change["state"] = _STATES[type(event)]
            change["external_id"] = receipt.external_id
            step.events.append(_event(delivery, event, now))
        account = account_of(delivery)
        if receipt.stop_account:
            self.stopped_accounts[account] = now + backoff(delivery.attempts, receipt.retry_after_seconds)
        elif receipt.status is ReceiptStatus.SENT:
            self.stopped_accounts.pop(account, None)
        step.documents.append((delivery.model_copy(update=change), delivery.revision))


_STATES: dict[type[DeliveryEvent], DeliveryState] = {
    DeliverySent: DeliveryState.SENT,
    DeliveryFailed: DeliveryState.FAILED,
    DeliveryUnknown: DeliveryState.UNKNOWN,
}


def _event_data(delivery: Delivery, receipt: Receipt, now: datetime) -> DeliveryEvent | None:
    """What happened to the message for good; None when it may be tried again."""
    message = delivery.message
    reason = receipt.reason
    since = delivery.queued_at or message.queued_at
    gives_up = receipt.status is ReceiptStatus.RETRY and now - since > GIVE_UP_AFTER
    if gives_up:
        reason = f"given up after {GIVE_UP_AFTER.days} days: {reason}"
    if receipt.status is ReceiptStatus.RETRY and not gives_up:
        return None
    base = {
        "message": message.message,
        "case": message.case,
        "channel": message.channel,
        "account": message.account,
        "attempts": delivery.attempts,
    }
    if receipt.status is ReceiptStatus.SENT:
        return DeliverySent.model_validate(
            {**base, "external_id": receipt.external_id, "refused": dict(receipt.refused)}
        )
    if receipt.status is ReceiptStatus.UNKNOWN:
        return DeliveryUnknown.model_validate({**base, "reason": reason})
    return DeliveryFailed.model_validate({**base, "reason": reason})


def _event(delivery: Delivery, data: DeliveryEvent, now: datetime) -> Event:
    """The id derives from the message and its attempt, so that a result committed again is the same event."""
    message: UUID = delivery.message.message
    return Event(
        id=effect_id(message, CONSUMER, delivery.attempts),
        key=delivery.message.conversation,
        time=now,
        data=data,
        source=f"/sinks/{delivery.message.channel}/{delivery.message.account}",
        correlation=message,
        causation=message,
    )
