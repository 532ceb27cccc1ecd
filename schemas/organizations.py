"""Whom people belong to: by the domain of their mail, or because somebody said so."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.columns import Collection, Column, ColumnType, text_column
from schemas.documents import Document
from schemas.events import Actor, Personal
from schemas.ids import derive


class Organization(Document):
    name: str
    domains: tuple[str, ...] = Field(
        default=(), description="whoever has mail there belongs to it; at most 20"
    )
    note: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    made_by: Actor
    made_at: datetime


class OrganizationDomain(Document):
    """A domain belongs to one organization; `id` derives from it."""

    domain: str
    organization: UUID


class Membership(Document):
    """What somebody said of a handle, over what its domain says. `id` derives from the handle; None: it belongs nowhere."""

    handle: UUID
    organization: UUID | None
    by: Personal = ""
    at: datetime


def domain_id(domain: str) -> UUID:
    return derive("organization domain", domain)


def membership_id(handle: UUID) -> UUID:
    return derive("membership", handle.hex)


ORGANIZATIONS = Collection(
    "organizations",
    Organization,
    {
        "name": text_column("name"),
        "key": Column(ColumnType.TEXT, lambda organization: organization.name.casefold()),
    },
    indexes=(("key",),),
)
ORGANIZATION_DOMAINS = Collection(
    "organization_domains",
    OrganizationDomain,
    {"organization": Column(ColumnType.ID, lambda each: each.organization)},
    indexes=(("organization",),),
)
MEMBERSHIPS = Collection(
    "memberships",
    Membership,
    {"organization": Column(ColumnType.ID, lambda each: each.organization)},
    indexes=(("organization",),),
)
