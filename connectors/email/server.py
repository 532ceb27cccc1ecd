"""The SMTP server: listens, hands each mail to the receiver, and stops without cutting one off."""

import asyncio
import os
import socket
import ssl
from collections import OrderedDict
from datetime import datetime

import structlog
from aiosmtpd.smtp import TLSSetupException

from connectors.email.accounts import accepts
from connectors.email.addresses import normal_address
from connectors.email.envelope import Envelope
from connectors.email.limits import ByteBudget, ConnectionLimits, peer_host
from connectors.email.receiver import MailReceiver
from connectors.email.settings import SmtpInSettings
from connectors.email.smtp import NO_ROOM, NULL_SENDER, OWN_FAILURE, Gate, SmtpProtocol, quieten
from connectors.email.smtp import Envelope as SmtpEnvelope
from connectors.email.smtp import Session as SmtpSession
from connectors.kit.items import Taken
from schemas.crash import crash_point
from schemas.errors import Invalid, Outage
from schemas.ports import Clock

log = structlog.get_logger("connectors.email")

BACKLOG = 100
"""So many are accepted before the first of them is looked at, and each is a file that others may need."""
WAITING = 4096
"""So many may wait in the system to be accepted; one more is lost, and its client tries again a second later."""
SILENT_SECONDS = 5.0
"""A client that wants to send a mail says so at once, as far as the way is short and we have time to listen."""


