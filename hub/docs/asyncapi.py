"""docs/asyncapi.yaml: the topics on Kafka as an AsyncAPI 3.0 document, for those who read them.

https://www.asyncapi.com/docs/reference/specification/v3.0.0, with the Kafka bindings of
https://github.com/asyncapi/bindings/tree/master/kafka
"""

from importlib.metadata import version
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from hub.docs.events import CONTEXT, OPTIONAL
from hub.docs.markdown import first_sentence
from schemas import codec
from schemas.events import EVENT_TYPES, Payload, dataschema
from schemas.topics import TOPICS, Topic
from sinks.kafka.address import PARTITIONS, PREFIX, KafkaAddress
from sinks.kafka.codec import DIGEST
from sinks.kafka.topics import ONE_PARTITION, Wanted, wanted

assert codec.DECLARING_MODULES  # importing them fills EVENT_TYPES

Node = dict[str, Any]

BINDING = "0.5.0"
MADE = "# Made by `python -m hub.docs`; change the code, not this file.\n"
TRAIT = "cloudEvent"
DESCRIPTION = f"""\
The log of a Hubbub installation on Apache Kafka. Every record is a CloudEvent 1.0 in binary mode: the value is the event's data as
JSON, each attribute a header `ce_<name>` as text in UTF-8, the record key is the attribute `partitionkey`.

Read it with a principal that may only read (docs/integrators/kafka.md). Records come at least once: drop a `ce_id` that you had.
They are in order within a key, except those whose `ce_late` is `true`. Ignore fields and headers that you do not know: within a
version of a type fields are only added, and `ce_dataschema` changes with each breaking version. Fields marked `x-personal` tell of
a person.

Topics are made with {PARTITIONS} partitions each unless the operator says otherwise, `configuration` with one.
"""
KAFKA_ATTRIBUTES: dict[str, Node] = {
    "recordedtime": {
        "type": "string",
        "format": "date-time",
        "description": "when the event was put on the log",
    },
}
KAFKA_FORMS: dict[str, Node] = {
    "chain": {"type": "string", "description": "the automations that led here, oldest first: a list in JSON"},
    "configuration": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "version of the configuration it was decided under",
    },
    "late": {"type": "string", "const": "true", "description": "a dead letter that was replayed"},
}
"""Where the header is text and the structured form has another type."""
PER_TYPE = {"dataschema", "type"}
ADDRESS_OF_BROKERS = {
    "default": "localhost:9092",
    "description": "brokers to start with, by commas: host:port",
}


def asyncapi_text() -> str:
    return MADE + yaml.dump(
        asyncapi_document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120
    )


