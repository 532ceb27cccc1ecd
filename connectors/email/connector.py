"""The mail channel as the hub sees it: one connector in, one deliverer out, one function to read an original again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connectors.email.accounts import Accounts
from connectors.email.addresses import normal_address
from connectors.email.compose import Composer
from connectors.email.deliver import EmailDeliverer, FetchBlob
from connectors.email.envelope import Envelope
from connectors.email.imap.mailbox import Mailbox
from connectors.email.imap.settings import ImapSettings
from connectors.email.mapping import CHANNEL, MailContext
from connectors.email.reader import MailReader
from connectors.email.receiver import MailReceiver
from connectors.email.server import SmtpServer
from connectors.email.settings import SMTP, EmailSettings
from connectors.email.suspects import Suspects
from connectors.email.tokens import Tokens
from connectors.kit.cursors import Cursors
from connectors.kit.intake import Accepted, Intake
from schemas.ports import Health, HealthState


class EmailConnector:
    """Mail in. `receiver` is the path that files take too (connectors.email.ingest)."""

    channel = CHANNEL
    account = SMTP
    """One server takes mail in for all accounts; each interaction names its own."""

    def __init__(
        self,
        settings: EmailSettings,
        intake: Intake,
        secrets: Sequence[bytes],
        cursors: Cursors | None = None,
        suspects: Suspects | None = None,
    ) -> None:
        """`secrets`: the first signs reply addresses and Message-IDs, all are recognised. `cursors`: for mailboxes."""
        self._reader = MailReader(suspects=suspects)
        context = mail_context(settings, secrets)
        self.receiver = MailReceiver(intake, self._reader, context)
        self.mailboxes: tuple[Mailbox, ...] = ()
        """Connectors of their own, each to be started and stopped like this one."""
        if settings.imap:
            if cursors is None:
                raise ValueError("mailboxes need a place for their cursors")
            self.mailboxes = tuple(
                _mailbox(each, intake, context, cursors, suspects) for each in settings.imap
            )
        self.server = SmtpServer(settings.smtp_in, self.receiver, intake.clock) if settings.smtp_in else None
        self._state = HealthState.STARTING if self.server else HealthState.OK

    @property
    def port(self) -> int | None:
        """The port in use; None where no mail comes in by SMTP."""
        return self.server.port if self.server else None

    async def start(self) -> None:
        if self.server is not None:
            await self.server.start()
        self._state = HealthState.OK

    async def stop(self, grace_seconds: float) -> None:
        if self.server is not None:
            await self.server.stop(grace_seconds)
        await self._reader.close()
        self._state = HealthState.STOPPED

    def health(self) -> Health:
        server = self.server
        if server is None or self._state is not HealthState.OK:
            return Health(self._state)
        detail = f"{server.connections.total} connections, {server.budget.used} bytes in flight"
        if server.last_failure:
            return Health(
                HealthState.DEGRADED, f"mail is put off: {server.last_failure}", server.last_success_at
            )
        return Health(HealthState.OK, detail, server.last_success_at)

    async def reparse(self, original: bytes, facts: dict[str, str], received_at: datetime) -> Accepted:
        """A quarantined original read again; `facts` is the quarantine item's `envelope`. Changes nothing by itself."""
        envelope = Envelope.from_facts(facts)
        # The mailbox knows whose word on senders counts there.
        receivers = {each.account: each.receiver for each in self.mailboxes}
        receiver = receivers.get(envelope.mailbox, self.receiver)
        return await receiver.understand(original, envelope, received_at)


def _mailbox(
    settings: ImapSettings,
    intake: Intake,
    context: MailContext,
    cursors: Cursors,
    suspects: Suspects | None,
) -> Mailbox:
    trusted = frozenset(each.lower() for each in settings.trusted_authserv_ids)
    trusting = replace(context, trusted_authserv_ids=trusted)
    return Mailbox(settings, intake, trusting, cursors, suspects=suspects)


def mail_context(settings: EmailSettings, secrets: Sequence[bytes]) -> MailContext:
    trusted = settings.smtp_in.trusted_authserv_ids if settings.smtp_in else ()
    notices = normal_address(settings.notices.address) if settings.notices else None
    return MailContext(
        accounts=Accounts.of(settings.accounts),
        tokens=Tokens(tuple(secrets)),
        trusted_authserv_ids=frozenset(each.lower() for each in trusted),
        own_addresses=frozenset({notices} if notices else ()),
    )


def email_deliverer(
    settings: EmailSettings, secrets: Sequence[bytes], fetch: FetchBlob
) -> EmailDeliverer | None:
    """Mail out through the relay; None where the settings name none. `fetch` gives the bytes of an attachment."""
    if settings.relay is None:
        return None
    return EmailDeliverer(settings.relay, composer_of(settings, secrets), fetch)


def composer_of(settings: EmailSettings, secrets: Sequence[bytes]) -> Composer:
    """What makes the mails that leave, and their previews."""
    return Composer(Accounts.of(settings.accounts), Tokens(tuple(secrets)), settings.notices)
