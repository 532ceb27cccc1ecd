"""An SMTP client that says exactly what it is told, and waits for nothing that is not said."""

import asyncio
from types import TracebackType
from typing import Self


class RawClient:
    def __init__(self, port: int, source: str | None = None) -> None:
        self._port = port
        self._source = source
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self.greeting = ""

    async def __aenter__(self) -> Self:
        local = (self._source, 0) if self._source else None
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=local)
        self.greeting = await self.answer()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.writer.close()

    async def say(self, line: str | bytes) -> str:
        self.send(line)
        return await self.answer()

    def send(self, line: str | bytes) -> None:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")

    async def answer(self) -> str:
        """The whole answer, lines joined; empty when the server hung up."""
        lines: list[str] = []
        async with asyncio.timeout(20):
            while True:
                try:
                    line = (await self.reader.readline()).decode()
                except ConnectionResetError:
                    return "\n".join(lines)
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    return "\n".join(lines)

    async def begin(self, *recipients: str, sender: str = "<ada@customer.example>") -> str:
        """Up to and including DATA; the last answer."""
        await self.say("EHLO client.example")
        await self.say(f"MAIL FROM:{sender}")
        answer = ""
        for recipient in recipients or ("support@shop.example",):
            answer = await self.say(f"RCPT TO:<{recipient}>")
        return await self.say("DATA") if answer.startswith("250") else answer

    async def deliver(self, raw: bytes, *recipients: str, sender: str = "<ada@customer.example>") -> str:
        """One whole mail; the last answer."""
        answer = await self.begin(*recipients, sender=sender)
        if not answer.startswith("354"):
            return answer
        stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
        self.writer.write(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
        await self.writer.drain()
        return await self.say(".")
