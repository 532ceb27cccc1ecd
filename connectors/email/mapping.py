"""From a read mail to what happened. Pure: the same mail gives the same events, by SMTP and from a file.

kind of mail                     event
message, auto_reply, calendar    InteractionReceived
bounce, complaint                InteractionBounced
receipt                          InteractionReceipt
mail of our own                  InteractionIgnored
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from connectors.email.accounts import Accounts
from connectors.email.addresses import normal_address
from connectors.email.authentication import Proof, prove
from connectors.email.correspondents import Correspondents, correspondents, is_own_mail
from connectors.email.envelope import Envelope
from connectors.email.parse import ParsedMail
from connectors.email.settings import AccountSettings
from connectors.email.threading import Thread, thread_of
from connectors.email.tokens import OwnMessage, Tokens, case_reference, mail_reference
from schemas.ids import item_id
from schemas.interactions import (
    Attachment,
    BlobRef,
    Content,
    InteractionBounced,
    InteractionEvent,
    InteractionIgnored,
    InteractionReceipt,
    InteractionReceived,
    Kind,
    Part,
)
from schemas.steps import Blob

CHANNEL = "email"
KINDS = {"message": Kind.MESSAGE, "auto_reply": Kind.AUTO_REPLY, "calendar": Kind.CALENDAR}
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
LONGEST_SUBJECT = 1_000
LONGEST_DIAGNOSTIC = 2_000


@dataclass(frozen=True, slots=True)
class MailContext:
    """What the installation knows: its mailboxes, its secrets, the servers whose word on senders counts."""

    accounts: Accounts
    tokens: Tokens
    trusted_authserv_ids: frozenset[str] = frozenset()
    own_addresses: frozenset[str] = frozenset()
    """Further senders of ours, such as that of notices."""


@dataclass(frozen=True, slots=True)
class Mapped:
    item: UUID
    account: str
    interactions: tuple[InteractionEvent, ...]
    blobs: tuple[Blob, ...]


def map_mail(
    mail: ParsedMail, envelope: Envelope, original: BlobRef, received_at: datetime, context: MailContext
) -> Mapped:
    """The events of one readable mail, with the attachments that they refer to."""
    account = account_of(mail, envelope, context.accounts)
    message_id = mail.message_id or derived_message_id(mail)
    item = item_id(CHANNEL, account.name, f"{message_id}\x1f{mail.body_digest}")
    mapping = _Mapping(mail, envelope, context, account, message_id)
    shared: dict[str, Any] = {
        "part": Part(item=item),
        "channel": CHANNEL,
        "account": account.name,
        "brand": account.brand,
        "occurred_at": _occurred_at(mail.date, envelope.arrived_at, received_at),
        "received_at": received_at,
        "original": original,
        "external_id": mail_reference(message_id),
    }
    event, blobs = mapping.event(shared)
    return Mapped(item, account.name, (event,), blobs)


def account_of(mail: ParsedMail, envelope: Envelope, accounts: Accounts) -> AccountSettings:
    """The mailbox that a mail came to: by its headers first, so that every copy of it comes to the same one."""
    written = [each.address for each in (*mail.to, *mail.cc)]
    found = accounts.first_owning([*written, *mail.delivered_to, *envelope.recipients])
    return found or accounts.named(envelope.account or "") or accounts.default


def derived_message_id(mail: ParsedMail) -> str:
    """A name for a mail that has none, made of what no relay changes."""
    digest = hashlib.sha256()
    for part in (
        mail.sender.address if mail.sender else "",
        mail.date.astimezone(UTC).isoformat() if mail.date else "",
        mail.subject,
        mail.body_digest,
    ):
        digest.update(part.encode("utf-8", "replace") + b"\x1f")
    return f"{digest.hexdigest()[:40]}@no-message-id.invalid"


@dataclass(frozen=True, slots=True)
class _Mapping:
    mail: ParsedMail
    envelope: Envelope
    context: MailContext
    account: AccountSettings
    message_id: str

    def event(self, shared: dict[str, Any]) -> tuple[InteractionEvent, tuple[Blob, ...]]:
        thread = thread_of(self.mail, self.envelope, self.message_id, self.context.tokens)
        own = self._own_message()
        if self.mail.kind in ("bounce", "complaint"):
            return self._bounced(shared | {"conversation": self._conversation_of(own, thread)}, own), ()
        if self.mail.kind == "receipt":
            return self._receipt(shared | {"conversation": self._conversation_of(own, thread)}, own), ()
        shared["conversation"] = thread.conversation
        reason = is_own_mail(self.mail, self.context.tokens, self._is_ours)
        if reason:
            return InteractionIgnored(**shared, reason=reason), ()
        proof = prove(self.mail.authentication, self.context.trusted_authserv_ids, self._sender())
        people = correspondents(self.mail, proof, self._is_ours)
        return self._received(shared, thread, proof, people)

    def _received(
        self, shared: dict[str, Any], thread: Thread, proof: Proof, people: Correspondents
    ) -> tuple[InteractionEvent, tuple[Blob, ...]]:
        attachments, blobs = attach(self.mail)
        flags = {*self.mail.flags, *people.flags}
        if self.envelope.mail_from == "":
            flags.add("null_sender")
        if self.envelope.is_junk:
            flags.add("spam")
        if proof.authentication.spoof_suspect:
            # An automatic answer would go to somebody whose name was only used.
            flags.update(("suspect", "suppress_auto_reply"))
        received = InteractionReceived(
            **shared,
            kind=KINDS[self.mail.kind],
            parents=thread.parents,
            tokens=thread.tokens,
            numbers=thread.numbers,
            participants=people.participants,
            content=Content(
                subject=self.mail.subject[:LONGEST_SUBJECT],
                text=self.mail.text,
                text_new=self.mail.text_new,
                html=self.mail.html,
                language=self.mail.language,
            ),
            attachments=attachments,
            authentication=proof.authentication,
            flags=tuple(sorted(flags)),
            queue_hint=self.account.queue_hint,
        )
        return received, blobs

    def _bounced(self, shared: dict[str, Any], own: OwnMessage | None) -> InteractionEvent:
        bounce = self.mail.bounce
        status = (bounce.status if bounce else None) or ""
        return InteractionBounced(
            **shared,
            message=own.message if own else None,
            recipient=_recipient(bounce.recipient if bounce else None),
            status=status[:20],
            action="complaint"
            if self.mail.kind == "complaint"
            else _action(bounce.action if bounce else "", status),
            diagnostic=((bounce.diagnostic if bounce else None) or "")[:LONGEST_DIAGNOSTIC],
        )

    def _receipt(self, shared: dict[str, Any], own: OwnMessage | None) -> InteractionEvent:
        action = self.mail.bounce.action if self.mail.bounce else ""
        is_delivery = action in ("delivered", "relayed", "expanded")
        return InteractionReceipt(
            **shared, message=own.message if own else None, status="delivered" if is_delivery else "read"
        )

    def _own_message(self) -> OwnMessage | None:
        """Our outbound message that a report tells of: by the returned Message-ID or envelope id, else by the thread."""
        bounce = self.mail.bounce
        returned = [bounce.original_message_id, bounce.original_envelope_id] if bounce else []
        named = [*returned, *self._named_in_receipt(), self.mail.in_reply_to, *reversed(self.mail.references)]
        for identifier in named:
            own = self.context.tokens.own_message(identifier) if identifier else None
            if own is not None:
                return own
        return None

    def _named_in_receipt(self) -> Iterator[str]:
        """Lines of a disposition notification; one of them is Original-Message-ID (RFC 8098, 3.2.5)."""
        for attachment, content in zip(self.mail.attachments, self.mail.payloads, strict=True):
            if attachment.media_type == "message/disposition-notification":
                yield from content[:8_000].decode("ascii", "replace").splitlines()

    def _conversation_of(self, own: OwnMessage | None, thread: Thread) -> str:
        """A report takes the key of the message that it tells of."""
        if own is not None and own.case is not None:
            return case_reference(own.case)
        if thread.tokens:
            return thread.tokens[0]
        original = self.mail.bounce.original_message_id if self.mail.bounce else None
        return mail_reference(original) if original else thread.conversation

    def _is_ours(self, address: str) -> bool:
        return (
            self.context.accounts.owning(address) is not None
            or self.context.tokens.case_of_address(address) is not None
            or normal_address(address) in self.context.own_addresses
        )

    def _sender(self) -> str | None:
        return normal_address(self.mail.sender.address) if self.mail.sender else None


def attach(mail: ParsedMail) -> tuple[tuple[Attachment, ...], tuple[Blob, ...]]:
    """The attachments, and their bytes once each."""
    attachments: list[Attachment] = []
    blobs: dict[str, Blob] = {}
    for each, content in zip(mail.attachments, mail.payloads, strict=True):
        ref = BlobRef(sha256=each.sha256, size=each.size, media_type=each.media_type)
        blobs.setdefault(each.sha256, Blob(ref, content))
        attachments.append(
            Attachment(
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                blob=ref,
                inline=each.inline,
                content_id=each.content_id,
            )
        )
    return tuple(attachments), tuple(blobs.values())


def _occurred_at(date: datetime | None, arrived_at: datetime | None, received_at: datetime) -> datetime:
    """The sender's clock, where it can be: neither in the future nor before mail had dates; else his mailbox's, else ours."""
    for moment in (date, arrived_at):
        if moment is not None and EARLIEST <= moment <= received_at:
            return moment.astimezone(UTC)
    return received_at


def _action(action: str, status: str) -> str:
    """`delayed` is no failure; what says nothing counts as one, as most reports that cannot be read are."""
    if action == "delayed" or (action != "failed" and status.startswith("4")):
        return "delayed"
    return "failed"


def _recipient(address: str | None) -> str:
    return (normal_address(address) or address[:320]) if address else ""
