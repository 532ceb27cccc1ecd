"""Every write may carry an `Idempotency-Key`: the same request is done once and answered the same.

The key belongs to its principal. The answer is kept for a day; the same key with another request is refused. An error is
not kept: nothing was done, and the request may be sent again with the key that it had.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import asyncio
import contextlib
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hub.accounts.errors import Unauthenticated
from hub.http.authentication import SAFE_METHODS
from hub.http.context import AppContext
from hub.http.reserving import PATIENCE_SECONDS, busy, reserve
from schemas.accounts import AnsweredRequest, Principal
from schemas.errors import Conflict, Invalid
from schemas.ids import command_id, derive

KEY = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_FOR = timedelta(days=1)
KEPT_HEADERS = ("content-type", "etag", "location", "link", "cache-control")
NESTING = re.compile(rb'"(?:[^"\\]++|\\.|\\\Z)*+"?|[\[{]|[\]}]', re.DOTALL)  # possessive: linear on any input
ANONYMOUS_BODY_BYTES = 16 * 2**10
REPLAYED = "Idempotency-Replayed"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyReused(Invalid):
    """The same Idempotency-Key came with another request."""


def request_id(request: Request) -> UUID:
    """The id of what the request asks for: derived from its Idempotency-Key, else new."""
    id: UUID = request.state.command
    return id


def keep_instead(request: Request, body: bytes) -> None:
    """What to keep as the answer, where the real one holds a secret that is shown once."""
    request.state.answer_kept = body


@dataclass
class Turns:
    """One request of an id at a time, so that a double click waits for its first half. Raises Outage when that takes too long."""

    _locks: dict[UUID, tuple[asyncio.Lock, int]] = field(default_factory=dict)

    @asynccontextmanager
    async def of(self, id: UUID, patience_seconds: float) -> AsyncIterator[None]:
        lock, users = self._locks.get(id, (asyncio.Lock(), 0))
        self._locks[id] = lock, users + 1
        try:
            try:
                async with asyncio.timeout(patience_seconds):
                    await lock.acquire()
            except TimeoutError:
                raise busy() from None
            try:
                yield
            finally:
                lock.release()
        finally:
            _, users = self._locks[id]
            if users == 1:
                del self._locks[id]
            else:
                self._locks[id] = lock, users - 1


class Operation(APIRoute):
    """A route of the API: JSON within the depth limit, and once in effect for an Idempotency-Key."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request.state.command = command_id("none", secrets.token_hex(16))
            if request.method in SAFE_METHODS:
                return await handler(request)
            body = await request.body()
            principal: Principal | None = request.state.principal
            if principal is None and len(body) > ANONYMOUS_BODY_BYTES:
                raise Unauthenticated("sign in first")
            context: AppContext = request.app.state.context
            if "json" in request.headers.get("content-type", "json"):
                _check_depth(body, context.facts.limits.json_depth)
            key = request.headers.get("idempotency-key")
            if key is None or principal is None:
                return await handler(request)
            if not KEY.fullmatch(key):
                raise Invalid(
                    "the Idempotency-Key cannot be used",
                    {"header.idempotency-key": "use 1 to 255 visible ASCII characters"},
                )
            owner = f"{principal.kind}:{principal.id}"
            request.state.command = command_id(owner, key)
            return await _once(request, handler, context, derive("answer", owner, key), body)

        return handle


async def _once(request: Request, handler: Handler, context: AppContext, id: UUID, body: bytes) -> Response:
    digest = _digest(request, body)
    turns: Turns = request.app.state.turns
    patience = min(PATIENCE_SECONDS, context.facts.limits.answer_seconds / 2)
    async with turns.of(id, patience):
        place = await reserve(context.engine, context.clock, id, digest, patience)
        if isinstance(place, AnsweredRequest):
            return _replayed(place, digest)
        try:
            async with place.renewed():
                response = await handler(request)
        except BaseException:
            await place.release()
            raise
        if not 200 <= response.status_code < 300 or not hasattr(response, "body"):
            await place.release()
            return response
        answered = AnsweredRequest(
            id=id,
            digest=digest,
            status=response.status_code,
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
            body=getattr(request.state, "answer_kept", bytes(response.body)),
            expires_at=context.clock.now() + KEPT_FOR,
        )
        with contextlib.suppress(
            Conflict
        ):  # another process answered the same; it is once in effect by its id
            await place.keep(answered)
        return response


def _replayed(before: AnsweredRequest, digest: str) -> Response:
    if before.digest != digest:
        raise KeyReused(
            "this Idempotency-Key was used for another request",
            {"header.idempotency-key": "use a new key for each new request"},
        )
    return Response(before.body, before.status, {**before.headers, REPLAYED: "true"})


def _digest(request: Request, body: bytes) -> str:
    named = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(named.encode() + body).hexdigest()


def _check_depth(body: bytes, most: int) -> None:
    """Refuse JSON that nests deeper than anything of ours, before a parser recurses into it."""
    depth = 0
    for match in NESTING.finditer(body):
        mark = match[0][:1]
        depth += 1 if mark in b"[{" else -1 if mark in b"]}" else 0
        if depth > most:
            raise HTTPException(400, f"the JSON nests deeper than {most} levels")
