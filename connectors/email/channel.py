"""The mail channel as the hub finds it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.email.settings import EmailSettings
from connectors.kit.channel import Channel, Mentions, Opened, Payload, Surroundings
from connectors.kit.intake import Accepted
from connectors.kit.quality import Rule, quality
from schemas.capabilities import Capabilities, FileLimits
from schemas.errors import Invalid
from schemas.letters import QuarantineItem

EXAMPLE = """\
smtp_in:                        # the server that takes mail in; put it behind your relay
  host: 127.0.0.1
  port: 2525
accounts:                       # addresses of yours; answers come from them
  - name: support
    address: support@example.com
    display_name: Example Support
relay:                          # the server that takes mail out; leave it away to send nothing
  host: smtp.example.com
  port: 587
  username: hubbub
  password: ${env:SMTP_PASSWORD}
# imap:                         # mailboxes that mail is fetched from, as well or instead
#   - name: support
#     host: imap.example.com
#     username: support@example.com
#     password: ${env:IMAP_PASSWORD}
#     first_run: from_now
"""


def _open(settings: EmailSettings, around: Surroundings) -> Opened:
    from connectors.email.checking import check
    from connectors.email.connector import EmailConnector, composer_of, email_deliverer
    from connectors.email.envelope import Envelope
    from connectors.email.suspects import Suspects
    from connectors.email.writer import MailWriter

    secrets = [around.secret("mail")]
    suspects = Suspects(around.folder) if around.folder else None
    connector = EmailConnector(settings, around.intake, secrets, around.cursors, suspects)
    deliverer = email_deliverer(settings, secrets, around.fetch_blob)

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        return await connector.reparse(original, item.envelope, item.received_at)

    async def understand(payload: Payload) -> Sequence[Accepted]:
        accounts = connector.receiver.context.accounts
        if payload.account is not None and accounts.named(payload.account) is None:
            raise Invalid(f"there is no mail account {payload.account!r}", {"account": "see email.accounts"})
        envelope = Envelope(account=payload.account)
        return [await connector.receiver.understand(payload.content, envelope, payload.received_at)]

    async def replay(account: str, since: datetime) -> str:
        mailbox = next((each for each in connector.mailboxes if each.account == account), None)
        if mailbox is None:
            raise Invalid("only mailboxes can be read again; SMTP brings what it has by itself")
        return await mailbox.replay(since)

    async def close() -> None:
        if deliverer is not None:
            await deliverer.close()

    return Opened(
        connectors=(connector, *connector.mailboxes),
        deliverer=deliverer,
        reparse=reparse,
        understand=understand,
        check=lambda: check(settings),
        replay=replay,
        writer=MailWriter(composer_of(settings, secrets)),
        close=close,
    )


def _accounts(settings: EmailSettings) -> Mapping[str, str]:
    return {each.name: each.brand for each in settings.accounts}


def _mentions(settings: EmailSettings) -> Mentions:
    smtp, relay = settings.smtp_in, settings.relay
    files = {
        "smtp_in.tls_certificate": smtp.tls_certificate if smtp else None,
        "smtp_in.tls_key": smtp.tls_key if smtp else None,
        "relay.certificate_authorities": relay.certificate_authorities if relay else None,
    }
    for index, mailbox in enumerate(settings.imap):
        files[f"imap[{index}].certificate_authorities"] = mailbox.certificate_authorities
    accounts = list(enumerate(settings.accounts))
    return Mentions(
        brands={f"accounts[{index}]": each.brand for index, each in accounts},
        queues={
            f"accounts[{index}].queue_hint": each.queue_hint for index, each in accounts if each.queue_hint
        },
        files={path: file for path, file in files.items() if file is not None},
        ports={"smtp_in.port": (smtp.host, smtp.port)} if smtp else {},
    )


CHANNEL = Channel(
    name="email",
    title="Mail",
    describes="mail; none: no mail is taken or sent",
    settings=EmailSettings,
    capabilities=Capabilities(
        reply=True,
        files=FileLimits(count=20, bytes_each=25 * 2**20, bytes_total=25 * 2**20),
        html=True,
        subject=True,
        copies=True,
        starts="email",
        receipts=True,
        echoes=True,
    ),
    open=_open,
    accounts=_accounts,
    example=EXAMPLE,
    mentions=_mentions,
    paths=("smtp_in.tls_certificate", "smtp_in.tls_key", "relay.certificate_authorities"),
    quality=quality(
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.BOUNDS_INPUT,
        Rule.HIDES_SECRETS,
        Rule.ENDS_EVERY_SEND,
        Rule.RESUMES_WITHOUT_GAP,
        Rule.RECOGNISES_OWN_ECHO,
        Rule.OBEYS_RATE_LIMITS,
        Rule.HAS_STANDIN,
        Rule.TESTED_WITH_REAL_PEER,
        Rule.TRIES_PAYLOADS,
        Rule.HAS_FIXTURES,
        Rule.PASSES_CONTRACT,
        Rule.HAS_OPERATOR_PAGE,
        Rule.CHECKS_CREDENTIALS,
        Rule.REPORTS_HEALTH,
        exempt={
            Rule.VERIFIES_RAW_BYTES: "mail is signed by its domain at best; what the relay proved is in the event's authentication",
            Rule.ROTATES_SECRETS: "nobody signs towards us; reply tokens are of the installation's own secret, which never changes",
            Rule.FOLLOWS_EDITS_AND_DELETIONS: "a mail that was sent can be neither changed nor taken back",
            Rule.FETCHES_FILES_SAFELY: "attachments come with the mail; nothing is fetched from addresses in it",
        },
    ),
)
