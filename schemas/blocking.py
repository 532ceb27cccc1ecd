"""Senders that nobody wants to hear from, and what they wrote: kept, and routed nowhere."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from pydantic import Field

from schemas.columns import Collection, Column, ColumnType, text_column, time_column
from schemas.documents import Document, Handle
from schemas.events import Actor, Personal
from schemas.ids import derive
from schemas.interactions import Participant

TYPED = "-typed"
DOMAIN = "domain"


class Block(Document):
    """`scheme` is how the sender is known (email, slack, x …), or `domain` for all mail from below one."""

    scheme: str
    value: Personal
    note: Personal = ""
    case: UUID | None = Field(default=None, description="the case from which it was done")
    by: Actor
    since: datetime


class HeldMessage(Document):
    """A message of a blocked sender. The message itself is on the log: `event`, by the key `conversation`."""

    block: UUID
    event: UUID
    conversation: str
    channel: str
    account: str
    sender: Personal
    sender_name: Personal = ""
    subject: Personal = ""
    excerpt: Personal = ""
    received_at: datetime


@lru_cache(maxsize=50_000)
def block_id(scheme: str, value: str) -> UUID:
    return derive("block", scheme.removesuffix(TYPED), value.lower())


def domain_of(value: str) -> str:
    return value.rpartition("@")[2].lower() if "@" in value else ""


def mail_domain(handle: Handle) -> str:
    """Empty for what is no address of mail."""
    return domain_of(handle.value) if handle.scheme.startswith("email") else ""


def block_ids(sender: Participant) -> tuple[UUID, ...]:
    """Under what a block of this sender would be found."""
    domain = domain_of(sender.value)
    own = block_id(sender.scheme, sender.value)
    return (own, block_id(DOMAIN, domain)) if domain else (own,)


BLOCKS = Collection(
    "blocks",
    Block,
    {"value": text_column("value"), "since": time_column("since")},
    indexes=(("since",), ("value",)),
)
HELD = Collection(
    "held_messages",
    HeldMessage,
    {
        "block": Column(ColumnType.ID, lambda held: held.block),
        "received_at": time_column("received_at"),
    },
    indexes=(("block", "received_at"), ("received_at",)),
)
