"""The outermost layers of the application: request ids, security headers, limits on size and time, measuring."""

import asyncio
import re
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.http.context import Facts, Limits
from hub.http.problems import problem
from hub.observe import Metric, Metrics

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": API_POLICY,
}
HSTS = "max-age=31536000; includeSubDomains"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UPLOADS = re.compile(
    r"/api/v1/ingest/email|/api/v1/cases/[^/]+/files|/console/(queues|views)/[^/]+/[^/]+/(files|write)"
)
LONG_ANSWERS = frozenset({"/api/v1/verify", "/api/v1/backup", "/api/v1/ingest/email"})

log = structlog.get_logger(__name__)


class Shield:
    """Gives each request an id and each response the security headers; a fault becomes a problem, never a trace.

    A page of the console sets a Content-Security-Policy of its own; what is set stays.
    """

    def __init__(self, app: ASGIApp, facts: Facts, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics
        self._headers = HEADERS | ({"Strict-Transport-Security": HSTS} if facts.is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        began = time.monotonic()

        async def send_shielded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith(
                    "/api/"
                ):  # pages of the console say for themselves what may be kept
                    headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self.app(scope, receive, send_shielded)
            except (
                ClientDisconnect
            ):  # it left before it had said all: nobody waits for an answer, and it is no fault
                log.debug("client-left", route=_route(scope))
            except Exception as error:  # the last place that can answer; the log has it all
                log.error("request-failed", path=_route(scope), kind=type(error).__name__, exc_info=error)
                if status == 0:
                    answer = problem(500, "something went wrong here; the log of the hub says what", scope)
                    await answer(scope, receive, send_shielded)
            finally:
                self._measure(scope, status, time.monotonic() - began)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = _method(scope), _route(scope)
        self._metrics.add(Metric.HTTP_REQUESTS, method=method, route=route, status=str(status))
        if not scope["state"].get("is_stream"):
            self._metrics.observe(Metric.HTTP_SECONDS, seconds, method=method, route=route)


class Bounded:
    """Bodies are bounded in size and in the time that they take to come, answers in the time until they start."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except _Refusal as refusal:
            answer = problem(refusal.status, refusal.detail, scope, headers=refusal.headers)
            await answer(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        limits = self._limits
        body = _Body(receive, limits, is_upload=UPLOADS.fullmatch(scope["path"]) is not None)
        body.check(_declared_length(scope))
        seconds = None if scope["path"] in LONG_ANSWERS else limits.answer_seconds + body.seconds

        deadline = asyncio.timeout(seconds)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                body.is_over = True
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await self.app(scope, body.receive, send_noted)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise _Refusal(503, "the hub took too long; try again", {"Retry-After": "5"}) from None


class _Body:
    """A request's body as it comes in."""

    def __init__(self, receive: Receive, limits: Limits, *, is_upload: bool) -> None:
        self._receive = receive
        self._most = limits.upload_bytes if is_upload else limits.body_bytes
        self.seconds = limits.upload_seconds if is_upload else limits.body_seconds
        self._deadline = asyncio.get_running_loop().time() + self.seconds
        self._taken = 0
        self.is_over = False

    def check(self, size: int) -> None:
        if size > self._most:
            raise _Refusal(413, f"the body is larger than {self._most} bytes", {"Connection": "close"})

    async def receive(self) -> Message:
        if self.is_over:  # an answer that lasts waits here for the client to leave
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            detail = f"the body did not come within {self.seconds:g} s"
            raise _Refusal(408, detail, {"Connection": "close"}) from None
        self._taken += len(message.get("body", b""))
        self.check(self._taken)
        self.is_over = not message.get("more_body", False)
        return message


class _Refusal(BaseException):
    """Passes through frameworks that catch every Exception while they read a body."""

    def __init__(self, status: int, detail: str, headers: dict[str, str]) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else 0
    return 0


def _request_id(scope: Scope) -> str:
    """The caller's id where it has one that can stand in a log line, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = str(value.decode("latin-1"))
            if REQUEST_ID.fullmatch(given):
                return given
    return secrets.token_hex(6)


def _method(scope: MutableMapping[str, Any]) -> str:
    method = str(scope["method"])
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _route(scope: MutableMapping[str, Any]) -> str:
    """The template of the route, never the path: that may hold anything."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "unmatched"
