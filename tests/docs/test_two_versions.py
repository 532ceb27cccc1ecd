"""docs/operators/upgrade.md: a version works on beside a newer one that says more than it knows."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from schemas.collections import DEAD_LETTERS
from schemas.ids import derive
from schemas.letters import DeadLetter
from schemas.steps import Query
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.codec import DIGEST, Message, digest, to_message
from tests.contracts.samples import noted, received
from tests.docs.logs import ON_SERVERS, Log, a_log

pytestmark = ON_SERVERS
STAMP = 1_772_452_800_123_457


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    async with a_log() as made:
        yield made


def newer(message: Message, **attributes: str) -> Message:
    """The same record by a version that adds a field and an attribute."""
    data = json.loads(message.value) | {"added_later": {"deep": [1, 2]}}
    headers = [
        each
        for each in message.headers
        if each[0] != DIGEST and each[0].removeprefix("ce_") not in attributes
    ]
    headers += [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    headers += [("ce_addedlater", b"x"), ("another", b"\xff")]
    value = json.dumps(data).encode()
    return replace(message, value=value, headers=[*headers, (DIGEST, digest(message.key, value, headers))])


async def write(log: Log, *messages: Message) -> None:
    engine = log.flow.engine
    assert isinstance(engine, DistributedEngine)
    await engine.events.publish(messages)


async def test_fields_and_attributes_of_a_newer_version_are_ignored_by_an_older_one(log: Log) -> None:
    await write(log, newer(to_message(received(1), STAMP)))
    await log.flow.settle()
    (case,) = await log.flow.cases()
    assert (case.subject, case.queue) == ("Order 123", "inbox")
    assert (await log.flow.engine.find(Query(DEAD_LETTERS))).items == []


async def test_an_event_type_of_a_newer_version_is_set_aside_with_its_bytes_and_stops_nothing(
    log: Log,
) -> None:
    unheard = replace(to_message(noted(derive("test", "case"), 1), STAMP), topic=str(Topic.COMMANDS))
    unheard = newer(unheard, type="hubbub.command.of-the-future", id=str(derive("test", "future")))
    await write(log, unheard, to_message(received(2), STAMP + 1))
    await log.flow.settle()
    assert len(await log.flow.cases()) == 1
    (letter,) = (await log.flow.engine.find(Query(DEAD_LETTERS))).items
    assert isinstance(letter, DeadLetter)
    assert letter.event_type == "hubbub.command.of-the-future"
    assert letter.value == unheard.value
