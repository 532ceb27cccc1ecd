"""Takes answers at /answers, and knows a repeated one by its Idempotency-Key, as a good receiver does."""

import asyncio
import json
from collections import deque
from typing import Any

from aiohttp import web


class Receiver:
    """`faults`: status codes for the next requests; `drop` takes one and answers nothing, `broken` takes one and fails."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.faults: deque[str] = deque()
        self.taken: dict[str, dict[str, Any]] = {}
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/answers/{conversation}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        fault = self.faults.popleft() if self.faults else ""
        if request.headers.get("x-token") != self._token:
            return web.Response(status=401)
        if fault.isdigit():
            headers = {"retry-after": "7"} if fault == "429" else {}
            return web.Response(status=int(fault), headers=headers)
        key = request.headers.get("idempotency-key", "")
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(body)
        self.taken.setdefault(key, {"conversation": request.match_info["conversation"], **json.loads(body)})
        if fault == "drop" and request.transport is not None:
            request.transport.abort()
            await asyncio.sleep(0)
        if fault == "broken":
            return web.Response(status=503)
        return web.json_response({"id": f"answer-{len(self.taken)}"})
