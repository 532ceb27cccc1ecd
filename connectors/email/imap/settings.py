"""Settings of mailboxes that mail is fetched from."""

import re
from datetime import date
from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from connectors.email.hosts import is_loopback
from schemas.configuration import Name, Setting

MEGABYTE = 1024 * 1024
KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z^_`a-z|~]{1,100}\Z")
FolderName = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class OAuthSettings(Setting):
    """Signing in with access tokens (XOAUTH2) instead of a password; Google and Microsoft ask for it."""

    client_id: str = Field(min_length=1, description="id of the application registered at the provider")
    client_secret: SecretStr | None = Field(default=None, description="its secret; none: a public client")
    refresh_token: SecretStr | None = Field(
        default=None,
        description="what the mailbox's owner granted; none: the application acts by itself (client credentials), "
        "which Microsoft recommends for programs as its refresh tokens end after 90 days",
    )
    token_url: str = Field(
        description="where tokens are asked for: https://oauth2.googleapis.com/token, or "
        "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"
    )
    scope: str = Field(
        default="",
        description="https://mail.google.com/ for Google; for Microsoft https://outlook.office.com/IMAP.AccessAsUser.All "
        "offline_access, or https://outlook.office365.com/.default with client credentials",
    )
    private_networks: tuple[str, ...] = Field(
        default=(),
        description="private networks that token_url may lead to all the same, such as 10.1.0.0/16; without, secrets are sent "
        "to the public internet only",
    )

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            try:
                ip_network(each, strict=False)
            except ValueError:
                raise ValueError(f"{each!r} is no address or network") from None
        return networks

    @model_validator(mode="after")
    def _safe(self) -> Self:
        try:
            parts = urlsplit(self.token_url)
        except ValueError:
            raise ValueError("token_url is no address") from None
        is_here = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if parts.scheme != "https" and not is_here:
            raise ValueError("token_url must begin with https:// as secrets are sent there")
        if not parts.hostname or parts.username is not None:
            raise ValueError("token_url must name a host, and no user")
        if self.refresh_token is None and self.client_secret is None:
            raise ValueError("set refresh_token, or client_secret for client credentials, or both")
        return self


class ImapSettings(Setting):
    """A mailbox that mail is fetched from."""

    name: Name = Field(
        description="name of the mailbox in health and logs; it never changes, as what was fetched is kept under it"
    )
    account: Name | None = Field(
        default=None,
        description="account for mail whose recipients name none of ours; none: the first account",
    )
    host: str = Field(min_length=1, description="name of the server")
    port: int = Field(default=993, ge=1, le=65535, description="port of the server")
    security: Literal["none", "starttls", "tls"] = Field(
        default="tls",
        description="starttls and tls verify the certificate; none is for this machine only",
    )
    certificate_authorities: str | None = Field(
        default=None, description="PEM file of authorities; none: those of the system"
    )
    username: str = Field(min_length=1, max_length=500, description="user name, often the address")
    password: SecretStr | None = Field(default=None, description="password of the user")
    oauth: OAuthSettings | None = Field(
        default=None, description="signing in by tokens instead of a password"
    )
    folders: tuple[FolderName, ...] = Field(
        default=("INBOX",),
        min_length=1,
        max_length=50,
        description="folders to read, as the server names them (Archive/2026); \\Junk is whichever folder the server keeps "
        "spam in. New mail is told at once in the first one, in the others it is looked for every poll_seconds. "
        "Mail from the spam folder is flagged spam",
    )
    first_run: Literal["from_now", "since", "all"] = Field(
        default="from_now",
        description="which mails of a folder are taken when it is read for the first time: those that come from now on, "
        "those since a day, or all",
    )
    since: date | None = Field(default=None, description="the day, for first_run: since")
    post_action: Literal["none", "seen", "keyword", "move"] = Field(
        default="none",
        description="what is done to a mail in the mailbox once it is kept: nothing (the mailbox is opened for reading only), "
        "marked as read, marked with keyword, or moved to move_to",
    )
    keyword: str = Field(default="Hubbub", description="the mark, for post_action: keyword")
    move_to: FolderName | None = Field(
        default=None, description="folder, for post_action: move; made where it does not exist"
    )
    idle: bool = Field(
        default=True,
        description="let the server tell of new mail (IDLE) where it can; else poll_seconds alone",
    )
    idle_renew_seconds: float = Field(
        default=240,
        gt=0,
        le=1740,
        description="how long to listen before the server must show that it is there (RFC 2177: 29 minutes at most)",
    )
    poll_seconds: float = Field(
        default=60, gt=0, le=86400, description="how often to look where the server does not tell"
    )
    timeout_seconds: float = Field(default=60, gt=0, le=3600, description="longest wait for an answer")
    max_message_bytes: int = Field(
        default=50 * MEGABYTE,
        ge=10_000,
        le=500 * MEGABYTE,
        description="of larger mails the beginning is put into quarantine",
    )
    trusted_authserv_ids: tuple[str, ...] = Field(
        default=(),
        description="names under which the mailbox's server writes Authentication-Results (RFC 8601), such as mx.google.com. "
        "It must remove such headers that others wrote. Empty: nothing is known of any sender",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise ValueError("set password or oauth, one of them")
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError(
                "password and mail would cross the network in clear; set security to starttls or tls"
            )
        if (self.first_run == "since") != (self.since is not None):
            raise ValueError("first_run: since and since (a day such as 2026-01-31) belong together")
        return self

    @model_validator(mode="after")
    def _post_action_is_possible(self) -> Self:
        if (self.post_action == "move") != (self.move_to is not None):
            raise ValueError("post_action: move and move_to (a folder) belong together")
        if self.move_to in self.folders:
            raise ValueError(f"move_to: {self.move_to} is read itself; name a folder that is not in folders")
        if not KEYWORD.match(self.keyword):
            raise ValueError("keyword: a mark is one word of plain letters, digits and $ - _ .")
        if len(set(self.folders)) != len(self.folders):
            raise ValueError("folders: one is named twice")
        if any(each in "\r\n\x00" for each in self.username):
            raise ValueError("username must be one line")
        return self
