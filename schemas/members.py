"""Which processes of the hub live, and which of them holds what only one may do at a time.

A process renews its member document. Who has seen no change of it for as long as the document says, by its own clock, ends it:
that is a fact which the process itself cannot take back. So clocks that differ harm nobody, and "gone" is the same for all.
"""

from collections.abc import Collection as Some
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import Field

from schemas.columns import Collection, Column, ColumnType, text_column, time_column
from schemas.documents import Document


class Member(Document):
    """A process. Each start is a member of its own; `ended_at` is set once and for all."""

    name: str = Field(description="for people: host and process")
    place: str = Field(
        default="", description="machine and process as its neighbours can look them up; empty: they cannot"
    )
    duties: tuple[str, ...] = Field(default=(), description="what it does, such as outbound")
    seconds: float = Field(gt=0, description="gone when nothing changed for so long")
    joined_at: datetime
    renewed_at: datetime = Field(description="by the member's own clock; for people")
    ended_at: datetime | None = None


class Lease(Document):
    """What one member holds. `token` rises with each taking (it is the revision then): a write that carries it shows who is late."""

    name: str
    holder: UUID | None = Field(default=None, description="the member; none: it was given up")
    token: int = 0
    taken_at: datetime


class Membership(Protocol):
    """This process among those of the hub."""

    @property
    def id(self) -> UUID:
        """This process as a member. Another one after others have ended it."""
        ...

    @property
    def is_valid(self) -> bool:
        """Nobody can have ended this member yet. Needs no look at the store."""
        ...

    async def gone(self, members: Some[UUID]) -> set[UUID]:
        """Those of them that ended or that nobody knows. Raises Outage."""
        ...

    def is_first_for(self, name: str, duty: str) -> bool:
        """Whether this process, of all that live and have this duty, is the one to do what is called so.

        All processes agree, but for moments after one has come or gone: it spares them races and does not replace a claim.
        """
        ...


class Alone:
    """The membership of a process that nobody can share the engine with: all others are gone."""

    is_valid = True

    def __init__(self, id: UUID) -> None:
        self.id = id

    async def gone(self, members: Some[UUID]) -> set[UUID]:
        return set(members) - {self.id}

    def is_first_for(self, name: str, duty: str) -> bool:
        return True


MEMBERS = Collection(
    "members",
    Member,
    {"name": text_column("name"), "ended_at": time_column("ended_at")},
    indexes=(("ended_at",),),
)
LEASES = Collection(
    "leases",
    Lease,
    {"name": text_column("name"), "holder": Column(ColumnType.ID, lambda lease: lease.holder)},
    indexes=(("holder",),),
)
