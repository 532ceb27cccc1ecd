"""From an outbound message to the mail that leaves. Pure: every try sends the same bytes."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime

from connectors.email.accounts import Accounts
from connectors.email.addresses import domain_of, normal_address
from connectors.email.mime import (
    address_header,
    attachment_part,
    header,
    id_header,
    multipart,
    one_line,
    text_part,
)
from connectors.email.plain_html import document, html_of_text
from connectors.email.settings import AccountSettings, NoticesSettings
from connectors.email.tokens import Tokens
from schemas.interactions import Attachment, Role
from schemas.outbound import OutboundMessage

REFERENCES = 20
MOST_RECIPIENTS = 100
MAIL_PREFIX = "mail:"


class Unsendable(ValueError):
    """The message cannot become a mail as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What the relay gets. `sender` is empty for the null sender. `message_id` has no angle brackets."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str
    envelope_id: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address is not ASCII (RFC 6531); domains never are here."""
        return not all(address.isascii() for address in (self.sender, *self.recipients))


@dataclass(frozen=True, slots=True)
class Composer:
    accounts: Accounts
    tokens: Tokens
    notices: NoticesSettings | None = None

    def compose(self, message: OutboundMessage, contents: Mapping[str, bytes]) -> Mail:
        """`contents` has the bytes of every attachment by its sha256. Raises Unsendable."""
        name, address, reply_to = self._sender(message)
        to, cc, bcc = _recipients(message)
        message_id = self.tokens.message_id(message.message, message.case, domain_of(address))
        headers = [
            header("Date", format_datetime(message.queued_at)),
            address_header("From", [(name, address)]),
            *([address_header("To", to)] if to else [b"To: undisclosed-recipients:;\r\n"]),
            *([address_header("Cc", cc)] if cc else []),
            *([address_header("Reply-To", [(name, reply_to)])] if reply_to != address else []),
            header("Subject", message.subject[:1000]),
            id_header("Message-ID", [message_id]),
            *_thread_headers(message),
            *(_automatic_headers(message) if message.automatic else []),
            b"MIME-Version: 1.0\r\n",
        ]
        return Mail(
            sender="" if message.automatic else reply_to,
            recipients=tuple(address for _, address in (*to, *cc, *bcc)),
            content=b"".join(headers) + self._body(message, contents),
            message_id=message_id,
            envelope_id=self.tokens.envelope_id(message.message, message.case),
        )

    def _sender(self, message: OutboundMessage) -> tuple[str, str, str]:
        """Display name, address, and where answers (and bounces) go."""
        if message.case is None and self.notices is not None:
            return self.notices.display_name, self.notices.address, self.notices.address
        account = self._account(message)
        reply_to = account.address
        if message.case is not None and account.reply_token:
            reply_to = self.tokens.reply_address(account.address, message.case)
        return account.display_name, account.address, reply_to

    def _account(self, message: OutboundMessage) -> AccountSettings:
        """The message's own account; a case of another channel is answered from a mailbox of its brand."""
        named = self.accounts.named(message.account)
        of_brand = next((each for each in self.accounts.accounts if each.brand == message.brand), None)
        return named or of_brand or self.accounts.default

    def _body(self, message: OutboundMessage, contents: Mapping[str, bytes]) -> bytes:
        html = document(message.html) if message.html else html_of_text(message.text)
        body = multipart(
            "alternative",
            self._boundary(message, "alternative"),
            [text_part(message.text, "plain"), text_part(html, "html")],
        )
        attachments = [_attachment(each, contents) for each in message.attachments if each.blob is not None]
        if not attachments:
            return body
        return multipart("mixed", self._boundary(message, "mixed"), [body, *attachments])

    def _boundary(self, message: OutboundMessage, level: str) -> str:
        """The same for each try, and not to be guessed by who writes the text."""
        key = hashlib.sha256(b"hubbub email boundary" + self.tokens.secrets[0]).digest()
        return "=_" + hmac.digest(key, message.message.bytes + level.encode(), "sha256").hex()[:32]


def external_id(message_id: str) -> str:
    return f"{MAIL_PREFIX}{message_id}"


Addresses = list[tuple[str, str]]


def _recipients(message: OutboundMessage) -> tuple[Addresses, Addresses, Addresses]:
    """(name, address) of To, Cc and Bcc, each address once. The last are told to the relay alone (RFC 5322, 3.6.3)."""
    seen: set[str] = set()
    to: Addresses = []
    cc: Addresses = []
    bcc: Addresses = []
    places = {Role.CC: cc, Role.BCC: bcc}
    for each in message.recipients:
        address = normal_address(each.value)
        if address is None:
            raise Unsendable(f"{one_line(each.value)[:100]!r} is not a mail address")
        if address not in seen:
            seen.add(address)
            places.get(each.role, to).append((each.name, address))
    if not seen:
        raise Unsendable("the message has no recipient")
    if len(seen) > MOST_RECIPIENTS:
        raise Unsendable(f"more than {MOST_RECIPIENTS} recipients")
    return to, cc, bcc


def _thread_headers(message: OutboundMessage) -> list[bytes]:
    """In-Reply-To, and References cut to its first and its last ids (RFC 5322, 3.6.4). Ids of other channels are left out."""
    parent = _mail_id(message.in_reply_to)
    references = [found for each in message.references if (found := _mail_id(each))]
    if parent is not None:
        references = [*(each for each in references if each != parent), parent]
    references = list(dict.fromkeys(references))
    if len(references) > REFERENCES:
        references = [references[0], *references[-(REFERENCES - 1) :]]
    return [id_header("In-Reply-To", [parent] if parent else []), id_header("References", references)]


def _mail_id(reference: str | None) -> str | None:
    if not reference or not reference.startswith(MAIL_PREFIX):
        return None
    return reference.removeprefix(MAIL_PREFIX).strip("<> ") or None


def _automatic_headers(message: OutboundMessage) -> Sequence[bytes]:
    """So that no machine answers (RFC 3834, 5; the second is Exchange's)."""
    submitted = "auto-replied" if message.case is not None else "auto-generated"
    return [header("Auto-Submitted", submitted), header("X-Auto-Response-Suppress", "All")]


def _attachment(attachment: Attachment, contents: Mapping[str, bytes]) -> bytes:
    assert attachment.blob is not None
    content = contents.get(attachment.blob.sha256)
    if content is None:
        raise Unsendable(f"the attachment {attachment.name!r} is gone")
    return attachment_part(
        attachment.name,
        attachment.media_type,
        content,
        content_id=attachment.content_id,
        inline=attachment.inline,
    )
