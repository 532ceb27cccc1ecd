"""The topics as the broker keeps them: planned from schemas/topics.py, compared, then made. Nothing is ever deleted.

A conversation's key is never compacted: `cleanup.policy=delete`. Partitions only grow, and growing moves keys to other
partitions, so it is refused unless asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, TopicAlreadyExistsError, for_code

from schemas.errors import Outage
from schemas.topics import TOPICS, Topic
from sinks.kafka.access import client_options, not_connected
from sinks.kafka.address import KafkaAddress
from sinks.kafka.errors import outages

DAY_MILLISECONDS = 24 * 3600 * 1000
LARGEST_EVENT_BYTES = 16 * 1024 * 1024
ONE_PARTITION = frozenset({Topic.CONFIGURATION})
"""Topics whose key is always the same."""


class Change(StrEnum):
    CREATE = "create"
    CONFIGURE = "configure"
    GROW = "grow"
    SHRINK = "shrink"  # cannot be done; told


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that differs from what the address and the contract ask for."""

    topic: Topic
    name: str
    change: Change
    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    topic: Topic
    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Existing:
    partitions: int
    configs: Mapping[str, str]


def wanted(address: KafkaAddress) -> list[Wanted]:
    return [_wanted(address, topic) for topic in Topic]


def _wanted(address: KafkaAddress, topic: Topic) -> Wanted:
    days = TOPICS[topic].retention_days
    configs = {
        "cleanup.policy": "delete",
        "retention.ms": "-1" if days is None else str(days * DAY_MILLISECONDS),
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(LARGEST_EVENT_BYTES),
        "min.insync.replicas": str(max(1, address.replication - 1)),
        "unclean.leader.election.enable": "false",
    }
    partitions = 1 if topic in ONE_PARTITION else address.partitions
    return Wanted(topic, address.prefix + topic, partitions, address.replication, configs)


def compare(wanted: Sequence[Wanted], existing: Mapping[str, Existing]) -> list[Planned]:
    """What has to be done so that the broker has what is wanted, in the order of the topics."""
    planned: list[Planned] = []
    for each in wanted:
        there = existing.get(each.name)
        if there is None:
            days = TOPICS[each.topic].retention_days
            what = f"{each.partitions} partitions, {each.replication} replicas, " + (
                "kept for ever" if days is None else f"kept {days} days"
            )
            planned.append(Planned(each.topic, each.name, Change.CREATE, what))
            continue
        planned += [
            Planned(each.topic, each.name, Change.CONFIGURE, name, there.configs.get(name, ""), value)
            for name, value in each.configs.items()
            if there.configs.get(name) != value
        ]
        if there.partitions != each.partitions:
            change = Change.GROW if there.partitions < each.partitions else Change.SHRINK
            before, after = str(there.partitions), str(each.partitions)
            planned.append(Planned(each.topic, each.name, change, "partitions", before, after))
    return planned


class TopicAdmin:
    """Talks to the broker about topics. Use as an asynchronous context."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        self._client = AIOKafkaAdminClient(**client_options(address), client_id="hubbub-topics")

    async def __aenter__(self) -> "TopicAdmin":
        with outages("connecting"):
            try:
                await self._client.start()
            except KafkaConnectionError as error:
                await self._client.close()
                raise await not_connected(self._address, error) from error
            except BaseException:
                await self._client.close()
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def plan(self) -> list[Planned]:
        with outages("reading the topics"):
            return compare(wanted(self._address), await self._existing())

    async def _existing(self) -> dict[str, Existing]:
        names = {each.name for each in wanted(self._address)}
        present = sorted(names & set(await self._client.list_topics()))
        if not present:
            return {}
        described = {each["topic"]: each for each in await self._client.describe_topics(present)}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
        configs: dict[str, dict[str, str]] = {}
        for response in await self._client.describe_configs(resources):
            for code, message, _, name, entries in response.resources:
                if code:
                    raise for_code(code)(message)
                configs[name] = {entry[0]: entry[1] for entry in entries}
        return {name: Existing(len(described[name]["partitions"]), configs[name]) for name in present}

    async def apply(self, planned: Sequence[Planned], grow: bool = False) -> None:
        """Does what is planned; partitions grow only when asked for. Doing it twice does no harm."""
        by_topic = {each.topic: each for each in wanted(self._address)}
        create = [by_topic[each.topic] for each in planned if each.change is Change.CREATE]
        configure = {each.topic for each in planned if each.change is Change.CONFIGURE}
        with outages("making the topics"):
            if create:
                await self._create(create)
            if configure:
                await self._configure([by_topic[topic] for topic in sorted(configure)])
            if grow:
                for each in planned:
                    if each.change is Change.GROW:
                        await self._grow(by_topic[each.topic])

    async def _create(self, topics: Sequence[Wanted]) -> None:
        response = await self._client.create_topics(
            [
                NewTopic(each.name, each.partitions, each.replication, topic_configs=dict(each.configs))
                for each in topics
            ]
        )
        for name, code, *message in response.topic_errors:
            if code not in {0, TopicAlreadyExistsError.errno}:
                raise Outage(f"kafka: the topic {name} was not made: {for_code(code).__name__} {message}")

    async def _configure(self, topics: Sequence[Wanted]) -> None:
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, each.name, dict(each.configs)) for each in topics
        ]
        for response in await self._client.alter_configs(resources):
            for code, message, _, name in response.resources:
                if code:
                    raise Outage(f"kafka: the topic {name} was not configured: {message}")

    async def _grow(self, topic: Wanted) -> None:
        response = await self._client.create_partitions({topic.name: NewPartitions(topic.partitions)})
        for name, code, message in response.topic_errors:
            if code:
                raise Outage(f"kafka: the topic {name} has no more partitions than before: {message}")
