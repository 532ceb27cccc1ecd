"""Errors as problem details (RFC 9457). One table says which error is which status; nothing else does.

A problem tells its reader what to change. It never holds a stack trace, nor the input that was wrong.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from hub.accounts.errors import Throttled, Unauthenticated
from schemas.errors import Conflict, Forbidden, HubbubError, Invalid, NotYet, Outage, Refused, Stale, Unknown

MEDIA_TYPE = "application/problem+json"
TYPES = "https://hubbub.example/problems"
PROBLEMS_SHOWN = 50

log = structlog.get_logger(__name__)

# The nearest class above an error decides. What is not here is a fault of ours: 500.
STATUS: dict[type[HubbubError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    Unknown: 404,
    Stale: 409,  # 412 when the request had If-Match
    Conflict: 409,
    Invalid: 422,
    Throttled: 429,
    NotYet: 503,
    Outage: 503,
    Refused: 409,  # such as a backup where the servers have their own means
}
KINDS: dict[int, str] = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "unknown",
    405: "method-not-allowed",
    408: "request-timeout",
    409: "conflict",
    412: "stale",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    500: "fault",
    503: "unavailable",
}


class FieldProblem(BaseModel):
    """One field, and what to change."""

    field: str = Field(description="the field's path: `body.text`, `query.limit`", examples=["body.text"])
    detail: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": f"{TYPES}/unknown",
                "title": "Not Found",
                "status": 404,
                "detail": "there is no such case, or it is in a queue that you do not read",
                "request": "3f2a9c11d0b4",
            }
        }
    )

    type: str = Field(description="names the kind of problem; compare it rather than the text")
    title: str
    status: int
    detail: str = ""
    request: str = Field(default="", description="the id of this request in the log of the hub")
    errors: list[FieldProblem] = Field(default_factory=list)
    now: dict[str, Any] | None = Field(default=None, description="409 and 412: what is true instead")


def problem(
    status: int,
    detail: str,
    scope: Scope | None = None,
    *,
    kind: str = "",
    errors: Mapping[str, str] | None = None,
    now: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for a problem; `scope` gives it the request's id."""
    body: dict[str, object] = {
        "type": f"{TYPES}/{kind or KINDS.get(status, 'problem')}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request": (scope or {}).get("state", {}).get("request_id", ""),
    }
    if errors:
        body["errors"] = [
            {"field": name, "detail": text} for name, text in list(errors.items())[:PROBLEMS_SHOWN]
        ]
    if now:
        body["now"] = dict(now)
    return Response(to_json(body), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def status_of(error: HubbubError, *, has_if_match: bool = False) -> int:
    if isinstance(error, Stale) and has_if_match:
        return 412
    return next((STATUS[each] for each in type(error).__mro__ if each in STATUS), 500)


def problem_of(error: HubbubError, scope: Scope) -> Response:
    """The response for an error of ours. What is no request's fault is logged."""
    names = {name for name, _ in scope.get("headers", ())}
    status = status_of(error, has_if_match=b"if-match" in names)
    if status == 500:
        log.error("request-failed", error=str(error), kind=type(error).__name__)
        return problem(500, "something went wrong here; the log of the hub says what", scope)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hubbub"'
    wait = getattr(error, "retry_after_seconds", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    return problem(
        status,
        str(error),
        scope,
        errors=error.problems if isinstance(error, Invalid) else None,
        now=error.now if isinstance(error, Stale) else None,
        headers=headers,
    )


async def _hubbub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubbubError)
    return problem_of(error, request.scope)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = {".".join(map(str, each["loc"])): str(each["msg"]) for each in error.errors()[:PROBLEMS_SHOWN]}
    return problem(
        422, "the request is not as documented; `errors` says which fields", request.scope, errors=errors
    )


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    if error.status_code == 404:
        detail = detail or "there is nothing at this address"
    return problem(error.status_code, detail, request.scope, headers=error.headers)


def install(app: FastAPI) -> None:
    app.add_exception_handler(HubbubError, _hubbub_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of an operation, for the OpenAPI document."""
    return {
        status: {
            "description": f"{HTTPStatus(status).phrase} (`{KINDS[status]}`)",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