class SmtpServer:
    """`start` returns when it listens, `stop` when no mail is in flight any more or the grace is over."""

    def __init__(self, settings: SmtpInSettings, receiver: MailReceiver, clock: Clock) -> None:
        self._settings = settings
        self._receiver = receiver
        self._clock = clock
        self.connections = ConnectionLimits(settings.max_connections, settings.max_connections_per_address)
        most = settings.max_bytes_in_flight
        self.budget = ByteBudget(most, max(most // 2, settings.max_message_bytes))
        self.last_success_at: datetime | None = None
        self.last_failure = ""
        self._server: asyncio.Server | None = None
        self._protocols: dict[SmtpProtocol, str] = {}
        self._silent: OrderedDict[SmtpProtocol, None] = (
            OrderedDict()
        )  # no command yet; the longest silent first
        self._silent_of: dict[str, OrderedDict[SmtpProtocol, None]] = {}
        self._taking: set[asyncio.Task[Taken]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def port(self) -> int:
        """The port in use, also where the settings ask for a free one."""
        if self._server is None:
            return self._settings.port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def is_running(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        """Raises Invalid when it cannot listen, or the certificate cannot be used."""
        quieten()
        settings = self._settings
        tls = await asyncio.to_thread(_tls, settings)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Gate(self.connections, self._make_room, lambda group: self._protocol(group, tls)),
                settings.host,
                settings.port,
                backlog=BACKLOG,
            )
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise Invalid(
                f"SMTP: cannot listen on {settings.host}:{settings.port}: {reason}",
                {"email.smtp_in.port": "set another port, or stop what uses this one"},
            ) from error
        for each in self._server.sockets:
            with socket.socket(fileno=os.dup(each.fileno())) as listening:
                listening.listen(WAITING)

    async def stop(self, grace_seconds: float) -> None:
        """Takes no new connection, closes idle ones, lets mails in flight be answered, then aborts the rest."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for protocol in list(self._protocols):
            protocol.close_when_idle()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("mails in flight were cut off", connections=len(self._protocols))
        for protocol in list(self._protocols):
            protocol.abort()
        if self._taking:
            await asyncio.wait(self._taking, timeout=grace_seconds)
        await server.wait_closed()

    def __dir__(self) -> list[str]:
        """aiosmtpd looks through all names of its handler with each connection, which would cost more than the rest of it."""
        return HOOKS

    def _protocol(self, group: str, tls: ssl.SSLContext | None) -> SmtpProtocol:
        protocol = SmtpProtocol(self, self._settings, group, self.budget, self._spoke, self._closed, tls)
        self._protocols[protocol] = group
        self._silent[protocol] = None
        self._silent_of.setdefault(group, OrderedDict())[protocol] = None
        self._idle.clear()
        return protocol

    def _make_room(self, group: str | None) -> None:
        """Sends one away who has said nothing for longest: of an address that has more, or, where all have as many, of any."""
        protocol = self._spare_of(group) if group else self._long_silent()
        if protocol is not None:
            self._closed(protocol)
            protocol.close_when_idle()

    def _spare_of(self, group: str) -> SmtpProtocol | None:
        silent = next(iter(self._silent_of.get(group, ())), None)
        idle = (each for each, of in self._protocols.items() if of == group and not each.is_busy)
        return silent or min(idle, key=lambda each: each.heard_at, default=None)

    def _long_silent(self) -> SmtpProtocol | None:
        oldest = next(iter(self._silent), None)
        now = asyncio.get_running_loop().time()
        return oldest if oldest is not None and now - oldest.heard_at > SILENT_SECONDS else None

    def _spoke(self, protocol: SmtpProtocol) -> None:
        if self._forget_silent(protocol):
            self.connections.spoke(protocol.group)

    def _closed(self, protocol: SmtpProtocol) -> None:
        group = self._protocols.pop(protocol, None)
        if group is not None:
            self.connections.leave(group, has_spoken=not self._forget_silent(protocol))
        if not self._protocols:
            self._idle.set()

    def _forget_silent(self, protocol: SmtpProtocol) -> bool:
        """Takes it from those who said nothing; whether it was one of them."""
        if protocol not in self._silent:
            return False
        del self._silent[protocol]
        of_group = self._silent_of[protocol.group]
        del of_group[protocol]
        if not of_group:
            del self._silent_of[protocol.group]
        return True

    async def handle_MAIL(  # noqa: N802
        self,
        server: SmtpProtocol,
        session: SmtpSession,
        envelope: SmtpEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        declared = next(
            (int(each[5:]) for each in options if each.startswith("SIZE=") and each[5:].isdigit()), 0
        )
        if not self.budget.fits(server.group, declared):
            return NO_ROOM
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender ok"

    async def handle_RCPT(  # noqa: N802
        self,
        server: SmtpProtocol,
        session: SmtpSession,
        envelope: SmtpEnvelope,
        address: str,
        options: list[str],
    ) -> str:
        if len(envelope.rcpt_tos) >= self._settings.max_recipients:
            return "452 4.5.3 Too many recipients"
        if normal_address(address) is None:
            return "553 5.1.3 That is no mail address"
        if not accepts(self._receiver.context.accounts, self._receiver.context.tokens, address):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(  # noqa: N802
        self, server: SmtpProtocol, session: SmtpSession, envelope: SmtpEnvelope
    ) -> str:
        raw = envelope.content
        assert isinstance(raw, bytes)
        facts = Envelope(
            mail_from="" if envelope.mail_from in (None, NULL_SENDER) else envelope.mail_from,
            recipients=tuple(envelope.rcpt_tos),
            peer=peer_host(session.peer),
        )
        # A peer that hangs up cancels its connection, not what is already on its way to the log.
        taking = asyncio.create_task(self._receiver.take(raw, facts, self._clock.now()))
        self._taking.add(taking)
        taking.add_done_callback(self._taken)
        taken = await asyncio.shield(taking)
        crash_point("intake.before-acknowledge")
        return f"250 2.0.0 Kept as item {taken.item}"

    async def handle_exception(self, error: Exception) -> str:
        """Our own failure is never the sender's fault and never told in words."""
        if isinstance(error, TLSSetupException):  # the peer's handshake; the connection is closed
            log.debug("encryption was not agreed on")
            return OWN_FAILURE
        if isinstance(error, Outage):
            self.last_failure = str(error)
            log.warning("mail was put off", reason=str(error))
        else:
            self.last_failure = type(error).__name__
            log.error("mail was put off", error=type(error).__name__, exc_info=error)
        return OWN_FAILURE

    def _taken(self, taking: "asyncio.Task[Taken]") -> None:
        self._taking.discard(taking)
        if taking.cancelled() or taking.exception() is not None:
            return
        self.last_success_at = self._clock.now()
        self.last_failure = ""
        taken = taking.result()
        log.debug("mail kept", item=str(taken.item), fate=str(taken.fate), reason=taken.reason)


HOOKS = [each for each in vars(SmtpServer) if each.startswith("handle_")]


def _tls(settings: SmtpInSettings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:  # ssl.SSLError is one
        raise Invalid(
            f"SMTP: the certificate {settings.tls_certificate} cannot be used: {error}",
            {
                "email.smtp_in.tls_certificate": "name PEM files with the chain and its key, readable by the hub"
            },
        ) from error
    return context
