"""docs/asyncapi.yaml: valid by AsyncAPI's own parser, and true of what stands on a real log."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema_rs
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from hub.company import Company
from hub.docs.asyncapi import asyncapi_document, asyncapi_text
from schemas.commands import ReplyToCase, ResolveCase
from schemas.events import EVENT_TYPES, SYSTEM
from schemas.topics import Topic
from sinks.distributed.engine import open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.topics import TopicAdmin
from tests.hub.test_flow import CONFIGURATION, MIA, Flow, Now
from tests.support.needs import SERVERS
from tests.support.node import NodeNeed
from tests.support.servers import server

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

ON_SERVERS = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
]


@pytest.fixture
async def records() -> list[ConsumerRecord]:
    """What a case from its first message to its end leaves on Kafka, read by a client that knows nothing of us."""
    clock, prefix = Now(), f"asyncapi-{uuid4().hex[:8]}."
    log = f"{server('kafka').url}?prefix={prefix}&partitions=2"
    async with TopicAdmin(parse_address(log)) as topics:
        await topics.apply(await topics.plan())
    store = f"{server('nx-27017').url}asyncapi_{uuid4().hex[:12]}"
    engine = await open_distributed(log, store, clock=clock)
    try:
        company = await Company.open(engine, clock)
        await company.publish(CONFIGURATION, SYSTEM)
        flow = Flow(engine, clock, company)
        await flow.receive("a")
        await flow.settle()
        (case,) = await flow.cases()
        case = await flow.do(MIA, ReplyToCase, case, text="Here it is.")
        await flow.settle()
        await flow.do(MIA, ResolveCase, (await flow.cases())[0])
        await flow.settle()
    finally:
        await engine.close()
    consumer = AIOKafkaConsumer(
        *(f"{prefix}{topic}" for topic in Topic),
        bootstrap_servers=f"127.0.0.1:{server('kafka').port}",
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


@pytest.fixture(params=[pytest.param("kafka", marks=ON_SERVERS)])
def log(records: list[ConsumerRecord]) -> list[ConsumerRecord]:
    return records


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


def test_headers_key_and_value_of_each_record_are_as_the_document_says(log: list[ConsumerRecord]) -> None:
    document = asyncapi_document()
    trait = document["components"]["messageTraits"]["cloudEvent"]
    seen = set()
    for record in log:
        headers = {name: value.decode() for name, value in record.headers}
        topic = record.topic.partition(".")[2]
        assert headers["ce_type"] in document["channels"][topic]["messages"]
        message = document["components"]["messages"][headers["ce_type"]]
        schema = headers_schema(message, trait)
        validator(schema).validate(headers)
        assert set(headers) <= set(schema["properties"]), "a header that the document does not name"
        validator({"allOf": [message["payload"]]}).validate(json.loads(record.value))
        assert record.key.decode() == headers["ce_partitionkey"]
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


def test_the_cloudevents_package_reads_each_record_as_it_comes(log: list[ConsumerRecord]) -> None:
    for record in log:
        read = from_binary(
            KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value), JSONFormat()
        )
        attributes = read.get_attributes()
        payload = EVENT_TYPES[attributes["type"]]
        assert record.topic.endswith(f".{payload.topic}")
        assert str(UUID(attributes["id"])) == attributes["id"]
        assert attributes["time"].tzinfo is not None
        assert attributes["partitionkey"] == record.key.decode()
        assert isinstance(payload.model_validate(read.get_data()), payload)
