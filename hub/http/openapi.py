"""The OpenAPI document: what every operation shares is said here once."""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hub.http.problems import MEDIA_TYPE, Problem
from hub.http.views import CASE_EXAMPLE

DESCRIPTION = """\
Read and answer cases, follow the log, and run the hub.

- **Who asks.** An API key (`Authorization: Bearer hk_…`), or the console's session cookie with `X-CSRF-Token` on writes.
- **Errors** are problem details (RFC 9457); `type` names the kind, `errors` the fields.
- **Writes** take an `Idempotency-Key`: the same key is the same request, done once; its answer is kept for a day and
  given again with `Idempotency-Replayed: true`. The same key with another request is refused (422).
- **Cases** have their sequence as `ETag`; `If-Match` refuses a command when the case moved on (412).
- **Lists** are read by pages: give `next` as `after`, or follow the `Link` header.
- What you may not see does not exist: 404, never 403.
"""
TAGS = [
    {"name": "session", "description": "Signing in, and one's own account."},
    {"name": "cases", "description": "Queues, cases, timelines, search."},
    {"name": "case commands", "description": "What agents do to a case."},
    {"name": "writing", "description": "Answers, conversations that we start, messages that are handed on."},
    {"name": "customers", "description": "Persons: the handles that are linked now."},
    {"name": "files", "description": "Attachments and originals."},
    {"name": "events", "description": "The log, by pages and as a stream that resumes."},
    {"name": "letters", "description": "Quarantine and dead letters."},
    {"name": "operations", "description": "Verify, backup, ingest, health, metrics."},
    {"name": "configuration", "description": "Rules, queues, templates, hours: versions and publishing."},
    {"name": "accounts", "description": "Users, API keys, the audit trail."},
]
WRITES = ("post", "put", "patch", "delete")
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "the same key is the same request: done once, answered the same",
    "example": "7d6f0d0a-2f0e-4a53-9d06-0d1c6c1f4a55",
}


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` complete: the schema of problems, and the header that every write takes."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                tags=app.openapi_tags,
                routes=app.routes,
            )
            app.openapi_schema = _completed(document)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in document["paths"].values():
        for method, operation in operations.items():
            parameters = operation.setdefault("parameters", [])
            parameters[:] = [each for each in parameters if each["name"] != "idempotency-key"]
            if method in WRITES:
                parameters.append(IDEMPOTENCY_KEY)
            if "422" in operation["responses"]:
                operation["responses"]["422"]["content"] = content
            operation["responses"]["default"] = {"description": "A problem", "content": content}
    schemas["CaseOut"]["example"] = CASE_EXAMPLE  # FastAPI drops what is null in examples
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    return document


def openapi_json(app: FastAPI) -> str:
    """The document as docs/openapi.json holds it: sorted, so that a change shows as what it is."""
    return json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
