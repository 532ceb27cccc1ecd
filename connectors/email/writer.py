"""Mails before they leave: composed as they will be, and read again."""

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.headerregistry import AddressHeader
from email.message import EmailMessage

from connectors.email.accounts import accepts
from connectors.email.addresses import normal_address
from connectors.email.compose import Composer
from connectors.kit.writing import Preview
from schemas.interactions import Role
from schemas.outbound import OutboundMessage


class MailWriter:
    def __init__(self, composer: Composer) -> None:
        self._composer = composer

    def senders(self) -> Mapping[str, str]:
        return {
            each.name: f"{each.display_name} <{each.address}>" if each.display_name else each.address
            for each in self._composer.accounts.accounts
        }

    def address(self, written: str) -> str | None:
        return normal_address(written)

    def is_ours(self, address: str) -> bool:
        notices = self._composer.notices
        is_notices = notices is not None and normal_address(notices.address) == address
        return is_notices or accepts(self._composer.accounts, self._composer.tokens, address)

    def preview(self, message: OutboundMessage) -> Preview:
        """Without its files, which it has as they are."""
        mail = self._composer.compose(message.model_copy(update={"attachments": ()}), {})
        read = message_from_bytes(mail.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return Preview(
            sender=", ".join(_addresses(read, "From")),
            to=_addresses(read, "To"),
            cc=_addresses(read, "Cc"),
            bcc=tuple(each.value for each in message.recipients if each.role is Role.BCC),
            subject=str(read["Subject"] or ""),
            text=_part(read, "plain"),
            html=_part(read, "html"),
        )


def _addresses(read: EmailMessage, name: str) -> tuple[str, ...]:
    header = read[name]
    if not isinstance(header, AddressHeader):
        return ()
    return tuple(
        f"{each.display_name} <{each.addr_spec}>" if each.display_name else each.addr_spec
        for each in header.addresses
    )


def _part(read: EmailMessage, subtype: str) -> str:
    part = read.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
