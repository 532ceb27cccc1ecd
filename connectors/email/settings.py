"""Settings of the mail channel, in and out."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.email.addresses import domain_of, normal_address
from connectors.email.hosts import is_loopback
from connectors.email.imap.settings import ImapSettings
from schemas.configuration import Name, Setting

MEGABYTE = 1024 * 1024
SMTP = "smtp"
"""The connector that takes mail for all accounts goes by that name; no mailbox may."""


def _address(value: str) -> str:
    address = normal_address(value)
    if address is None:
        raise ValueError(f"{value!r} is not a mail address; write it as name@example.com")
    return address


Address = Annotated[str, AfterValidator(_address)]


class SmtpInSettings(Setting):
    """The SMTP server that takes mail in. Put it behind Postfix, Exchange or another relay; it is no internet MX."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=2525, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    hostname: str = Field(default="localhost", max_length=255, description="name in the greeting")
    max_message_bytes: int = Field(
        default=50 * MEGABYTE, ge=10_000, le=500 * MEGABYTE, description="larger mails are refused (552)"
    )
    max_recipients: int = Field(
        default=100, ge=1, description="recipients of one mail; further ones are answered 452"
    )
    max_connections: int = Field(
        default=500, ge=1, description="connections at once; further ones are answered 421"
    )
    max_connections_per_address: int = Field(
        default=50,
        ge=1,
        description="connections at once of one address (IPv6: of one /64); further ones are answered 421",
    )
    max_bytes_in_flight: int = Field(
        default=256 * MEGABYTE,
        ge=MEGABYTE,
        description="bytes of mails being received and not yet on the log, over all connections; one address holds "
        "half of it at most. Beyond it 452. "
        "Memory in use is about four times that",
    )
    idle_timeout_seconds: float = Field(
        default=300, gt=0, description="longest wait for the next command (RFC 5321, 4.5.3.2.7)"
    )
    data_timeout_seconds: float = Field(
        default=600, gt=0, description="longest time to send one mail after DATA"
    )
    tls_certificate: str | None = Field(
        default=None, description="PEM file with the certificate chain; offers STARTTLS"
    )
    tls_key: str | None = Field(default=None, description="PEM file with the certificate's private key")
    trusted_authserv_ids: tuple[str, ...] = Field(
        default=(),
        description="names under which your own relay writes Authentication-Results (RFC 8601). It must remove such headers "
        "that others wrote. Empty: nothing is known of any sender",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; set both or none")
        if self.max_bytes_in_flight < self.max_message_bytes:
            raise ValueError("max_bytes_in_flight must hold at least one mail of max_message_bytes")
        return self


class AccountSettings(Setting):
    """A mailbox of ours: an address that customers write to and that answers come from."""

    name: Name = Field(description="name of the account, as rules and cases show it; it never changes")
    address: Address = Field(description="the address that answers come from")
    aliases: tuple[Address, ...] = Field(default=(), description="further addresses whose mail belongs here")
    brand: Name = Field(default="default", description="brand of all that comes in here")
    display_name: str = Field(default="", max_length=200, description="name beside the address in answers")
    queue_hint: Name | None = Field(default=None, description="queue to prefer where no routing rule decides")
    reply_token: bool = Field(
        default=True,
        description="answers are asked for at name+c-…@ so that they find their case even where Message-IDs are lost; "
        "turn off where the mail server knows no plus addresses. It needs a name of at most 18 letters before the @",
    )


class RelaySettings(Setting):
    """The SMTP server that takes our mail out."""

    host: str = Field(description="name of the server")
    port: int = Field(default=587, ge=1, le=65535, description="port of the server")
    security: Literal["none", "starttls", "tls"] = Field(
        default="starttls",
        description="starttls and tls verify the certificate; none is for this machine or a closed network",
    )
    certificate_authorities: str | None = Field(
        default=None, description="PEM file of authorities; none: those of the system"
    )
    username: str | None = Field(default=None, description="user name; none: no login")
    password: SecretStr | None = Field(default=None, description="password of the user")
    hostname: str = Field(default="localhost", max_length=255, description="name that we greet with")
    pool_size: int = Field(default=4, ge=1, le=100, description="connections at once")
    timeout_seconds: float = Field(
        default=60, gt=0, description="longest wait for an answer, the last one excepted"
    )
    final_timeout_seconds: float = Field(
        default=600,
        gt=0,
        description="longest wait for the answer to the whole mail (RFC 5321, 4.5.3.2.6: ten minutes)",
    )

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; set both or none")
        if self.username is not None and self.security == "none" and not is_loopback(self.host):
            raise ValueError("a password would cross the network in clear; set security to starttls or tls")
        return self


class NoticesSettings(Setting):
    """Sender of mails to our own people that belong to no case."""

    address: Address = Field(description="for example noreply@example.com")
    display_name: str = Field(default="Hubbub", max_length=200, description="name beside the address")


class EmailSettings(Setting):
    """The mail channel."""

    smtp_in: SmtpInSettings | None = Field(
        default_factory=SmtpInSettings, description="the server that takes mail in; null: none"
    )
    accounts: tuple[AccountSettings, ...] = Field(min_length=1, description="mailboxes of ours")
    relay: RelaySettings | None = Field(
        default=None, description="the server that takes mail out; none: nothing is sent"
    )
    notices: NoticesSettings | None = Field(
        default=None, description="sender of notices; none: the first account"
    )
    imap: tuple[ImapSettings, ...] = Field(default=(), description="mailboxes that mail is fetched from")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [account.name for account in self.accounts]
        addresses = [address for account in self.accounts for address in (account.address, *account.aliases)]
        for what, values in (("name", names), ("address", addresses)):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(
                    f"accounts: the {what} {twice[0]} is used twice; each belongs to one account"
                )
        return self

    @model_validator(mode="after")
    def _mailboxes_are_distinct(self) -> Self:
        accounts = {account.name for account in self.accounts}
        names: set[str] = set()
        read: set[tuple[str, str, str]] = set()
        for mailbox in self.imap:
            if mailbox.name in names or mailbox.name == SMTP:
                raise ValueError(f"imap: the name {mailbox.name} is taken; each mailbox needs one of its own")
            names.add(mailbox.name)
            if mailbox.account is not None and mailbox.account not in accounts:
                raise ValueError(f"imap: {mailbox.name}: there is no account {mailbox.account!r}")
            for folder in mailbox.folders:
                place = (mailbox.host.lower(), mailbox.username.lower(), folder)
                if place in read:
                    raise ValueError(
                        f"imap: {mailbox.name}: folder {folder} is read by another mailbox already"
                    )
                read.add(place)
        return self

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(domain_of(account.address) for account in self.accounts)
