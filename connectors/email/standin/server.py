"""An SMTP server that takes any mail into a mailbox, and misbehaves when told to."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from connectors.email.smtp import quieten
from connectors.email.standin.mailbox import Mailbox
from schemas.ports import Clock


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the server does; the defaults take everything. Answers are whole SMTP lines, such as `451 4.3.0 Later`."""

    to_sender: str = ""
    to_recipients: dict[str, str] = field(default_factory=dict)
    """Answer by recipient; `*` is for all others."""
    to_mail: str = ""
    hang_up_after_dot: bool = False
    """Close the connection instead of the last answer."""
    keep_before_hanging_up: bool = True
    wait: Callable[[], Awaitable[None]] | None = None
    """Awaited before the last answer, for a server that is slow."""


class StandinServer:
    """Listens on 127.0.0.1. `behaviour` may be changed at any time and holds for the next command."""

    def __init__(
        self,
        mailbox: Mailbox,
        clock: Clock,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.mailbox = mailbox
        self.behaviour = Behaviour()
        self._clock = clock
        self._port = port
        self._tls = tls
        self._login = login
        self._server: asyncio.Server | None = None
        self._protocols: set[SMTP] = set()
        self.connections = 0

    @property
    def port(self) -> int:
        if self._server is None:
            return self._port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def behave(self, **changes: Any) -> None:
        """Changes single traits: `behave(to_mail="451 4.3.0 Later")`."""
        self.behaviour = replace(self.behaviour, **changes)

    async def start(self) -> None:
        quieten()
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", self._port)

    async def stop(self) -> None:
        """Drops all connections; the mailbox stays open."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for protocol in list(self._protocols):
            if protocol.transport is not None:
                protocol.transport.abort()  # type: ignore[attr-defined]
        self._protocols.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 2)

    def _protocol(self) -> SMTP:
        self.connections += 1
        protocol = SMTP(
            self,
            data_size_limit=100 * 1024 * 1024,
            enable_SMTPUTF8=True,
            hostname="standin.example",
            ident="ESMTP",
            tls_context=self._tls,
            auth_require_tls=self._tls is not None,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )
        self._protocols.add(protocol)
        return protocol

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        if self._login is None or not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        name, password = self._login
        is_right = given.login == name.encode() and given.password == password.encode()
        return AuthResult(success=is_right, handled=False)

    async def handle_MAIL(  # noqa: N802 aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.behaviour.to_sender:
            return self.behaviour.to_sender
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = self.behaviour.to_recipients
        answer = answers.get(address, answers.get("*", ""))
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        behaviour = self.behaviour
        if behaviour.wait is not None:
            await behaviour.wait()
        if behaviour.to_mail:
            return behaviour.to_mail
        content = envelope.original_content or b""
        number = 0
        if not behaviour.hang_up_after_dot or behaviour.keep_before_hanging_up:
            sender = "" if envelope.mail_from in (None, "<>") else envelope.mail_from
            number = await self.mailbox.keep(sender, envelope.rcpt_tos, content, self._clock.now())
        if behaviour.hang_up_after_dot and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
            await asyncio.get_running_loop().create_future()  # until the lost connection cancels us
        return f"250 2.0.0 Ok: queued as {number}"
