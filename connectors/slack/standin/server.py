"""The stand-in as a server: the Web API at /api/, files at /files/, Socket Mode at /socket, and events posted to an address."""

import asyncio
import contextlib
import itertools
import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from connectors.slack.signature import SIGNATURE, TIMESTAMP, sign
from connectors.slack.standin.api import Api, ApiError, Fault
from connectors.slack.standin.workspace import APP, BOT_USER, Json, Workspace

BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-standin", "xapp-standin", "standin-signing-secret"
RETRY_SECONDS = (0.0, 60.0, 300.0)
ACK_SECONDS = 3.0
UPLOAD_BYTES = 64 << 20


class SlackStandin:
    """`request_url`: where events are posted; without it they go to a Socket Mode connection, or wait for one."""

    def __init__(
        self,
        request_url: str | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        ack_seconds: float = ACK_SECONDS,
        slow_seconds: float = 30.0,
    ) -> None:
        self.request_url = request_url
        self.workspace = Workspace(lambda: datetime.now(UTC), self._tell)
        self.api = Api(self.workspace, BOT_TOKEN, APP_TOKEN)
        self.signing_secret = SIGNING_SECRET
        self.is_down = False
        """Refuses every call, and keeps no events: as an outage of the network looks."""
        self.given_up: list[Json] = []
        self.acknowledged: list[str] = []
        self._retry_seconds = retry_seconds
        self._ack_seconds = ack_seconds
        self._slow_seconds = slow_seconds
        self._sockets: list[web.WebSocketResponse] = []
        self._socket_opened = asyncio.Event()
        self._acks: dict[str, asyncio.Event] = {}
        self._numbers = itertools.count(1)
        self._deliveries: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=UPLOAD_BYTES)
        app.router.add_route("*", "/api/{method}", self._method)
        app.router.add_get("/files/{id}/{name}", self._file)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_get("/socket", self._socket)
        app.router.add_get("/oauth/v2/authorize", self._authorize)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        self.api.base_url = self.url
        self.api.socket_url = lambda: f"{self.url.replace('http', 'ws', 1)}/socket"
        self._session = aiohttp.ClientSession(trust_env=False)

    async def stop(self) -> None:
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        await self.close_sockets()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def settled(self) -> None:
        """Until every event is acknowledged or given up."""
        while self._deliveries:
            await asyncio.gather(*self._deliveries, return_exceptions=True)

    async def close_sockets(self, reason: str = "") -> None:
        """End the Socket Mode connections; with a reason, Slack says so before."""
        for socket in list(self._sockets):
            if reason:
                with contextlib.suppress(ConnectionError):
                    await socket.send_json({"type": "disconnect", "reason": reason})
            await socket.close()

    # -- events -------------------------------------------------------------------------------------------------------

    def _tell(self, event: Json) -> None:
        if self.is_down:
            return
        for file in event.get("files", []):
            self._address(file)
        envelope = self.envelope(event)
        task = asyncio.get_running_loop().create_task(self._deliver(envelope))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    def envelope(self, event: Json, team: str | None = None) -> Json:
        """`team`: the workspace through which it reaches the app."""
        number = next(self._numbers)
        team = team or self.workspace.team
        authorization = {"team_id": team, "user_id": BOT_USER, "is_bot": True}
        return {
            "type": "event_callback",
            "token": "deprecated",
            "team_id": team,
            "api_app_id": APP,
            "event": json.loads(json.dumps(event)),
            "event_id": f"Ev{number:08d}",
            "event_time": int(datetime.now(UTC).timestamp()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
        }

    def _address(self, file: Json) -> None:
        if file.get("id") in self.workspace.contents and "url_private" not in file:
            file["url_private"] = f"{self.url}/files/{file['id']}/{file['name']}"
            file["url_private_download"] = file["url_private"]

    async def _deliver(self, envelope: Json) -> None:
        deliver = self._post if self.request_url else self._send
        for attempt, wait in enumerate((None, *self._retry_seconds)):
            if wait is not None:
                await asyncio.sleep(wait)
            if await deliver(envelope, attempt):
                self.acknowledged.append(envelope["event_id"])
                return
        self.given_up.append(envelope)

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        """A signed request to the app; the status of its answer."""
        assert self._session is not None and self.request_url is not None
        now = int(datetime.now(UTC).timestamp())
        signed = {
            "content-type": "application/json",
            TIMESTAMP: str(now),
            SIGNATURE: sign(self.signing_secret, now, body),
            **(headers or {}),
        }
        timeout = aiohttp.ClientTimeout(total=self._ack_seconds)
        async with self._session.post(self.request_url, data=body, headers=signed, timeout=timeout) as answer:
            await answer.read()
            return answer.status

    async def _post(self, envelope: Json, attempt: int) -> bool:
        retry = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": "http_error"} if attempt else {}
        try:
            return await self.post(json.dumps(envelope).encode(), retry) // 100 == 2
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return False

    async def _send(self, envelope: Json, attempt: int) -> bool:
        while not self._sockets:
            self._socket_opened.clear()
            await self._socket_opened.wait()
        socket = self._sockets[next(self._numbers) % len(self._sockets)]
        id = f"{envelope['event_id']}-{attempt}"
        acked = self._acks[id] = asyncio.Event()
        frame = {
            "type": "events_api",
            "envelope_id": id,
            "payload": envelope,
            "accepts_response_payload": False,
            "retry_attempt": attempt,
            "retry_reason": "timeout" if attempt else "",
        }
        try:
            await socket.send_json(frame)
            await asyncio.wait_for(acked.wait(), self._ack_seconds)
        except (ConnectionError, TimeoutError):
            return False
        finally:
            del self._acks[id]
        return True

    # -- what the app calls ---------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        info = {"approximate_connection_time": 3600}
        await socket.send_json(
            {"type": "hello", "num_connections": len(self._sockets) + 1, "debug_info": info}
        )
        self._sockets.append(socket)
        self._socket_opened.set()
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    acked = self._acks.get(json.loads(frame.data).get("envelope_id", ""))
                    if acked is not None:
                        acked.set()
        finally:
            self._sockets.remove(socket)
        return socket

    async def _method(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        values = await _values(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.is_down:
            return _dropped(request)
        fault = self.api.next_fault(method)
        if fault is not None and not fault.after:
            return await self._fail(request, fault)
        try:
            answer = {"ok": True, **self._answer(request, method, token, values)}
        except ApiError as error:
            answer = {"ok": False, "error": str(error), **error.more}
        if fault is not None:
            return await self._fail(request, fault)
        for message in answer.get("messages", []):
            for file in message.get("files", []):
                self._address(file)
        return web.json_response(answer, headers={"x-oauth-scopes": self.api.scopes})

    def _answer(self, request: web.Request, method: str, token: str, values: Json) -> Json:
        if method != "oauth.v2.access":
            return self.api.call(method, token, values)
        given = request.headers.get("authorization", "")
        if given.startswith("Basic "):
            id, _, secret = b64decode(given.removeprefix("Basic ")).decode().partition(":")
            return self.api.access((id, secret), values)
        client = values.pop("client_id", ""), values.pop("client_secret", "")
        return self.api.access(client, values)

    async def _authorize(self, request: web.Request) -> web.Response:
        """The page that an administrator approves, or not, at once."""
        return web.Response(status=302, headers={"location": self.api.oauth.authorize(dict(request.query))})

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        kind, _, detail = fault.kind.partition(":")
        if kind == "slow":
            await asyncio.sleep(self._slow_seconds)
            return web.json_response({"ok": True})
        if kind == "limited":
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if kind == "status":
            return web.Response(
                text="<html>upstream error</html>", status=int(detail), content_type="text/html"
            )
        if kind == "error":
            return web.json_response({"ok": False, "error": detail})
        return _dropped(request)

    async def _file(self, request: web.Request) -> web.Response:
        """Without a token Slack answers with a page to sign in, and 200."""
        try:
            self.api.team_of(request.headers.get("authorization", "").removeprefix("Bearer "))
        except ApiError:
            return web.Response(text="<!DOCTYPE html><html>Sign in</html>", content_type="text/html")
        content = self.workspace.contents.get(request.match_info["id"])
        return web.Response(body=content) if content is not None else web.Response(status=404)

    async def _upload(self, request: web.Request) -> web.Response:
        is_known = self.api.uploaded(request.match_info["id"], await request.read())
        return web.Response(text="OK" if is_known else "wrong length", status=200 if is_known else 400)


def _dropped(request: web.Request) -> web.Response:
    """The connection ends without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _values(request: web.Request) -> Json:
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        values.update(await request.json())
    elif request.method == "POST":
        values.update(
            {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        )
    return values
