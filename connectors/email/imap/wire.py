"""The connection to an IMAP server: verified TLS, responses with their literals, limits on size and time of everything."""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Awaitable
from typing import TypeVar

from connectors.email.imap.errors import ConnectionLost
from connectors.email.imap.responses import Literal, Response, is_status, response_of
from connectors.email.imap.settings import ImapSettings

LITERAL = re.compile(rb"\{(\d{1,12})\}\Z")
BUFFER_BYTES = 128 * 1024
LONGEST_LINE = 16 * 1024 * 1024
"""A SEARCH answers in one line: room for more than a million UIDs."""
MOST_SEGMENTS = 64
SLOWEST_BYTES_A_SECOND = 4096
CLOSE_SECONDS = 2.0
# Notices a peer that is gone without a word sooner than the end of an IDLE does (Linux).
KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 3))

T = TypeVar("T")


class Silence(Exception):
    """Nothing was said in the time given; the connection may be fine."""


class Wire:
    """One connection. Whatever the peer does is a response or ConnectionLost; a literal over the limit is cut, not kept."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, settings: ImapSettings
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout = settings.timeout_seconds
        self._most_bytes = settings.max_message_bytes
        self._pushed = b""
        self._in_clear: asyncio.StreamWriter | None = None
        self.tag = b"*"
        """That of the command being answered."""

    @classmethod
    async def open(cls, settings: ImapSettings, tls: ssl.SSLContext | None) -> "Wire":
        is_tls = settings.security == "tls"
        opening = asyncio.open_connection(
            settings.host,
            settings.port,
            ssl=tls if is_tls else None,
            server_hostname=settings.host if is_tls else None,
            limit=BUFFER_BYTES,
        )
        reader, writer = await _in_time(opening, settings.timeout_seconds)
        _keep_alive(writer)
        return cls(reader, writer, settings)

    async def start_tls(self, tls: ssl.SSLContext, host: str) -> None:
        """Goes on encrypted. What was received in clear and not read yet is thrown away with the old reader."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(BUFFER_BYTES, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        starting = loop.start_tls(self._writer.transport, protocol, tls, server_hostname=host)
        transport = await _in_time(starting, self._timeout)
        if transport is None:
            raise ConnectionLost("the server closed the connection")
        protocol.connection_made(transport)
        # The old writer would close the connection when it is forgotten.
        self._in_clear, self._pushed = self._writer, b""
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def send(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")
        await _in_time(self._writer.drain(), self._timeout)

    async def response(self, first_within_seconds: float | None = None) -> Response:
        """The next response. With a time given, raises Silence when none begins within it."""
        segments: list[bytes | Literal] = []
        budget = self._most_bytes
        line = await self._first_line(first_within_seconds)
        has_literals = not is_status(line, self.tag)
        while has_literals and (match := LITERAL.search(line)) is not None:
            literal = await self._literal(int(match[1]), budget)
            budget -= len(literal.content)
            segments += (line[: match.start()], literal)
            if len(segments) > MOST_SEGMENTS:
                raise ConnectionLost("the server's answer has too many parts")
            line = await _in_time(self._line(), self._timeout)
        segments.append(line)
        return response_of(segments)

    async def _first_line(self, within_seconds: float | None) -> bytes:
        if within_seconds is not None:
            try:
                async with asyncio.timeout(within_seconds):
                    # Nothing is taken out of the buffer until it is there, so ending the wait loses nothing.
                    await self._until_line()
            except TimeoutError:
                raise Silence from None
        return await _in_time(self._line(), self._timeout)

    async def _until_line(self) -> None:
        with contextlib.suppress(asyncio.LimitOverrunError, asyncio.IncompleteReadError, OSError):
            self._pushed = await self._reader.readuntil(b"\n")

    async def _line(self) -> bytes:
        """Without its end."""
        line, self._pushed = self._pushed, b""
        if line:
            return line.rstrip(b"\r\n")
        chunks: list[bytes] = []
        size = 0
        while True:
            try:
                chunks.append(await self._reader.readuntil(b"\n"))
                return b"".join(chunks).rstrip(b"\r\n")
            except asyncio.LimitOverrunError as overrun:
                size += overrun.consumed
                if size > LONGEST_LINE:
                    raise ConnectionLost("the server sent a line without end") from None
                chunks.append(await self._reader.readexactly(overrun.consumed))

    async def _literal(self, size: int, keep: int) -> Literal:
        """Reads all of it and keeps the beginning, so that no server can fill our memory."""

        async def read() -> Literal:
            kept = bytearray()
            left = size
            while left:
                chunk = await self._reader.read(min(left, BUFFER_BYTES))
                if not chunk:
                    raise ConnectionLost("the server closed the connection in the middle of a mail")
                left -= len(chunk)
                kept += chunk[: keep - len(kept)]
            return Literal(bytes(kept), size)

        return await _in_time(read(), self._timeout + size / SLOWEST_BYTES_A_SECOND)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.wait_closed()
        self._writer.transport.abort()


async def _in_time(waiting: Awaitable[T], seconds: float) -> T:
    """Every way in which a peer fails, as one error."""
    try:
        async with asyncio.timeout(seconds):
            return await waiting
    except TimeoutError:
        raise ConnectionLost(f"the server was silent for {seconds:.0f} s") from None
    except ssl.SSLCertVerificationError as error:
        raise ConnectionLost(
            f"the server's certificate is not trusted ({error.verify_message}); set certificate_authorities or correct host"
        ) from error
    except ssl.SSLError as error:
        raise ConnectionLost(
            f"no encryption could be agreed on ({error.reason or error}); check port and security"
        ) from error
    except asyncio.IncompleteReadError:
        raise ConnectionLost("the server closed the connection") from None
    except OSError as error:
        raise ConnectionLost(error.strerror or str(error) or type(error).__name__) from error


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    connected: socket.socket = writer.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