class _Plain(yaml.SafeDumper):
    """Without anchors, which say nothing to a reader."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Plain, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)


def asyncapi_document() -> Node:
    types = [EVENT_TYPES[name] for name in sorted(EVENT_TYPES)]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hubbub event log",
            "version": version("hubbub"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": str(topic), "description": TOPICS[topic].says} for topic in Topic],
        },
        "defaultContentType": "application/json",
        "servers": {"log": _server()},
        "channels": {str(each.topic): _channel(each, types) for each in wanted(KafkaAddress(()))},
        "operations": {_operation_name(topic): _operation(topic) for topic in Topic},
        "components": {
            "messages": {each.type: _message(each) for each in types},
            "messageTraits": {TRAIT: _trait()},
            "schemas": _schemas(types),
            "securitySchemes": {
                "scram": {"type": "scramSha512", "description": "SASL/SCRAM-SHA-512"},
                "plain": {"type": "plain", "description": "SASL/PLAIN, over TLS alone"},
            },
        },
    }


def _server() -> Node:
    return {
        "host": "{brokers}",
        "protocol": "kafka",
        "description": "The brokers that the setting `log` names.",
        "variables": {"brokers": ADDRESS_OF_BROKERS},
        "security": [_ref("securitySchemes/scram"), _ref("securitySchemes/plain")],
    }


def _channel(topic: Wanted, types: list[type[Payload]]) -> Node:
    contract = TOPICS[topic.topic]
    configs = topic.configs
    kept = "for ever" if contract.retention_days is None else f"{contract.retention_days} days"
    binding: Node = {
        "topicConfiguration": {
            "cleanup.policy": [configs["cleanup.policy"]],
            "retention.ms": int(configs["retention.ms"]),
            "max.message.bytes": int(configs["max.message.bytes"]),
        },
        "bindingVersion": BINDING,
    }
    if topic.topic in ONE_PARTITION:
        binding["partitions"] = 1
    return {
        "address": f"{{prefix}}{topic.topic}",
        "title": str(topic.topic),
        "summary": f"{contract.says[0].upper()}{contract.says[1:]}.",
        "description": f"Key: {contract.key}. Kept {kept}.",
        "parameters": {
            "prefix": {
                "default": PREFIX,
                "description": "stands before each topic's name: `prefix` in the setting `log`",
            }
        },
        "servers": [{"$ref": "#/servers/log"}],
        "messages": {each.type: _ref(f"messages/{each.type}") for each in types if each.topic is topic.topic},
        "tags": [{"name": str(topic.topic)}],
        "bindings": {"kafka": binding},
    }


def _operation_name(topic: Topic) -> str:
    return "tell" + "".join(part.capitalize() for part in str(topic).split("-"))


def _operation(topic: Topic) -> Node:
    """The hub sends; whoever reads has the operation the other way round."""
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"The hub says {TOPICS[topic].says}.",
    }


def _message(payload: type[Payload]) -> Node:
    own = {"ce_type": {"const": payload.type}, "ce_dataschema": {"const": dataschema(payload)}}
    return {
        "name": payload.type,
        "title": payload.__name__,
        "summary": first_sentence(payload.__dict__.get("__doc__")) or payload.__name__,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {name: {"type": "string", **schema} for name, schema in own.items()},
        },
        "payload": _ref(f"schemas/{payload.__name__}"),
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"`ce_partitionkey`: {TOPICS[payload.topic].key}"},
                "bindingVersion": BINDING,
            }
        },
        "traits": [_ref(f"messageTraits/{TRAIT}")],
    }


def _trait() -> Node:
    """The headers of all events. The merge with those of a message keeps both: RFC 7396."""
    always = {
        name: schema for name, schema in CONTEXT.items() if name != "datacontenttype"
    } | KAFKA_ATTRIBUTES
    properties = {f"ce_{name}": {"type": "string", **schema} for name, schema in always.items()}
    properties |= {
        f"ce_{name}": {"type": "string", **schema} for name, schema in (OPTIONAL | KAFKA_FORMS).items()
    }
    properties["content-type"] = {"type": "string", **CONTEXT["datacontenttype"]}
    properties[DIGEST] = {
        "type": "string",
        "description": "seals key, value and headers as they were written",
    }
    required = [
        *(f"ce_{name}" for name in always),
        *(f"ce_{name}" for name in sorted(PER_TYPE)),
        "content-type",
    ]
    return {
        "contentType": "application/json",
        "headers": {"type": "object", "required": required, "properties": properties},
    }


def _schemas(types: list[type[Payload]]) -> Node:
    _, all_of_them = models_json_schema(
        [(each, "serialization") for each in types],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    return {name: _plain(schema) for name, schema in sorted(all_of_them["$defs"].items())}


def _plain(schema: Any, names: bool = False) -> Any:
    """As AsyncAPI reads schemas: a discriminator is the name of a field. Titles made from names say nothing."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if names:
        return {name: _plain(each) for name, each in schema.items()}
    made: Node = {}
    for key, value in schema.items():
        if key == "discriminator":
            made[key] = value["propertyName"]
        elif key in {"default", "const", "enum"}:
            made[key] = value
        elif key != "title":
            made[key] = _plain(value, names=key == "properties")
    return made


def _ref(path: str) -> Node:
    return {"$ref": f"#/components/{path}"}
