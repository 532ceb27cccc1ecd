"""Answers, each with the headers that keep a browser from doing more than is meant."""

import json
from collections.abc import Mapping
from math import ceil

from starlette.responses import Response

SECURITY: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: a browser then hides from us that a post came from our own page (Origin: null).
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
)
NO_PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'"
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


def page(
    html: str, form_action: str = "'self'", status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A page for one visitor: it holds a token, so no cache may keep it."""
    policy = PAGE_POLICY.format(form_action=form_action)
    own = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "content-type": "text/html; charset=utf-8",
    }
    return Response(html, status, {**SECURITY, **own, **(headers or {})})


def answer(content: Mapping[str, object], headers: Mapping[str, str], status: int = 200) -> Response:
    return _json(content, "application/json", status, headers)


def problem(
    status: int, text: str, detail: str, headers: Mapping[str, str], more: Mapping[str, object] | None = None
) -> Response:
    """RFC 9457. `message` is for the visitor, in the visitor's language, `detail` for a developer."""
    content: dict[str, object] = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "message": text,
        **(more or {}),
    }
    return _json(content, "application/problem+json", status, headers)


def retry_headers(seconds: float | None) -> dict[str, str]:
    """Whole seconds, at least one (RFC 9110 section 10.2.3)."""
    return {} if seconds is None else {"retry-after": str(max(1, ceil(seconds)))}


def _json(
    content: Mapping[str, object], media_type: str, status: int, headers: Mapping[str, str]
) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    own = {"content-type": media_type, "cache-control": "no-store", "content-security-policy": NO_PAGE_POLICY}
    return Response(body, status, {**SECURITY, **own, **headers})
