"""Connections to the relay: few, kept for a while, checked before they are used again.

Opening one sends no mail, so every failure in here proves that nothing was accepted.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosmtplib

from connectors.email.replies import retry, said, stop_account
from connectors.email.settings import RelaySettings
from schemas.ports import Receipt

MOST_MAILS = 100
LONGEST_LIFE_SECONDS = 300.0
LONGEST_IDLE_SECONDS = 60.0
CHECK_SECONDS = 10.0
QUIT_SECONDS = 2.0


class Unconnected(Exception):
    """There is no connection to the relay; `receipt` says what follows."""

    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.reason)
        self.receipt = receipt


@dataclass(slots=True)
class Connection:
    client: aiosmtplib.SMTP
    opened_at: float
    used_at: float
    mails: int = 0
    is_clean: bool = True
    """Between two mails, nothing half said."""


class RelayPool:
    """At most `pool_size` connections. `connection()` raises Unconnected, with the receipt, when none can be had."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.pool_size)
        self._idle: list[Connection] = []
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection for one mail; kept afterwards only when it is marked clean."""
        async with self._turns:
            connection = await self._reused() or await self._opened()
            connection.is_clean = False
            try:
                yield connection
            finally:
                connection.mails += 1
                connection.used_at = _now()
                if connection.is_clean and connection.client.is_connected:
                    self._idle.append(connection)
                else:
                    connection.client.close()

    async def close(self) -> None:
        """Says goodbye on every idle connection."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await _quit(connection.client)

    async def _reused(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if _is_worn(connection):
                await _quit(connection.client)
                continue
            try:
                await connection.client.rset(timeout=CHECK_SECONDS)
            except (aiosmtplib.SMTPException, OSError, ValueError):
                connection.client.close()
                continue
            return connection
        return None

    async def _opened(self) -> Connection:
        settings = self._settings
        if self._tls is None and settings.security != "none":
            try:
                self._tls = await asyncio.to_thread(_context, settings)
            except OSError as error:
                raise Unconnected(stop_account(f"certificate_authorities cannot be read: {error}")) from error
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            local_hostname=settings.hostname,
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls,
        )
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                await client.connect()
                await client.ehlo()
                await self._log_in(client)
        except Exception as error:
            client.close()
            raise Unconnected(_why(error, settings)) from error
        return Connection(client, opened_at=_now(), used_at=_now())

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        if self._settings.username is None or self._settings.password is None:
            return
        await client.login(self._settings.username, self._settings.password.get_secret_value())


def _why(error: Exception, settings: RelaySettings) -> Receipt:
    """A relay that is away comes back; one that refuses our login or shows a wrong certificate needs a person."""
    where = f"{settings.host}:{settings.port}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and not isinstance(
            cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            return stop_account(f"{where}: no encryption could be agreed on: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reason = f"{where}: {said(error.code, error.message)}"
        return stop_account(reason) if 500 <= error.code < 600 else retry(reason)
    if isinstance(
        error, OSError | TimeoutError
    ):  # of aiosmtplib's own: connect, disconnect and timeout errors
        return retry(f"{where}: {str(error) or 'no answer in time'}")
    if isinstance(error, aiosmtplib.SMTPException):  # STARTTLS or AUTH that the relay does not offer
        return stop_account(f"{where}: {error}")
    return retry(f"{where}: {type(error).__name__}")


def _context(settings: RelaySettings) -> ssl.SSLContext:
    return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.certificate_authorities)


def _is_worn(connection: Connection) -> bool:
    now = _now()
    return (
        not connection.client.is_connected
        or connection.mails >= MOST_MAILS
        or now - connection.opened_at > LONGEST_LIFE_SECONDS
        or now - connection.used_at > LONGEST_IDLE_SECONDS
    )


async def _quit(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await client.quit(timeout=QUIT_SECONDS)
    client.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
