"""Outbound: queued, sending, then sent, failed or unknown. `sending` is entered once and never left twice by a machine.

The order within a conversation is kept: a message waits for the ones queued before it, unless those are unknown or failed.
Any number of processes may send. Each account is one process's while that lives, so that what it may do at once and when it
has to rest is known in one place; that a message is sent once rests on the claim alone.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from schemas.crash import crash_point
from schemas.documents import Delivery
from schemas.errors import Conflict, Outage
from schemas.ids import derive
from schemas.members import Alone, Membership
from schemas.outbound import DeliveryState, OutboundQueued
from schemas.ports import Clock, Deliverer, Engine, Receipt, ReceiptStatus
from schemas.steps import Record, Step
from sinks.outbound_due import DUTY, IDLE_SECONDS, Account, Due, account_of
from sinks.outbound_pace import Pace, allowed_by
from sinks.outbound_recovery import Recovery
from sinks.outbound_results import CONSUMER, GIVE_UP_AFTER, Ended, backoff, ended
from sinks.outbound_settling import Settling

__all__ = ["CONSUMER", "DUTY", "GIVE_UP_AFTER", "Dispatcher", "backoff", "queued"]

log = logging.getLogger("hubbub.outbound")

CONCURRENCY = 16
MOST_OF_AN_ACCOUNT = 12
"""One account that hangs leaves places to the others."""
RECOVER_SECONDS = 2.0
STOOD_STILL = Receipt(ReceiptStatus.RETRY, reason="this process stood still before it sent the message")
"""Others may have called the message unknown, and asked the channel whether it has it: nothing is sent after that."""


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


class Dispatcher:
    """Sends what is queued through the deliverers of its channels."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        deliverers: Mapping[str, Deliverer],
        members: Membership | None = None,
    ) -> None:
        """`members`: who else sends; None: nobody can."""
        self._engine = engine
        self._clock = clock
        self._deliverers = dict(deliverers)
        self._work = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._shares: Counter[Account] = Counter()
        self._stopping = False
        self.stopped_accounts: dict[Account, datetime] = {}
        """Accounts whose credentials or settings the channel refuses, and until when they rest."""
        self._members = members or Alone(derive("member", secrets.token_hex(16)))
        self._next = Due(
            engine, clock, self._busy, self.stopped_accounts, self._has_its_share, self._members.is_first_for
        )
        self._pace = Pace(allowed_by(self._deliverers))
        self._recovery = Recovery(engine, clock, self._members, self._busy)
        self._recovers_at = 0.0
        self.settling = Settling(engine, clock, self._deliverers)

    def wake(self) -> None:
        """Something was queued."""
        self._work.set()

    async def recover(self) -> int:
        """What was being sent by a process that is gone is unknown now. Returns how many."""
        return await self._recovery.run()

    async def run(self) -> None:
        """Until `stop`. Outages of the engine are waited for. Beside it channels are asked for what is unknown."""
        settling = asyncio.create_task(self.settling.run())
        try:
            await self._send_all()
        finally:
            self.settling.stop()
            await settling

    async def _send_all(self) -> None:
        while not self._stopping:
            self._work.clear()
            try:
                await self._recover_now_and_then()
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

    async def _recover_now_and_then(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._recovers_at:
            return
        self._recovers_at = now + RECOVER_SECONDS
        if count := await self.recover():
            log.warning("%d messages are unknown now: who sent them is gone", count)

    async def send_due(self) -> int:
        """Send what is due now and wait for it. Returns how many messages that was."""
        started = await self._start_due()
        if self._busy:
            await asyncio.wait(self._busy.values())
        return started

    async def stop(self, grace_seconds: float) -> None:
        """Begin nothing more; let what is being sent finish within the grace. What does not is unknown at the next start."""
        self._stopping = True
        self.settling.stop()
        self._work.set()
        if not self._busy:
            return
        _, late = await asyncio.wait(self._busy.values(), timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._work.wait(), seconds)
        except TimeoutError:
            return

    async def _start_due(self) -> int:
        started = 0
        if not self._members.is_valid:
            return started  # others may think that this process is gone
        due = list(await self._next.now())
        while due and not self._stopping:
            is_full = len(self._busy) >= CONCURRENCY
            delivery = next((each for each in due if not is_full and not self._has_its_share(each)), None)
            if delivery is None and not self._busy:
                break  # each account that has something to send waits for its channel
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
        self._pace.took(account_of(delivery), self._clock.now())
        task.add_done_callback(partial(self._finished, delivery))

    def _has_its_share(self, delivery: Delivery) -> bool:
        account = account_of(delivery)
        return (
            self._shares[account] >= MOST_OF_AN_ACCOUNT
            or self._pace.wait_seconds(account, self._clock.now()) > 0
        )

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
                "sender": self._members.id,
            }
        )
        crash_point("outbound.before-sending")
        try:
            await self._engine.commit(Step(documents=[(sending, delivery.revision)]))
        except Conflict:
            return  # cancelled, or another worker sends it
        except Outage as outage:
            # Nothing left us, whether it is marked or not; this conversation rests a little.
            log.warning("outbound waits: %s", outage)
            self._recovery.was_not_sent(sending)
            await asyncio.sleep(min(IDLE_SECONDS, outage.retry_after_seconds))
            return
        self._recovery.is_being_sent(sending)
        crash_point("outbound.after-sending")
        is_trusted = self._members.is_valid and self._members.id == sending.sender
        receipt = await self._delivered(deliverer, sending) if is_trusted else STOOD_STILL
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
        now = self._clock.now()
        result = ended(delivery, receipt, now)
        account = account_of(delivery)
        self._pace.told(account, receipt.limit, now)
        if receipt.stop_account:
            self.stopped_accounts[account] = now + backoff(delivery.attempts, receipt.retry_after_seconds)
        elif receipt.status is ReceiptStatus.SENT:
            self.stopped_accounts.pop(account, None)
        while True:
            try:
                await self._keep(result, delivery, receipt)
            except Outage as outage:  # the result must not be lost while we live
                await asyncio.sleep(outage.retry_after_seconds)
                continue
            crash_point("outbound.after-result")
            return

    async def _keep(self, result: Ended, delivery: Delivery, receipt: Receipt) -> None:
        try:
            await self._engine.commit(result.into(Step()))
        except Conflict:
            await self._recovery.told_late(delivery, receipt)
