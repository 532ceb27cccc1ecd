"""Mail out. Every outcome is a receipt that says exactly what is known: sent, to be tried again, failed, or unknown.

The one uncertain moment of SMTP is between our final dot and the relay's answer to it. So the dot is held back and
written by itself: a connection lost before it proves that nothing was accepted, one lost after it leaves it unknown.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

import aiosmtplib
import structlog
from aiosmtplib.protocol import SMTPProtocol

from connectors.email.compose import Composer, Mail, Unsendable, external_id
from connectors.email.relay import Connection, RelayPool, Unconnected
from connectors.email.replies import (
    failed,
    is_transient,
    of_content,
    of_recipients,
    of_sender,
    retry,
    said,
    sent,
    unknown,
)
from connectors.email.settings import RelaySettings
from schemas.crash import crash_point
from schemas.errors import HubbubError, Outage
from schemas.interactions import BlobRef
from schemas.outbound import OutboundMessage
from schemas.ports import Receipt

log = structlog.get_logger("connectors.email")

CHUNK = 64 * 1024
LEADING_DOT = re.compile(rb"(?m)^\.")
FINAL_DOT = b".\r\n"

FetchBlob = Callable[[BlobRef], Awaitable[bytes]]


class EmailDeliverer:
    """Sends through one relay. Never tries twice by itself; never raises for what the relay does."""

    channel = "email"

    def __init__(self, settings: RelaySettings, composer: Composer, fetch: FetchBlob) -> None:
        self._settings = settings
        self._composer = composer
        self._fetch = fetch
        self._pool = RelayPool(settings)

    async def deliver(self, message: OutboundMessage) -> Receipt:
        try:
            mail = await self._compose(message)
        except Unsendable as error:
            return failed(str(error))
        except Outage as error:
            return retry(str(error), error.retry_after_seconds)
        except (HubbubError, ValueError) as error:
            return failed(f"the mail could not be made: {error}")
        return await self.send(mail)

    async def send(self, mail: Mail) -> Receipt:
        """One mail, one try."""
        try:
            async with self._pool.connection() as connection:
                return await _Transaction(connection, mail, self._settings).run()
        except Unconnected as error:
            return error.receipt

    async def close(self) -> None:
        await self._pool.close()

    async def _compose(self, message: OutboundMessage) -> Mail:
        contents: dict[str, bytes] = {}
        for attachment in message.attachments:
            if attachment.blob is not None and attachment.blob.sha256 not in contents:
                contents[attachment.blob.sha256] = await self._fetch(attachment.blob)
        # Rendering a mail of many megabytes takes a while.
        size = sum(map(len, contents.values()))
        if size < CHUNK:
            return self._composer.compose(message, contents)
        return await asyncio.to_thread(self._composer.compose, message, contents)


class _Refused(Exception):
    def __init__(self, receipt: Receipt) -> None:
        super().__init__(receipt.reason)
        self.receipt = receipt


class _Transaction:
    """One mail over one connection: MAIL, RCPT, DATA, the mail, the dot."""

    def __init__(self, connection: Connection, mail: Mail, settings: RelaySettings) -> None:
        self._connection = connection
        self._client = connection.client
        self._mail = mail
        self._settings = settings
        self._is_dot_sent = False

    async def run(self) -> Receipt:
        try:
            refused = await self._envelope()
            receipt = await self._content(refused)
        except _Refused as refusal:
            self._connection.is_clean = True  # the relay said no in words; the next mail begins with RSET
            return refusal.receipt
        except Exception as error:  # noqa: BLE001 whatever happens, what is known is whether the dot had left
            return self._lost(error)
        return receipt

    def _lost(self, error: Exception) -> Receipt:
        where = f"{self._settings.host}:{self._settings.port}"
        why = str(error) or type(error).__name__
        if self._is_dot_sent:
            return unknown(f"{where}: the whole mail was sent, but no answer came: {why}")
        if not isinstance(error, aiosmtplib.SMTPException | OSError):
            log.error("sending stopped", error=type(error).__name__, exc_info=error)
        return retry(f"{where}: the connection was lost before the mail was complete: {why}")

    async def _envelope(self) -> dict[str, tuple[int, str]]:
        """Sender and recipients; the recipients refused though others were accepted."""
        options, encoding = self._mail_options()
        try:
            await self._client.mail(self._mail.sender, options=options, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            raise _Refused(of_sender(error.code, error.message)) from error
        refused: dict[str, tuple[int, str]] = {}
        recipient_options = self._recipient_options()
        for recipient in self._mail.recipients:
            try:
                await self._client.rcpt(recipient, options=recipient_options, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as error:
                refused[recipient] = (error.code, error.message)
                if error.code == 421:  # the relay hangs up
                    raise _Refused(retry(said(error.code, error.message))) from error
        if len(refused) == len(self._mail.recipients):
            raise _Refused(of_recipients(refused))
        return refused

    def _mail_options(self) -> tuple[Sequence[str], str]:
        supports = self._client.supports_extension
        limit = self._client.esmtp_extensions.get("size", "").strip()
        if limit.isdigit() and 0 < int(limit) < len(self._mail.content):
            raise _Refused(failed(f"the mail has {len(self._mail.content)} bytes, the relay takes {limit}"))
        options: list[str] = []
        if supports("size"):
            options.append(f"SIZE={len(self._mail.content)}")
        if supports("dsn"):
            options.extend(("RET=HDRS", f"ENVID={self._mail.envelope_id}"))
        if not self._mail.needs_smtputf8:
            return options, "ascii"
        if not supports("smtputf8"):
            raise _Refused(failed("the relay takes no addresses that are not ASCII (SMTPUTF8)"))
        return [*options, "SMTPUTF8"], "utf-8"

    def _recipient_options(self) -> Sequence[str]:
        return ("NOTIFY=FAILURE,DELAY",) if self._client.supports_extension("dsn") else ()

    async def _content(self, refused: dict[str, tuple[int, str]]) -> Receipt:
        begun = await self._client.execute_command(b"DATA")
        if begun.code != 354:
            receipt = of_content(begun.code, begun.message)
            # Whatever it said, the mail itself was not sent.
            raise _Refused(
                receipt if is_transient(begun.code) or begun.code >= 500 else retry(receipt.reason)
            )
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("connection lost")
        # Listening from now on: an answer before the dot is a refusal, and must not be taken for the answer to it.
        answering = asyncio.create_task(protocol.read_response(timeout=None))
        answering.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await self._write(protocol, answering, LEADING_DOT.sub(b"..", self._mail.content))
            crash_point("email.before-final-dot")
            protocol.write(FINAL_DOT)  # raises, with nothing written, when the connection is known to be lost
            self._is_dot_sent = True
            crash_point("email.after-final-dot")
            answer = await asyncio.wait_for(answering, self._settings.final_timeout_seconds)
        finally:
            answering.cancel()
        if answer.code == 250:
            self._connection.is_clean = True
            problems = {recipient: said(code, text) for recipient, (code, text) in refused.items()}
            return sent(external_id(self._mail.message_id), problems)
        self._connection.is_clean = 400 <= answer.code < 600 and answer.code != 421
        return of_content(answer.code, answer.message)

    async def _write(
        self, protocol: SMTPProtocol, answering: "asyncio.Task[aiosmtplib.SMTPResponse]", content: bytes
    ) -> None:
        """The mail without its end, at the pace of the relay; silence for too long is a lost connection."""
        for start in range(0, len(content), CHUNK):
            protocol.write(content[start : start + CHUNK])
            async with asyncio.timeout(self._settings.timeout_seconds):
                # What asyncio's own StreamWriter.drain waits for.
                await protocol._drain_helper()
            await asyncio.sleep(0)  # lets a lost connection or an early answer be noticed between two pieces
            if answering.done():
                early = answering.result()
                self._client.close()
                if 400 <= early.code < 600:
                    raise _Refused(of_content(early.code, early.message))
                raise aiosmtplib.SMTPServerDisconnected(said(early.code, early.message))
