"""The door in front of an application: closed until it starts and when it stops; what is inside may finish."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.webform import responses

RETRY_SECONDS = 5.0


class Gate:
    """An ASGI application. While closed, each request is answered with 503 and nothing of it is read."""

    def __init__(self, inside: ASGIApp) -> None:
        self._inside = inside
        self._is_open = False
        self._count = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_open and scope["type"] == "http":
            headers = responses.retry_headers(RETRY_SECONDS)
            await responses.problem(503, "", "forms are not taken now; try again", headers)(
                scope, receive, send
            )
            return
        self._count += 1
        self._is_empty.clear()
        try:
            await self._inside(scope, receive, send)
        finally:
            self._count -= 1
            if not self._count:
                self._is_empty.set()

    def open(self) -> None:
        self._is_open = True

    async def close(self, grace_seconds: float) -> None:
        """Returns when all that was inside is answered, or the grace is over."""
        self._is_open = False
        try:
            async with asyncio.timeout(grace_seconds):
                await self._is_empty.wait()
        except TimeoutError:
            return
