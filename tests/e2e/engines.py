"""The two engines under a whole hub: one file, or Kafka with a server of MongoDB's protocol, shared by all tests of the process."""

from typing import Any
from uuid import uuid4

import pytest

from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from tests.support.servers import server

PARTITIONS = 2
EMBEDDED, SERVERS = "embedded", "servers"
BOTH = (
    EMBEDDED,
    pytest.param(
        SERVERS,
        marks=[
            pytest.mark.server("kafka"),
            pytest.mark.server("nx-27017"),
            pytest.mark.xdist_group("servers"),
            pytest.mark.slow,
        ],
    ),
)
"""For `@pytest.mark.parametrize("engine", BOTH)`."""


async def settings_of(engine: str) -> dict[str, Any]:
    """What the settings say of the engine. On the servers a log and a store of its own, the topics made."""
    if engine == EMBEDDED:
        return {}
    name = uuid4().hex[:8]
    log = f"{server('kafka').url}?prefix=both-{name}.&partitions={PARTITIONS}"
    async with TopicAdmin(parse_address(log)) as topics:
        await topics.apply(await topics.plan())
    return {"log": log, "store": f"{server('nx-27017').url}both_{name}"}
