"""Who may do what: agents, their sessions, API keys, and the requests that were already answered."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from schemas.columns import Collection, text_column, time_column
from schemas.documents import Document
from schemas.events import Frozen, Personal
from schemas.ids import derive
from schemas.preferences import Digested, Preferences

ANY_QUEUE = "*"


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


RANK = {Role.AGENT: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}


class SecondFactor(Frozen):
    """Codes by time (RFC 6238). Their secret is made from the installation's and `salt`, and kept nowhere."""

    salt: str
    since: datetime
    last_step: int = Field(default=0, description="of the last code that was taken; none is taken twice")
    recovery: tuple[str, ...] = Field(default=(), description="hashes of the codes for who lost the device")


class User(Document):
    """`roles` maps a queue (or `*` for every queue) to the role there."""

    name: str
    title: Personal = ""
    address: Personal = ""
    password_hash: str = ""
    must_change_password: bool = False
    roles: dict[str, Role] = Field(default_factory=dict)
    active: bool = True
    created_at: datetime
    failed_sign_ins: tuple[datetime, ...] = ()
    second_factor: SecondFactor | None = None
    offered_factor: str = Field(default="", description="the salt of one that is being set up")
    preferences: Preferences = Preferences()
    digested: Digested | None = None


class Session(Document):
    """`id` derives from the SHA-256 of the token in the cookie; the token itself is not kept."""

    user: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: Personal = ""
    agent: Personal = ""
    awaits_code: bool = Field(default=False, description="the password was right; it opens nothing yet")
    provider: str = Field(default="", description="of the single sign-on; empty: by password")
    one_time: str = Field(
        default="",
        description="the SHA-256 of the stored one-time password that it began with; it is not asked for again",
    )


class OpenIdIdentity(Document):
    """Who somebody is at a provider of single sign-on. `id` derives from issuer and subject, which never change."""

    issuer: str
    subject: Personal
    user: str
    since: datetime


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    EVENTS = "events"
    ADMIN = "admin"


class ApiKey(Document):
    """`id` derives from the SHA-256 of the key; `prefix` and `last_four` are what may be shown of it."""

    name: str
    prefix: str
    last_four: str = ""
    scopes: tuple[Scope, ...]
    roles: dict[str, Role] = Field(default_factory=dict)
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class AnsweredRequest(Document):
    """The answer to a write with an Idempotency-Key, kept for a day."""

    digest: str = Field(description="SHA-256 of method, path and body")
    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: bytes
    expires_at: datetime


class Throttle(Document):
    """A budget of tries, by the moment at which it is whole again. `id` tells neither who tries nor from where."""

    full_at: datetime


class Principal(Frozen):
    """Who asks, after authentication. `kind`: agent, key, operator (the command on this machine)."""

    kind: str
    id: str
    name: str = ""
    roles: dict[str, Role] = Field(default_factory=dict)
    scopes: frozenset[Scope] = frozenset(Scope)

    def role_in(self, queue: str) -> Role | None:
        """The role in a queue, the higher of the queue's own and `*`; None: no access."""
        held = [self.roles[name] for name in (queue, ANY_QUEUE) if name in self.roles]
        return max(held, key=RANK.__getitem__, default=None)

    def queues(self) -> frozenset[str] | None:
        """The queues that may be read; None: all of them."""
        return None if ANY_QUEUE in self.roles else frozenset(self.roles)

    def is_at_least(self, role: Role, queue: str = ANY_QUEUE) -> bool:
        held = self.role_in(queue)
        return held is not None and RANK[held] >= RANK[role]


def user_id(name: str) -> UUID:
    return derive("user", name)


def identity_id(issuer: str, subject: str) -> UUID:
    return derive("openid", issuer, subject)


USERS = Collection("users", User, {"name": text_column("name")}, indexes=(("name",),))
SESSIONS = Collection(
    "sessions",
    Session,
    {"user": text_column("user"), "expires_at": time_column("expires_at")},
    indexes=(("user",), ("expires_at",)),
)
IDENTITIES = Collection(
    "openid_identities", OpenIdIdentity, {"user": text_column("user")}, indexes=(("user",),)
)
KEYS = Collection("api_keys", ApiKey, {"name": text_column("name")}, indexes=(("name",),))
ANSWERED = Collection(
    "answered_requests",
    AnsweredRequest,
    {"expires_at": time_column("expires_at")},
    indexes=(("expires_at",),),
)
THROTTLES = Collection("throttles", Throttle, {"full_at": time_column("full_at")}, indexes=(("full_at",),))
