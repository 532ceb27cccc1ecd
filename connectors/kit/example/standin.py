"""The vendor's API, played by us: takes messages, and misbehaves when told to. For tests and the demo."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

from connectors.kit.rigs import Send

BODY_BYTES = 1 << 20


class ExampleStandin:
    """Listens on 127.0.0.1. `next` holds for one message."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._server: asyncio.Server | None = None
        self.next = Send.TAKES
        self.messages: list[str] = []

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
            body = json.loads(await reader.readexactly(min(length, BODY_BYTES)))
            answer = self._answer(head, body)
            if answer:
                writer.write(answer)
                await writer.drain()
        writer.close()

    def _answer(self, head: str, body: dict[str, str]) -> bytes:
        """The whole answer; nothing where it is lost."""
        what, self.next = self.next, Send.TAKES
        if f"bearer {self._token}".lower() not in head:
            what = Send.REJECTS_US
        if what in (Send.TAKES, Send.LOSES, Send.BREAKS):
            self.messages.append(body["text"])
        return ANSWERS[what](len(self.messages))


def _said(status: str, body: object = None, *headers: str) -> bytes:
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + content


ANSWERS: dict[Send, Callable[[int], bytes]] = {
    Send.TAKES: lambda number: _said("200 OK", {"message": f"out{number}"}),
    Send.REFUSES: lambda _: _said("422 Unprocessable", {"error": "no such conversation"}),
    Send.LIMITS: lambda _: _said("429 Too Many Requests", None, "retry-after: 7"),
    Send.LOSES: lambda _: b"",
    Send.BREAKS: lambda _: _said("503 Service Unavailable"),
    Send.REJECTS_US: lambda _: _said("401 Unauthorized"),
}
