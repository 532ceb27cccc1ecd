"""Kafka as Faust fetches from it: by our own client options, from where the store says that the consumers stand.

Partitions are assigned by ranges, so that whoever holds a partition of one topic holds the same of all others: the events of
one conversation, of whatever topic, are with one worker.
"""

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.services import WaitResults
from mode.threads import WorkerThread

from hub.worker.desk import Desk
from hub.worker.driving import Begun, rest_of
from schemas.errors import Outage
from schemas.topics import Topic
from sinks.kafka.access import client_options
from sinks.kafka.offsets import Partition

FETCH_WAIT_MILLISECONDS = 500
FETCH_BYTES = 1024 * 1024


def partition_of(prefix: str, tp: TP) -> Partition:
    return Topic(tp.topic.removeprefix(prefix)), tp.partition


class QuietThread(WorkerThread):
    """What breaks down in it is told once, by who waits for it; what hangs in it does not keep the process."""

    def __init__(self, service: Any, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True

    def run(self) -> None:
        with contextlib.suppress(Exception):
            super().run()


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The client that fetches, in the thread in which Faust keeps it."""

    Worker = QuietThread

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """Faust would print the trace. The application ends by the same error, which tells it."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        app: Any = self.app
        settings = app.conf
        return AIOKafkaConsumer(
            **client_options(app.address),
            client_id=settings.broker_client_id,
            group_id=settings.id,
            group_instance_id=settings.consumer_group_instance_id,
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset=settings.consumer_auto_offset_reset,
            max_poll_records=settings.broker_max_poll_records,
            max_poll_interval_ms=int(settings.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MILLISECONDS,
            request_timeout_ms=int(settings.broker_request_timeout * 1000),
            session_timeout_ms=int(settings.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(settings.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(settings.broker_heartbeat_interval * 1000),
        )


class Consumer(driver.Consumer):
    """Begins where the store says, not where Kafka remembers."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def wait_first(self, *coros: Any, timeout: Any = None) -> WaitResults:  # noqa: ASYNC109  Faust's own
        """Faust hands each record on by this, beside three other things that would end the wait: four tasks a record, which is half of
        what a record costs. Most often there is room for it and nothing to wait for; then no task is made."""
        first, *others = coros
        if not inspect.iscoroutine(first):
            return await super().wait_first(*coros, timeout=timeout)
        begun: Begun[Any] = Begun(first)
        if not begun.is_over:
            return await super().wait_first(rest_of(begun), *others, timeout=timeout)
        for each in others:
            each.close()
        return WaitResults([first], [begun.value], False)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Known at once, so that it shows when Faust never gets as far as fetching from them."""
        app: Any = self.app
        app.desk.hold([partition_of(app.address.prefix, each) for each in assigned])
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Asked for after each assignment. Where the store does not answer, Kafka's own memory has to do for now: whoever
        is fed reads what lies before it by himself."""
        app: Any = self.app
        desk: Desk = app.desk
        assigned = {partition_of(app.address.prefix, each): each for each in self.assignment()}
        desk.hold(assigned)
        try:
            starts = await desk.starts()
        except Outage:
            offsets: Mapping[TP, int] = await super().seek_to_committed()
        else:
            earliest = await self.earliest_offsets(*assigned.values()) if assigned else {}
            offsets = {
                name: max(starts.get(each, 0), earliest.get(name) or 0) for each, name in assigned.items()
            }
            await self.seek_wait(offsets)
        desk.hold(assigned, {each: offsets.get(name) or 0 for each, name in assigned.items()})
        return offsets


class Transport(driver.Transport):
    Consumer = Consumer
