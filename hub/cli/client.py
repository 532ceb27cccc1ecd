"""How commands reach the hub: by its HTTP API, whether it runs or not.

When it runs, over the socket in its data folder. When it does not, the same application answers in this process, on the
data folder's engine and under its lock; what works behind the log (routing, sending, timers) then waits for the next start.
"""

import asyncio
import functools
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from hub.cli.errors import Exit, Failed, code_of_status
from hub.cli.output import line
from hub.cli.place import Place, place_of, with_place

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hub.wiring import Hub

SOCKET = "hub.sock"
SOCKET_PATH_AT_MOST = 100
BASE = "http://hubbub"
PROBLEMS_SHOWN = 20
PAGE = 200
STARTING_SECONDS = 10.0
"""So long a command waits for a hub that has the folder and does not answer yet."""

P = ParamSpec("P")
Query = Mapping[str, Any]


class Api:
    """The API under /api/v1. Errors end the command with the hub's own words."""

    def __init__(self, client: "httpx.AsyncClient", *, is_running: bool) -> None:
        self._client = client
        self.is_running = is_running

    async def get(self, path: str, query: Query | None = None) -> Any:
        return _content(await self._send("GET", path, params=_given(query)))

    async def get_bytes(self, path: str) -> bytes:
        return (await self._send("GET", path)).content

    async def post(self, path: str, body: object = None, query: Query | None = None) -> Any:
        return _content(await self._send("POST", path, json=body, params=_given(query)))

    async def post_bytes(self, path: str, content: bytes, media_type: str, query: Query | None = None) -> Any:
        headers = {"content-type": media_type}
        return _content(
            await self._send("POST", path, content=content, headers=headers, params=_given(query))
        )

    async def put(self, path: str, body: object) -> Any:
        return _content(await self._send("PUT", path, json=body))

    async def patch(self, path: str, body: object) -> Any:
        return _content(await self._send("PATCH", path, json=body))

    async def delete(self, path: str, query: Query | None = None) -> Any:
        return _content(await self._send("DELETE", path, params=_given(query)))

    async def pages(
        self, path: str, query: Query | None = None, most: int | None = None
    ) -> AsyncIterator[Any]:
        """The items of a list, page after page; at most so many."""
        after: str | None = None
        given = 0
        while most is None or given < most:
            limit = PAGE if most is None else min(PAGE, most - given)
            page = await self.get(path, {**(query or {}), "limit": limit, "after": after})
            for each in page["items"]:
                given += 1
                yield each
            after = page["next"]
            if after is None:
                return

    async def lines(
        self, method: str, path: str, query: Query | None = None, headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> AsyncIterator[str]:  # fmt: skip
        """The lines of an answer as they come, for as long as they come."""
        import httpx

        timeout = httpx.Timeout(30, read=None)
        try:
            async with self._client.stream(
                method,
                path,
                params=_given(query),
                headers=dict(headers or {}),
                content=content,
                timeout=timeout,
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise _refused(response)
                async for each in response.aiter_lines():
                    yield each
        except httpx.TransportError as error:
            raise _lost(error) from error

    async def _send(self, method: str, path: str, **request: Any) -> "httpx.Response":
        import httpx

        try:
            response = await self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise _lost(error) from error
        if response.is_error:
            raise _refused(response)
        return response


@asynccontextmanager
async def open_api(place: Place) -> AsyncIterator[Api]:
    """The API of an installation, running or not."""
    folder = place.folder()
    hub = None if folder is not None and is_running(folder) else await _opened(place, folder)
    if hub is None:
        assert folder is not None
        async with _over_socket(folder) as api:
            yield api
        return
    async with _in_process(hub) as api:
        yield api


async def _opened(place: Place, folder: Path | None) -> "Hub | None":
    """The hub in this process; None where another process has the folder and, if it was just starting, answers by now."""
    from hub.observe import configure_logging
    from hub.wiring import wire
    from schemas.errors import Outage
    from sinks.sqlite.errors import FolderInUse

    settings = place.settings()
    configure_logging("console", "ERROR")
    ends = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return await wire(settings, settings.data)
        except FolderInUse as in_use:
            if folder is not None and is_running(folder):
                return None
            if time.monotonic() > ends:
                raise Failed(str(in_use), Exit.OUTAGE) from in_use
            await asyncio.sleep(0.1)
        except Outage as outage:
            raise Failed(str(outage), Exit.OUTAGE) from outage


def is_running(folder: Path) -> bool:
    """Whether somebody answers at the socket of a data folder."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trying:
        trying.settimeout(5)
        try:
            trying.connect(_socket_path(folder))
        except OSError:
            return False
    return True


def _socket_path(folder: Path) -> str:
    """Paths of sockets are short (108 bytes on Linux): a long one is taken from where we are."""
    path = str(folder / SOCKET)
    return os.path.relpath(path) if len(os.fsencode(path)) > SOCKET_PATH_AT_MOST else path


@asynccontextmanager
async def _over_socket(folder: Path) -> AsyncIterator[Api]:
    import httpx

    transport = httpx.AsyncHTTPTransport(uds=_socket_path(folder))
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE}/api/v1", timeout=120) as client:
        yield Api(client, is_running=True)


@asynccontextmanager
async def _in_process(hub: "Hub") -> AsyncIterator[Api]:
    import httpx

    from hub.application import applications
    from hub.http.authentication import as_operator

    try:
        app = applications(hub, {"console": BASE, "files": BASE, "intake": BASE}, lambda: False)["console"]
        transport = httpx.ASGITransport(_without_address(as_operator(app)))
        async with httpx.AsyncClient(transport=transport, base_url=f"{BASE}/api/v1") as client:
            yield Api(client, is_running=False)
    finally:
        await hub.close_channels()
        await hub.engine.close()


def _without_address(app: "ASGIApp") -> "ASGIApp":
    """As over the socket, where a client has no address; httpx gives one."""

    async def served(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await app({**scope, "client": None}, receive, send)

    return served


def with_hub(
    function: Callable[Concatenate[Api, P], Coroutine[Any, Any, None]],
) -> Callable[P, None]:
    """A command that calls the hub: gets the options --config and --data, and the API as its first argument."""

    @functools.wraps(function)
    def command(*arguments: P.args, **options: P.kwargs) -> None:
        place = place_of(click.get_current_context())

        async def run() -> None:
            async with open_api(place) as api:
                await function(api, *arguments, **options)

        asyncio.run(run())

    return with_place(command)


def _given(query: Query | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value not in (None, False, ())}


def _content(response: "httpx.Response") -> Any:
    return response.json() if response.content else None


def _refused(response: "httpx.Response") -> Failed:
    """The problem (RFC 9457) that the hub answered with, in one line, with its fields below."""
    try:
        problem = response.json()
        text = line(problem.get("detail") or problem.get("title"))
        fields = [f"  {line(each['field'])}: {line(each['detail'])}" for each in problem.get("errors", [])]
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError):
        text, fields = f"the hub answered {response.status_code}", []
    return Failed(
        "\n".join([text, *fields[:PROBLEMS_SHOWN]]),
        code_of_status(response.status_code),
        response.status_code,
    )


def _lost(error: Exception) -> Failed:
    reason = str(error) or type(error).__name__
    return Failed(f"the hub stopped answering: {reason}; look at its log and try again", Exit.OUTAGE)
