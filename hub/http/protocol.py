"""HTTP/1.1 connections with the limits that uvicorn lacks: how long a head may take, how large it may be, how much may come
before an answer, how long a client may leave an answer unread.

Uvicorn waits for ever for the first request of a connection, for the rest of a head, and for a client that does not read; its
httptools protocol gathers heads, trailers and pipelined requests without bound. Give `protocol_of(…)` as
`uvicorn.Config(http=…)`, and `patient()` the listening socket.
"""

import asyncio
import contextlib
import json
import logging
import socket
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connectors.kit.client_address import parse_address, rate_name
from hub.http.connections import ConnectionLimits, Connections, Phase

DEAD_PEER_SECONDS = 60
ANSWERS = {
    "malformed": ("400 Bad Request", "this is no HTTP/1.1 request"),
    "head-slow": ("408 Request Timeout", "the request took too long to begin"),
    "target-long": ("414 URI Too Long", "the address is too long"),
    "head-large": ("431 Request Header Fields Too Large", "the headers are too large or too many"),
    "share": ("503 Service Unavailable", "too many connections from your address; close one"),
    "full": ("503 Service Unavailable", "too many connections; try again"),
}
RETRY_SECONDS = 5


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


def quieten() -> None:
    """Uvicorn warns of each request that it cannot read, which is for strangers to decide; `refused` counts them."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class _Refused(Exception):
    """Ends the parsing of a head."""


class PatientProtocol(HttpToolsProtocol):
    """A connection that must get on, or give its place to another."""

    places: ClassVar[Connections]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site = ""
        self._limits: ConnectionLimits = self.places.limits
        self._head_until: float | None = None
        self._write_until: float | None = None
        self._close_until: float | None = None
        self._is_lingering = False
        self._refusal = ""
        self._head_bytes = 0  # of the head that is being read
        self._gathered = 0  # bytes that made no request, no body and no end of one
        self._ahead = 0  # bytes behind a request that is being answered
        self._got_on = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.site = self._whose()
        reason = self.places.enter(self)
        if reason:
            transport.write(_answer(reason))
            transport.close()
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self.places.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_done():
            return
        self._got_on = False
        if self._is_ahead():
            self._ahead += len(data)
            if self._ahead > self._limits.ahead_bytes:
                self._refuse("ahead")
                return
        super().data_received(data)
        if self._is_done():
            return
        self._gathered = 0 if self._got_on else self._gathered + len(data)
        if self._gathered > self._limits.head_bytes:
            self._refuse("head-large")
            return
        if self._is_idle() and self._head_until is None:
            self._expect_head()
        self._settle()

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.target_bytes:
            self._stop_parsing("target-long")

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._limits.head_bytes or len(self.headers) > self._limits.headers:
            self._stop_parsing("head-large")

    def on_headers_complete(self) -> None:
        self._got_on = True
        if len(self.pipeline) >= self._limits.ahead_requests:
            self._stop_parsing("ahead")
        self._head_until = None
        super().on_headers_complete()
        self.cycle.transport = _Ending(self)  # type: ignore[assignment]  # of a transport, it uses these three

    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._got_on = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._ahead = 0
        if not self._is_done() and self._is_body_missing():
            self._linger()  # nobody reads what is left of the body, and it may never come
        if not self._is_lingering:
            super().on_response_complete()
            self._settle()

    def send_400_response(self, msg: str) -> None:
        """Uvicorn calls this for whatever cannot be parsed."""
        self._refuse(self._refusal or "malformed")

    def pause_writing(self) -> None:
        self._write_until = self.loop.time() + self._limits.write_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        self._write_until = None
        super().resume_writing()

    def shutdown(self) -> None:
        if self._is_lingering:
            self.transport.abort()
            return
        super().shutdown()

    def look(self, now: float) -> None:
        if self.transport.is_closing() and self._close_until is None:
            self._close_until = now + self._limits.close_seconds
        if _is_over(self._close_until, now) or _is_over(self._write_until, now):
            if not self._is_lingering:
                self.places.refused("unread")
            self.transport.abort()
        elif _is_over(self._head_until, now):
            self._refuse("head-slow")

    def give_way(self) -> None:
        self.transport.abort()

    def end(self) -> None:
        """After the last answer. Closing a socket with unread bytes in it resets it, and the answer may be lost with them."""
        if self._is_body_missing() and not self.transport.is_closing():
            self._linger()
        elif not self._is_lingering:
            self.transport.close()

    def _whose(self) -> str:
        address = parse_address(self.client[0]) if self.client else None
        if address is None or any(address in network for network in self._limits.proxies):
            return ""
        return rate_name(address)

    def _is_done(self) -> bool:
        """Nothing that comes now is read."""
        return self._is_lingering or self.transport.is_closing()

    def _is_idle(self) -> bool:
        """Nothing was asked that is not answered yet."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _is_body_missing(self) -> bool:
        return self.cycle is not None and not self.pipeline and self.cycle.more_body  # type: ignore[redundant-expr]

    def _is_ahead(self) -> bool:
        """Whether what comes now is behind a request that has all it needs."""
        return not self._is_idle() and not self._is_body_missing()

    def _settle(self) -> None:
        if self._is_idle():
            self.places.moved(self, Phase.SILENT)
        else:
            self.places.moved(self, Phase.SENDING if self._is_body_missing() else Phase.SERVED)

    def _expect_head(self) -> None:
        self._head_until = self.loop.time() + self._limits.head_seconds

    def _stop_parsing(self, reason: str) -> None:
        self._refusal = reason
        raise _Refused(reason)

    def _refuse(self, reason: str) -> None:
        if self.transport.is_closing():
            return
        self.places.refused(reason)
        if self._is_idle() and reason in ANSWERS:
            self.transport.write(_answer(reason))
            self._linger()
        else:
            self.transport.abort()  # an answer is on its way: nothing can be said any more

    def _linger(self) -> None:
        """Says no more, and reads what still comes without keeping it, until the client has taken its answer and leaves."""
        self._is_lingering = True
        self._head_until = None
        self._close_until = self.loop.time() + self._limits.close_seconds
        self._unset_keepalive_if_required()
        with contextlib.suppress(OSError):  # the other side has gone
            self.transport.write_eof()
        self.flow.resume_reading()
        self.places.moved(self, Phase.SILENT)


class _Ending:
    """The transport as a request's answer uses it."""

    def __init__(self, connection: PatientProtocol) -> None:
        self._connection = connection
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing

    def close(self) -> None:
        self._connection.end()


def protocol_of(places: Connections) -> type[PatientProtocol]:
    """The protocol of one listening address, whose connections these are."""
    return type("PatientProtocol", (PatientProtocol,), {"places": places})


def _is_over(until: float | None, now: float) -> bool:
    return until is not None and now >= until


def _answer(reason: str) -> bytes:
    """A problem (RFC 9457), as the applications answer it."""
    status, text = ANSWERS[reason]
    number, _, title = status.partition(" ")
    body = json.dumps({"type": "about:blank", "title": title, "status": int(number), "detail": text})
    retry = f"retry-after: {RETRY_SECONDS}\r\n" if reason in {"share", "full"} else ""
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"{retry}connection: close\r\n\r\n{body}"
    ).encode()
