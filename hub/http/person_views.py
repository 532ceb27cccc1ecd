"""What the API answers of people: their handles, how each is known, and their cases."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from hub.http.views import CaseOut, View
from processors.customers import Customer
from schemas.documents import Case, Handle
from schemas.events import Actor
from schemas.identity import Evidence


class LinkOut(View):
    other: UUID
    evidence: Evidence
    actor: Actor
    since: datetime


class HandleOut(View):
    """One way to reach somebody, and how it is known."""

    id: UUID
    scheme: str
    value: str
    name: str
    first_seen_at: datetime
    links: tuple[LinkOut, ...]
    attributes: dict[str, str]
    consents: dict[str, str]

    @classmethod
    def of(cls, handle: Handle) -> "HandleOut":
        return cls.model_validate(handle)


class CustomerOut(View):
    """A person: the handles that are linked now. `id` is the handle seen first, and changes with the links."""

    id: UUID
    name: str
    handles: tuple[HandleOut, ...]
    attributes: dict[str, str]
    cases: tuple[CaseOut, ...] = ()

    @classmethod
    def of(cls, customer: Customer, cases: Iterable[Case] = ()) -> "CustomerOut":
        return cls(
            id=customer.id,
            name=customer.name,
            handles=tuple(HandleOut.of(each) for each in customer.handles),
            attributes=dict(customer.attributes),
            cases=tuple(CaseOut.of(each) for each in cases),
        )
