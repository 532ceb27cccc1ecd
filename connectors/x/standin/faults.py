"""What goes wrong with calls of the stand-in, and how X says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call. `kind`: limited, status:CODE, denied:WORDS, drop, held (until `released` is set), or nothing.

    `after`: it was done nonetheless.
    """

    kind: str
    after: bool = False
    reset_seconds: int | None = 7


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    told = {"title": detail, "detail": detail, "status": status, "type": "about:blank"}
    return web.json_response(told, status=status, headers=dict(headers or {}))


def failed(request: web.Request, fault: Fault) -> web.StreamResponse:
    kind, _, detail = fault.kind.partition(":")
    if kind == "limited":
        headers = {"x-rate-limit-remaining": "0"}
        if fault.reset_seconds is not None:
            headers["retry-after"] = str(fault.reset_seconds)
        return problem(429, "Too Many Requests", headers)
    if kind == "denied":
        return problem(403, detail)
    if kind == "status":
        return web.Response(text="<html>upstream error</html>", status=int(detail), content_type="text/html")
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
