"""docs/asyncapi.yaml: valid by AsyncAPI's own parser, and true of what stands on a real log."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from hub.docs.asyncapi import asyncapi_document, asyncapi_text
from schemas.events import EVENT_TYPES
from schemas.topics import Topic
from tests.docs.logs import a_log
from tests.support.needs import SERVERS
from tests.support.node import NodeNeed

ERROR, WARNING = 0, 1
DRAFT = "http://json-schema.org/draft-07/schema#"


@pytest.mark.server("asyncapi")
def test_asyncapis_own_parser_takes_the_document_and_finds_each_event_on_its_topic(tmp_path: Path) -> None:
    need, made = SERVERS["asyncapi"], tmp_path / "asyncapi.yaml"
    made.write_text(asyncapi_text(), encoding="utf-8")
    assert isinstance(need, NodeNeed)
    said = subprocess.run(
        ["node", str(need.script("parse.js")), str(made)], check=True, capture_output=True, text=True
    )
    parsed = json.loads(said.stdout)
    assert [each for each in parsed["diagnostics"] if each["severity"] in {ERROR, WARNING}] == []
    assert parsed["channels"] == {
        str(topic): sorted(name for name, each in EVENT_TYPES.items() if each.topic is topic)
        for topic in Topic
    }


def test_everything_that_is_referred_to_is_there() -> None:
    document = asyncapi_document()
    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(references, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own.union(*map(references, node.values()))


# -- on a real log -----------------------------------------------------------------------------------------------------


async def records() -> list[ConsumerRecord]:
    """What a case from its first message to its end leaves on Kafka, read by a client that knows nothing of us."""
    async with a_log() as made:
        await made.answered("a")
    consumer = AIOKafkaConsumer(
        *(f"{made.prefix}{topic}" for topic in Topic),
        bootstrap_servers=made.servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    found: list[ConsumerRecord] = []
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
    finally:
        await consumer.stop()
    return found


def validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    document = asyncapi_document()
    return jsonschema_rs.validator_for(
        {"$schema": DRAFT, "components": document["components"], **schema}, validate_formats=True
    )


def headers_schema(message: dict[str, Any], trait: dict[str, Any]) -> dict[str, Any]:
    """The trait below the message, as the specification merges them."""
    own, shared = message["headers"], trait["headers"]
    properties = {
        name: {**shared["properties"].get(name, {}), **own["properties"].get(name, {})}
        for name in {**shared["properties"], **own["properties"]}
    }
    return {**shared, **own, "properties": properties}


@pytest.mark.server("kafka")
@pytest.mark.server("nx-27017")
@pytest.mark.xdist_group("servers")
async def test_each_record_of_a_real_log_is_as_the_document_and_the_cloudevents_package_read_it() -> None:
    document = asyncapi_document()
    trait = document["components"]["messageTraits"]["cloudEvent"]
    seen = set()
    for record in await records():
        headers = {name: value.decode() for name, value in record.headers}
        topic = record.topic.partition(".")[2]
        assert headers["ce_type"] in document["channels"][topic]["messages"]
        message = document["components"]["messages"][headers["ce_type"]]
        schema = headers_schema(message, trait)
        validator(schema).validate(headers)
        assert set(headers) <= set(schema["properties"]), "a header that the document does not name"
        validator({"allOf": [message["payload"]]}).validate(json.loads(record.value))
        assert record.key.decode() == headers["ce_partitionkey"]
        check_with_another_implementation(record)
        seen.add(topic)
    assert seen >= {
        "interactions",
        "identity",
        "cases",
        "commands",
        "outbound",
        "deliveries",
        "configuration",
    }


def check_with_another_implementation(record: ConsumerRecord) -> None:
    message = KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)
    read = from_binary(message, JSONFormat())
    attributes = read.get_attributes()
    payload = EVENT_TYPES[attributes["type"]]
    assert record.topic.endswith(f".{payload.topic}")
    assert str(UUID(attributes["id"])) == attributes["id"]
    assert attributes["time"].tzinfo is not None
    assert attributes["partitionkey"] == record.key.decode()
    assert isinstance(payload.model_validate(read.get_data()), payload)
