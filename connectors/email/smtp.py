"""SMTP in: aiosmtpd's state machine on the hub's own loop, with our reading of DATA and our limits around it.

A mail is answered 250 only when it is durable; our own failure is 451, so that the sender keeps the mail and comes again.
"""

import asyncio
import logging
import re
import ssl
from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from connectors.email.limits import ByteBudget, ConnectionLimits, peer_group
from connectors.email.settings import SmtpInSettings

END_OF_DATA = b"\r\n.\r\n"
READ_LIMIT = 64 * 1024
LONGEST_COMMAND = 2048
# A sender that goes on after its mail was too large is let finish, up to this many times the limit.
DRAIN_FACTOR = 2
CALLS = {"NOOP": 200, "VRFY": 20, "HELP": 20, "HELO": 1_000, "EHLO": 1_000, "STARTTLS": 5, "*": 20_000}
ANGLE = re.compile(
    r"\s*<(?:@[^:<>]*:)?([^<>]*)>\s*(.*)", re.DOTALL
)  # with a source route, which RFC 5321 tells us to drop
BARE = re.compile(r"\s*([^\s<>]+)\s*(.*)", re.DOTALL)
NULL_SENDER = "<>"
OWN_FAILURE = "451 4.3.0 Temporary failure, try again later"
TOO_LARGE = "552 5.3.4 Message is larger than {limit} bytes"
NO_ROOM = "452 4.3.1 No room for the message now, try again later"


