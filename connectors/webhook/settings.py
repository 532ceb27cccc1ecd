"""What a company says about webhooks that come in: who signs them how, where in them things stand, and how answers leave."""

from ipaddress import ip_network
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.kit.signatures import secret_bytes
from connectors.webhook.pointers import Pointer
from schemas.configuration import Name, Setting

HEADER = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"


class Signature(Setting):
    """How a request proves who sent it. A preset needs its secrets only; `hmac` is described by the other fields."""

    scheme: Literal["standard-webhooks", "github", "stripe", "meta", "shopify", "hmac", "bearer", "basic"]
    secrets: tuple[SecretStr, ...] = Field(
        min_length=1, max_length=5, description="several while you change one; of `basic`: name:password"
    )
    header: str = Field(
        default="", pattern=f"{HEADER}|^$", description="of hmac: the header with the signature"
    )
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = Field(
        default="", max_length=40, description="before the signature in the header, such as sha256="
    )
    signed: str = Field(
        default="{body}",
        max_length=200,
        description="what is signed: {body} with {timestamp} and {id} where they are part of it",
    )
    timestamp_header: str = Field(default="", pattern=f"{HEADER}|^$")
    id_header: str = Field(
        default="",
        pattern=f"{HEADER}|^$",
        description="names the request, as far as it is proven; a repeated one is known by it",
    )
    tolerance_seconds: int = Field(
        default=300, ge=1, le=86_400, description="how old a signed timestamp may be"
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "Signature":
        for secret in self.secrets:
            if len(secret.get_secret_value()) < 8:
                raise ValueError("a secret has at least 8 characters")
        if self.scheme == "standard-webhooks":
            for secret in self.secrets:
                secret_bytes(secret.get_secret_value())
        if self.scheme == "hmac" and (not self.header or "{body}" not in self.signed):
            raise ValueError("scheme hmac needs `header`, and {body} in `signed`")
        if self.scheme == "hmac" and ("{timestamp}" in self.signed) != bool(self.timestamp_header):
            raise ValueError("{timestamp} in `signed` and `timestamp_header` belong together")
        if self.scheme == "hmac" and "{id}" in self.signed and not self.id_header:
            raise ValueError("{id} in `signed` needs `id_header`")
        if self.id_header and self.scheme not in ("hmac", "bearer", "basic"):
            raise ValueError(
                f"scheme {self.scheme} has no `id_header`; set mapping.id to know a repeated one"
            )
        if self.scheme == "hmac" and self.id_header and "{id}" not in self.signed:
            raise ValueError(
                "`id_header` is not signed, so it proves nothing; put {id} into `signed`, or set mapping.id"
            )
        return self


class Condition(Setting):
    """An item counts when what stands there is one of these."""

    at: Pointer
    is_one_of: tuple[str, ...] = Field(min_length=1, max_length=100)


class Files(Setting):
    """Files that an item names by address."""

    at: Pointer = Field(description="the list of files")
    url: Pointer = Field(description="within one of them")
    name: Pointer | None = None


class Mapping(Setting):
    """Where in the payload things stand (JSON pointers, RFC 6901). With `items`, all others are within one item."""

    items: Pointer | None = Field(default=None, description="a list of which each is a message of its own")
    when: tuple[Condition, ...] = Field(
        default=(), max_length=20, description="what does not fit all of them is left out"
    )
    id: Pointer | None = Field(
        default=None, description="names the message; a repeated one is known by it. None: its content"
    )
    conversation: Pointer | None = Field(
        default=None, description="messages that belong together; none: each is a case"
    )
    text: Pointer
    subject: Pointer | None = None
    occurred_at: Pointer | None = Field(
        default=None, description="ISO 8601, or seconds or milliseconds since 1970"
    )
    sender_id: Pointer | None = Field(default=None, description="the sender's id with the source")
    sender_name: Pointer | None = None
    sender_email: Pointer | None = Field(default=None, description="answers go there where no reply is set")
    fields: dict[str, Pointer] = Field(
        default_factory=dict, max_length=50, description="title -> what is shown below the text"
    )
    files: Files | None = None

    @model_validator(mode="after")
    def _has_a_sender(self) -> "Mapping":
        if self.sender_id is None and self.sender_email is None:
            raise ValueError("set sender_id or sender_email: a case needs to know who wrote")
        return self


class Handshake(Setting):
    """How a source asks whether we are there: by a GET whose query has a challenge, or a POST with one in its payload."""

    challenge_query: str = Field(default="", max_length=100, description="of a GET, such as hub.challenge")
    token_query: str = Field(default="", max_length=100, description="such as hub.verify_token")
    token: SecretStr | None = Field(default=None, description="what the token has to be")
    challenge: Pointer | None = Field(
        default=None, description="of a signed POST: it is answered with what stands there"
    )

    @model_validator(mode="after")
    def _is_complete(self) -> "Handshake":
        if bool(self.challenge_query) != (self.token is not None and bool(self.token_query)):
            raise ValueError("challenge_query, token_query and token belong together")
        return self


class Answer(Setting):
    """What the source is told once everything is kept."""

    status: int = Field(default=200, ge=200, le=299)
    body: str = Field(default="", max_length=2000)
    media_type: str = Field(default="text/plain; charset=utf-8", max_length=100)


class Reply(Setting):
    """The request by which an answer leaves. In `body` and `url`: {text}, {conversation}, {message}, {author}, {in_reply_to}."""

    url: str = Field(max_length=2000)
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[str, SecretStr] = Field(default_factory=dict, max_length=20)
    body: dict[str, Any] | None = Field(
        default=None, description="JSON with the names above; none: our own form"
    )
    signing_secret: SecretStr | None = Field(default=None, description="whsec_…: signed by Standard Webhooks")
    id: Pointer | None = Field(default=None, description="where the response names the message")
    knows_repeats: bool = Field(
        default=True,
        description="the receiver knows a repeated request by its Idempotency-Key, so what may have arrived is sent again",
    )
    longest: int = Field(default=10_000, ge=1, le=1_000_000, description="longest text, in characters")

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or "{" in parts.netloc:
            raise ValueError(
                f"{url!r} is no address; write it whole, with https://, and no {{name}} in the host"
            )
        return url

    @model_validator(mode="after")
    def _secret_is_readable(self) -> "Reply":
        if self.signing_secret is not None:
            secret_bytes(self.signing_secret.get_secret_value())
        return self


class WebhookSource(Setting):
    name: Name = Field(description="its address is /hooks/webhook_in/NAME")
    brand: Name = "default"
    queue: Name | None = Field(default=None, description="hint for the routing")
    signature: Signature
    mapping: Mapping
    handshake: Handshake | None = None
    answer: Answer = Answer()
    reply: Reply | None = Field(
        default=None, description="how answers leave; none: by mail, where a mail address is known"
    )
    verified: bool = Field(default=False, description="the source has proven who its senders are")
    body_bytes: int = Field(default=1 << 20, ge=1024, le=16 << 20, description="a longer request is refused")


class WebhookSettings(Setting):
    sources: tuple[WebhookSource, ...] = Field(default=(), max_length=500)
    private_networks: tuple[str, ...] = Field(
        default=(), description="private networks that replies may go to all the same, such as 10.1.0.0/16"
    )

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            ip_network(each, strict=False)
        return networks

    @model_validator(mode="after")
    def _names_are_unique(self) -> "WebhookSettings":
        names = [each.name for each in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two webhook sources are named {', '.join(twice)}")
        return self
