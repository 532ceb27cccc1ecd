"""The public intake: the webhooks of channels at /hooks/{channel}/{account}, and everything else to the one channel with pages.

Bodies are read raw, within bounds of size and time; what they mean is the channel's own (connectors.kit.hooks).
"""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.kit.hooks import Hook, HookAnswer, HookRequest, serve
from schemas.ports import Clock

PREFIX = "/hooks/"
METHODS = frozenset({"GET", "POST", "HEAD"})
BODY_SECONDS = 20.0
AT_ONCE = 128
BYTES_IN_FLIGHT = 128 * 2**20
"""Of bodies that are being read or taken: whoever sends slowly holds little of it, and no place of those who are served."""
QUERY_FIELDS = 100
BUSY = HookAnswer(503, b"try again later", headers={"retry-after": "1"})


class TooLarge(Exception):
    """The body has more bytes than the hook takes."""


class TooMany(Exception):
    """The bodies that come just now have more bytes than memory is meant for."""


class HookServer:
    """An ASGI application. `hooks`: (channel, account) -> what answers there; `others` answers at all other paths."""

    def __init__(
        self,
        hooks: Mapping[tuple[str, str], Hook],
        others: ASGIApp,
        clock: Clock,
        is_stopping: Callable[[], bool] = lambda: False,
        is_paused: Callable[[str, str], bool] = lambda _channel, _account: False,
    ) -> None:
        self._hooks = dict(hooks)
        self._others = others
        self._clock = clock
        self._is_stopping = is_stopping
        self._is_paused = is_paused
        self._busy = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._others(scope, receive, send)
            return
        answer = await self._answered(Request(scope, receive))
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff", **answer.headers}
        body = b"" if scope["method"] == "HEAD" else answer.body
        await Response(body, answer.status, headers, answer.media_type)(scope, receive, send)

    async def _answered(self, request: Request) -> HookAnswer:
        channel, _, rest = request.url.path.removeprefix(PREFIX).partition("/")
        account, slash, below = rest.partition("/")
        hook = self._hooks.get((unquote(channel), unquote(account)))
        if hook is None:
            return HookAnswer(404, b"there is no such hook")
        if request.method not in METHODS:
            return HookAnswer(405, b"GET or POST", headers={"allow": "GET, POST"})
        paused = self._is_paused(hook.receiver.channel, hook.receiver.account)
        if paused or self._is_stopping():
            return BUSY
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await self._read(request, body, hook.body_bytes)
            return await self._served(hook, self._asked(request, bytes(body), slash + below))
        except TooLarge:
            return HookAnswer(413, f"at most {hook.body_bytes} bytes".encode())
        except TooMany:
            return BUSY
        except (TimeoutError, ClientDisconnect):
            return HookAnswer(408, b"the body did not come in time")
        finally:
            self._bytes -= len(body)

    async def _served(self, hook: Hook, request: HookRequest) -> HookAnswer:
        if self._busy >= AT_ONCE:
            return BUSY
        self._busy += 1
        try:
            return await serve(hook, request)
        finally:
            self._busy -= 1

    async def _read(self, request: Request, body: bytearray, most: int) -> None:
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise TooLarge
        async for chunk in request.stream():
            body += chunk
            self._bytes += len(chunk)
            if len(body) > most:
                raise TooLarge
            if self._bytes > BYTES_IN_FLIGHT:
                raise TooMany

    def _asked(self, request: Request, body: bytes, path: str) -> HookRequest:
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        try:
            query = dict(parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=QUERY_FIELDS))
        except ValueError:
            query = {}
        return HookRequest(request.method, headers, body, self._clock.now(), query, path)
