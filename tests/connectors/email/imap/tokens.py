"""The provider of access tokens, played by us: it gives them, and tells Dovecot whether one is good."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

REFRESH = "refresh-1"
SECRET = "the client's secret"


@dataclass
class Provider:
    """`good` are the tokens that Dovecot is told to take, each with its mailbox. `answer`: what is said instead of a token."""

    port: int = 0
    good: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    answer: tuple[int, str] | None = None
    expires_in: int = 3600
    mailbox: str = ""

    @property
    def token_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def check_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/check"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")
        path = urlsplit(lines[0].split(" ")[1])
        length = next((int(each[15:]) for each in lines if each.lower().startswith("content-length:")), 0)
        form = parse_qs((await reader.readexactly(length)).decode() if length else path.query)
        values = {name: each[0] for name, each in form.items()}
        status, text = self._check(values) if path.path == "/check" else self._give(values)
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n"
            f"connection: close\r\n\r\n{text}".encode()
        )
        await writer.drain()
        writer.close()

    def _check(self, values: dict[str, str]) -> tuple[int, str]:
        mailbox = self.good.get(values.get("access_token", ""))
        return (200, json.dumps({"email": mailbox})) if mailbox else (401, "{}")

    def _give(self, values: dict[str, str]) -> tuple[int, str]:
        self.asked.append(values)
        if self.answer is not None:
            return self.answer
        token = f"token-{len(self.asked)}"
        self.good[token] = self.mailbox
        return 200, json.dumps({"access_token": token, "expires_in": self.expires_in, "token_type": "Bearer"})


@asynccontextmanager
async def provider(mailbox: str) -> AsyncIterator[Provider]:
    made = Provider(mailbox=mailbox)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await listening.wait_closed()
