"""HTTP/1.1 connections with the limits that uvicorn lacks: how long a head may take, how large it may be, how many there are.

Uvicorn waits for ever for the first request of a connection and for the rest of a head, and its httptools protocol gathers
heads and trailers without bound. Give `PatientProtocol` as `uvicorn.Config(http=…)`, and `patient()` the listening socket.
"""

import asyncio
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.kit.client_address import parse_address, rate_name

DEAD_PEER_SECONDS = 60
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may cost before it has said what it wants."""

    head_seconds: float = 10
    head_bytes: int = 64 * 1024
    connections: int = 8192
    connections_of_one: int = 512
    """From one address (IPv4), or one site (IPv6 /64). Addresses of `proxies` are not counted."""
    proxies: frozenset[str] = frozenset()


def patient(listening: socket.socket) -> None:
    """Connections of this socket end when their peer has acknowledged nothing for a minute (RFC 5482).

    That ends those whose peer vanished, and those whose peer lives but never reads what it asked for. Nothing waits for an
    acknowledgement: asyncio sees to that only where a socket names its protocol, and 40 ms an answer are lost elsewhere.
    """
    if listening.family != socket.AF_UNIX:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_USER_TIMEOUT", DEAD_PEER_SECONDS * 1000),  # Linux
        ("TCP_KEEPIDLE", DEAD_PEER_SECONDS),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
    ):
        option = getattr(socket, name, None)
        if option is not None and listening.family != socket.AF_UNIX:
            listening.setsockopt(socket.IPPROTO_TCP, option, value)


class PatientProtocol(HttpToolsProtocol):
    """A connection that must get on: subclass it to set other `limits`. Addresses are counted over all servers of a process."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    _sites: ClassVar[Counter[str]] = Counter()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._site = ""
        self._timer: asyncio.TimerHandle | None = None
        self._gathered = 0  # bytes that made no request, no body and no end of one
        self._got_on = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        client = self.client[0] if self.client else ""
        if client and client not in self.limits.proxies:
            self._site = rate_name(parse_address(client))
            self._sites[self._site] += 1
        is_full = len(self.connections) > self.limits.connections
        if is_full or self._sites[self._site] > self.limits.connections_of_one:
            transport.abort()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._site:
            self._sites[self._site] -= 1
            if self._sites[self._site] <= 0:
                del self._sites[self._site]
            self._site = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._got_on = False
        super().data_received(data)
        self._gathered = 0 if self._got_on else self._gathered + len(data)
        if self._gathered > self.limits.head_bytes:
            self._refuse(TOO_LARGE)
        elif self._is_idle() and self._timer is None and not self.transport.is_closing():
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._got_on = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._got_on = True
        super().on_message_complete()

    def _is_idle(self) -> bool:
        """Nothing was asked that is not answered yet."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(self.limits.head_seconds, self._refuse, TOO_SLOW)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, answer: bytes) -> None:
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._is_idle():
            self.transport.write(answer)
            self.transport.close()
        else:
            self.transport.abort()  # an answer is on its way: nothing can be said any more
