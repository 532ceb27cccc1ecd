"""A walk over all routes of an application, as they are: a new route is walked from its first day.

Path parameters get the ids of one victim; bodies are made from the OpenAPI document.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from schemas.documents import Case, Entry

PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
FORMATS = {"uuid": "00000000-0000-5000-8000-000000000000", "date-time": "2026-03-03T09:00:00Z"}


@dataclass(frozen=True)
class Step:
    """One request of the walk, and how it was answered."""

    method: str
    path: str
    answer: httpx.Response

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {self.answer.status_code} {self.answer.text[:300]}"


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and template of every route, documented or not."""
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or {"GET"}):
            if route.path and method not in {"HEAD", "OPTIONS"}:
                yield method, route.path


def victim_parameters(case: Case, entry: Entry) -> dict[str, str]:
    """What stands in a path for this case. A parameter without a value here fails the walk: name it."""
    attachment = next(each.blob for each in entry.attachments if each.blob)
    return {
        "case": str(case.id),
        "number": case.number,
        "entry": str(entry.id),
        "sha256": attachment.sha256,
        "message": str(entry.id),
        "person": str(case.handle),
        "handle": str(case.handle),
        "other": str(case.handle),
        "item": str(entry.id),
        "letter": str(entry.id),
        "name": "root",
        "key": str(entry.id),
        "session": str(entry.id),
        "queue": case.queue,
        "block": str(entry.id),
        "organization": str(entry.id),
    }


async def walk(
    app: FastAPI, client: httpx.AsyncClient, parameters: Mapping[str, str], skip: tuple[str, ...] = ()
) -> AsyncIterator[Step]:
    """Ask for every route once. Streams are asked for like the rest; they must refuse or be in `skip`."""
    document = app.openapi()
    for method, template in routes(app):
        if template in skip:
            continue
        path = PARAMETER.sub(lambda match: parameters[match[1]], template)
        operation = document["paths"].get(template, {}).get(method.lower(), {})
        query = {
            each["name"]: parameters.get(each["name"], "Message")
            for each in operation.get("parameters", ())
            if each["in"] == "query" and each.get("required")
        }
        body = body_of(document, operation)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        content = json.dumps(body) if body is not None else None
        yield Step(
            method,
            template,
            await client.request(method, path, params=query, content=content, headers=headers),
        )


def body_of(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:
    """A body that fits the operation's schema."""
    content = operation.get("requestBody", {}).get("content", {})
    return sample(document, content["application/json"]["schema"]) if "application/json" in content else None


def sample(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """The smallest thing that fits a schema, an example where it has one."""
    if "$ref" in schema:
        return sample(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for several in ("examples", "enum"):
        if schema.get(several):
            return schema[several][0]
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return sample(document, choices[0])
    if schema.get("type") == "object":
        return {name: sample(document, schema["properties"][name]) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [sample(document, schema["items"])] * schema.get("minItems", 0)
    text = FORMATS.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
    return {"boolean": True, "integer": schema.get("minimum", 1), "string": text}.get(schema.get("type", ""))