def quieten() -> None:
    """aiosmtpd logs every command with its addresses at INFO; they are personal."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)


class SmtpProtocol(SMTP):
    """One connection. Differs from aiosmtpd's in how DATA is read (no limit on lines, a limit on bytes), in timeouts that
    cut off peers that read or write nothing, and in addresses taken as they are met in practice.
    """

    line_length_limit = READ_LIMIT

    def __dir__(self) -> list[str]:
        """aiosmtpd looks through all names of a connection for its commands, which would cost more than the rest of it."""
        return COMMANDS

    def __init__(
        self,
        handler: Any,
        settings: SmtpInSettings,
        group: str,
        budget: ByteBudget,
        on_spoken: Callable[["SmtpProtocol"], None],
        on_closed: Callable[["SmtpProtocol"], None],
        tls: ssl.SSLContext | None,
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=settings.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=settings.hostname,
            ident="ESMTP",
            tls_context=tls,
            timeout=settings.idle_timeout_seconds,
            command_call_limit=CALLS,
            loop=asyncio.get_running_loop(),
        )
        # aiosmtpd keeps these in one dictionary for all connections and raises them with every EHLO.
        self.command_size_limits = defaultdict(lambda: LONGEST_COMMAND)
        self.command_size_limit = LONGEST_COMMAND
        self._settings = settings
        self.group = group
        self._budget = budget
        self._on_spoken = on_spoken
        self._on_closed = on_closed
        self._is_busy = False
        self._is_stopping = False
        self.heard_at = self.loop.time()
        self.has_spoken = False

    @property
    def is_busy(self) -> bool:
        """Whether a mail is being received or kept."""
        return self._is_busy

    def close_when_idle(self) -> None:
        """Says goodbye, unless a mail is in flight; that one is answered first."""
        self._is_stopping = True
        if self._is_busy or self.transport is None:
            return
        self.transport.write(b"421 4.3.2 Going down, try again later\r\n")  # type: ignore[attr-defined]
        self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._on_closed(self)

    def _reset_timeout(self, duration: float | None = None) -> None:
        # aiosmtpd calls it when the connection is there, and with each command.
        is_command = self._timeout_handle is not None
        super()._reset_timeout(duration)
        self.heard_at = self.loop.time()
        if is_command and not self.has_spoken:
            self.has_spoken = True
            self._on_spoken(self)

    def _timeout_cb(self) -> None:
        # Closing would wait for a peer that reads nothing.
        self.abort()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The address between angle brackets, or the first word. aiosmtpd's own reading raises on some input."""
        found = ANGLE.match(arg) or BARE.match(arg)
        if found is None:
            return None, None
        address = found.group(1).strip()
        if not address:
            return NULL_SENDER, found.group(2)
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in address) or len(address) > 512:
            return None, None
        return address, found.group(2)

    @syntax("EHLO hostname")
    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 aiosmtpd finds it by this name
        if not hostname:
            await self.push("501 Syntax: EHLO hostname")
            return
        assert self.session is not None
        self._set_rset_state()  # type: ignore[no-untyped-call]
        self.session.extended_smtp = True
        self.session.host_name = hostname
        lines = [self.hostname, f"SIZE {self.data_size_limit}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.tls_context and not self._tls_protocol:
            lines.append("STARTTLS")
        await self.push("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 aiosmtpd finds it by this name
        await self.push("502 5.5.1 No authentication here")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 aiosmtpd finds it by this name
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        held = _Held(self._budget, self.group)
        self._is_busy = True
        try:
            self._reset_timeout(self._settings.data_timeout_seconds)
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            refusal = await self._read_mail(held)
            if refusal:
                await self._answer(refusal)
                return
            # Keeping it may take longer than a peer may be silent; the timer starts again with the answer.
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            self.envelope.content = self.envelope.original_content = held.mail()
            status = await self._call_handler_hook("DATA")
            await self._answer(status)
        finally:
            held.release()
            self._is_busy = False

    async def _answer(self, status: str) -> None:
        self._reset_timeout()
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(status)
        if self._is_stopping:
            self._is_busy = False
            self.close_when_idle()

    async def _read_mail(self, held: "_Held") -> str:
        """Reads up to the lone dot; what does not fit is read and thrown away. Returns the refusal, or an empty string.

        Only CR LF . CR LF ends a mail (RFC 5321, 4.1.1.4): accepting less lets one mail smuggle in a second one.
        """
        limit = self._settings.max_message_bytes
        refusal = ""
        received = 0
        # The line end of the DATA command counts: a mail may be the dot alone.
        self._reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]
        while True:
            try:
                chunk = await self._reader.readuntil(END_OF_DATA)
                is_last = True
            except asyncio.LimitOverrunError as overrun:
                chunk = await self._reader.readexactly(overrun.consumed)
                is_last = False
            received += len(chunk)
            if not refusal and received - len(END_OF_DATA) > limit:
                refusal = TOO_LARGE.format(limit=limit)
            elif not refusal and not held.add(chunk):
                refusal = NO_ROOM
            if refusal:
                held.release()
            if is_last:
                return refusal
            if received > DRAIN_FACTOR * limit:
                await self.push(refusal)
                self.abort()
                await asyncio.get_running_loop().create_future()  # until the lost connection cancels us


COMMANDS = [each for each in dir(SMTP) if each.startswith("smtp_")]


class _Held:
    """The bytes of one mail, counted against the budget of all."""

    def __init__(self, budget: ByteBudget, group: str) -> None:
        self._budget = budget
        self._group = group
        self._content = bytearray()
        self._counted = 0

    def add(self, chunk: bytes) -> bool:
        if not self._budget.fits(self._group, len(chunk)):
            return False
        self._budget.take(self._group, len(chunk))
        self._counted += len(chunk)
        self._content += chunk
        return True

    def mail(self) -> bytes:
        """The mail without the line end put before it, the final dot and the dots doubled on the way (RFC 5321, 4.5.2)."""
        content, self._content = self._content, bytearray()
        del content[-len(b".\r\n") :]
        if b"\r\n." in content:
            content = content.replace(b"\r\n.", b"\r\n")
        del content[: len(b"\r\n")]
        return bytes(content)

    def release(self) -> None:
        self._content = bytearray()
        self._budget.give_back(self._group, self._counted)
        self._counted = 0


class Gate(asyncio.Protocol):
    """Meets each connection: over a limit it is told so in one line and costs next to nothing; else SMTP takes it over."""

    def __init__(
        self,
        limits: ConnectionLimits,
        make_room: Callable[[str | None], None],
        protocol: Callable[[str], SmtpProtocol],
    ) -> None:
        self._limits = limits
        self._make_room = make_room
        self._protocol = protocol

    def connection_made(self, base: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, base)  # uvloop's transports are of no class of asyncio
        group = peer_group(transport.get_extra_info("peername"))
        if self._limits.is_full_for(group):
            self._make_room(self._limits.greedier(group))
        refusal = self._limits.refusal(group)
        if refusal:
            self._limits.refused += 1
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._limits.enter(group)
        protocol = self._protocol(group)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)


__all__ = ["NULL_SENDER", "OWN_FAILURE", "Envelope", "Gate", "Session", "SmtpProtocol", "quieten"]
