"""docs/events/: the JSON Schema of each event type with its CloudEvents context, and the catalogue by topic."""

import json
from typing import Any

from hub.docs.markdown import code, first_sentence, page, table
from schemas import codec
from schemas.events import EVENT_TYPES, Payload, dataschema
from schemas.notices import CaseNotice
from schemas.topics import TOPICS, Topic

assert codec.DECLARING_MODULES  # importing them fills EVENT_TYPES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
HEAD = """
Every event is a [CloudEvent](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) 1.0: in the structured JSON
form over SSE and the command line, in the binary form (data in the value, all else in headers) on Kafka. A schema
here describes the structured form. `dataschema` changes with each breaking version of a type; fields may be added at any time,
so ignore those that you do not know. Fields marked `x-personal` tell of a person.
"""
NOTICES = "What webhooks are sent. They are CloudEvents, and not on the log: `causationid` is the event that they tell of."
CONTEXT: dict[str, Any] = {
    "specversion": {"const": "1.0"},
    "id": {
        "type": "string",
        "format": "uuid",
        "description": "derived: the same fact told again has the same id",
    },
    "source": {"type": "string", "format": "uri-reference"},
    "time": {"type": "string", "format": "date-time"},
    "datacontenttype": {"const": "application/json"},
    "partitionkey": {"type": "string", "description": "what orders the topic"},
    "correlationid": {
        "type": "string",
        "format": "uuid",
        "description": "the head of the chain that this answers",
    },
}
OPTIONAL: dict[str, Any] = {
    "causationid": {"type": "string", "format": "uuid", "description": "the event that this answers"},
    "sequence": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "events of a case: the case's own count",
    },
    "chain": {"type": "string", "description": "the automations that led here, oldest first, by commas"},
    "configuration": {"type": "integer", "description": "version of the configuration it was decided under"},
    "late": {"const": True, "description": "a dead letter that was replayed"},
}


def event_schema(payload: type[Payload]) -> dict[str, Any]:
    """The schema of a whole event, as readers get it."""
    content = payload.model_json_schema(mode="serialization", by_alias=True)
    definitions = content.pop("$defs", {})
    own = {
        "type": {"const": payload.type},
        "topic": {"const": str(payload.topic)},
        "dataschema": {"const": dataschema(payload)},
    }
    return {
        "$schema": DRAFT,
        "$id": dataschema(payload),
        "title": payload.type,
        "description": content.pop("description", ""),
        "type": "object",
        "required": [*CONTEXT, *own, "data"],
        "properties": {**CONTEXT, **own, **OPTIONAL, "data": content},
        "$defs": definitions,
    }


def notice_schema(notice: type[CaseNotice]) -> dict[str, Any]:
    """The schema of a notice, as a webhook gets it."""
    content = notice.model_json_schema(mode="serialization", by_alias=True)
    definitions = content.pop("$defs", {})
    names = ("specversion", "id", "source", "time", "datacontenttype")
    own = {"type": {"const": notice.type}, "dataschema": {"const": notice.dataschema}}
    properties = {**{name: CONTEXT[name] for name in names}, **own, "causationid": OPTIONAL["causationid"]}
    return {
        "$schema": DRAFT,
        "$id": notice.dataschema,
        "title": notice.type,
        "description": content.pop("description", ""),
        "type": "object",
        "required": [*properties, "data"],
        "properties": {**properties, "data": content},
        "$defs": definitions,
    }


def event_files() -> dict[str, str]:
    """File below docs/events -> its text."""
    schemas = {name: event_schema(payload) for name, payload in sorted(EVENT_TYPES.items())}
    schemas[CaseNotice.type] = notice_schema(CaseNotice)
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def catalogue() -> str:
    sections = [_topic(topic) for topic in TOPICS]
    context = table(
        ("attribute", "meaning"),
        [
            (code(name), str(schema.get("description", schema.get("const", ""))))
            for name, schema in {**CONTEXT, **OPTIONAL}.items()
        ],
    )
    return page("Events", HEAD, f"## Attributes\n\n{context}", *sections, _notices())


def _notices() -> str:
    row = [f"[{code(CaseNotice.type)}]({CaseNotice.type}.json)", "1", first_sentence(CaseNotice.__doc__)]
    return f"## Notices\n\n{NOTICES}\n\n" + table(("type", "version", "says"), [row])


def _topic(topic: Topic) -> str:
    contract = TOPICS[topic]
    kept = f"kept {contract.retention_days} days" if contract.retention_days else "kept for ever"
    types = [each for each in EVENT_TYPES.values() if each.topic is topic]
    rows = [
        (f"[{code(each.type)}]({each.type}.json)", str(each.version), first_sentence(_own_doc(each)))
        for each in sorted(types, key=lambda each: each.type)
    ]
    return f"## {topic}\n\nKey: {contract.key}; {kept}. Says: {contract.says}.\n\n" + table(
        ("type", "version", "says"), rows
    )


def _own_doc(payload: type[Payload]) -> str | None:
    return payload.__dict__.get("__doc__")
