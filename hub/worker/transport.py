"""Kafka as Faust fetches from it: by our own client options, from where the store says that the consumers stand.

Partitions are assigned by ranges, so that whoever holds a partition of one topic holds the same of all others: the events of
one conversation, of whatever topic, are with one worker.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.tuples import ConsumerMessage
from mode.threads import WorkerThread

from hub.worker.desk import Desk
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


class Fetched(bytes):
    """Records of one partition that came at once, as the value of a Faust message, which is bytes to it."""

    records: Sequence[Any]

    def __new__(cls, records: Sequence[Any]) -> "Fetched":
        made = super().__new__(cls)
        made.records = records
        return made

    @property
    def begin(self) -> int:
        return int(self.records[0].offset)

    @property
    def last(self) -> int:
        return int(self.records[-1].offset)


class Consumer(driver.Consumer):
    """Begins where the store says, not where Kafka remembers; hands on what came at once as one message."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._begins: dict[TP, int] = {}
        """Where what came last begins, of each partition."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  Faust's own
        """Faust takes what came at once of a partition for one message: a message costs it 50 µs and more, whatever is in it."""
        found = await super()._getmany(active_partitions, timeout)
        return {name: [Fetched(records)] for name, records in found.items() if records}

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        fetched: Fetched = record
        self._begins[tp] = fetched.begin
        return ConsumerMessage(
            tp.topic, tp.partition, fetched.last, 0.0, 0, None, b"", fetched, None, None, None, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets that hold no record lie before what came, not within it."""
        begin = self._begins.get(tp, offset_to)
        if offset_from < begin:
            await super()._add_gap(tp, offset_from, begin - 1)

    def ack(self, message: Message) -> bool:
        """All that came with it."""
        is_first = super().ack(message)
        fetched = message.value
        if is_first and isinstance(fetched, Fetched):
            self._acked[message.tp].extend(range(fetched.begin, fetched.last))
        return is_first

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
