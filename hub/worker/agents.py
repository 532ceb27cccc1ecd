"""The hub's consumers as a Faust application: Faust divides the partitions among the workers and fetches, we decide.

Inside what was measured to be safe: raw bytes in, our codec; one coroutine an agent; batches by `take_events`; an agent body that
returns only when its batch was applied, and otherwise waits; no tables, no exactly-once mode, no leader, no producer.
"""

from collections.abc import Sequence
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import EventT

from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from hub.worker.desk import Desk
from hub.worker.transport import Transport, partition_of
from schemas.topics import Topic
from sinks.kafka.address import KafkaAddress
from sinks.kafka.codec import recorded_micros
from sinks.kafka.reading import Raw

BATCH = 500
MOST_AHEAD = 16
"""So many times what came at once may wait for an agent."""
WITHIN_SECONDS = 0.025
"""A batch is what came in so long; it is the least that an event waits."""
SESSION_SECONDS = 10.0
HEARTBEAT_SECONDS = 3.0
REBALANCE_SECONDS = 30.0
"""So long Kafka waits for members to join again; who waits for the store comes later, and is taken in then."""
STOP_SECONDS = 3.0


TOPICS: Sequence[Sequence[Topic]] = tuple(
    dict.fromkeys(
        tuple(each.topics) for each in (CasesConsumer, AutomationConsumer, OutboundConsumer, SearchConsumer)
    )
)
"""What each agent reads."""


class OnlyFetching(BootStrategy):
    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class Application(faust.App):
    """`desk` has the consumers; set it before it starts."""

    BootStrategy = OnlyFetching
    address: KafkaAddress
    desk: Desk

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing is kept on disk."""

    async def on_stop(self) -> None:
        """First lets go of the partitions, then ends the agents. Faust by itself would wait for what waits for the store.

        The desk goes on: after a breakdown another application feeds it.
        """
        if self._consumer is not None:
            self.flow_control.suspend()
            self.flow_control.clear()
            await self._consumer.stop()
        await super().on_stop()


def make_app(
    address: KafkaAddress,
    topics: Sequence[Sequence[Topic]],
    instance: str | None = None,
    kind: type[Application] = Application,
) -> Application:
    """`topics`: what each agent reads; consumers of the same topics share one. `instance`: the name by which the group knows
    this worker again when it comes back (group.instance.id); None: as a new one."""
    app = kind(
        f"{address.prefix}workers",
        broker=[f"kafka://{each}" for each in address.servers],
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance,
        broker_client_id="hubbub-worker",
        broker_commit_interval=1.0,
        broker_session_timeout=SESSION_SECONDS,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_request_timeout=40.0,
        broker_max_poll_interval=3600.0,
        broker_max_poll_records=BATCH,
        stream_buffer_maxsize=MOST_AHEAD,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        web_enabled=False,
    )
    app.address = address
    for each in dict.fromkeys(tuple(group) for group in topics):
        _agent(app, each)
    return app


def _agent(app: Application, topics: tuple[Topic, ...]) -> None:
    names = [app.address.prefix + each for each in topics]
    channel = app.topic(
        *names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def body(stream: Any) -> None:
        async for events in stream.take_events(MOST_AHEAD, within=WITHIN_SECONDS):
            await app.desk.take(topics, [raw for each in events for raw in _raws(app.address.prefix, each)])

    app.agent(channel, name=f"hub.{'-'.join(topics)}", concurrency=1)(body)


def _raws(prefix: str, event: EventT[Any]) -> list[Raw]:
    fetched: Any = event.message.value
    partition = partition_of(prefix, event.message.tp)
    return [
        Raw(partition, each.offset, recorded_micros(each.headers), each.key, each.value, tuple(each.headers))
        for each in fetched.records
    ]
