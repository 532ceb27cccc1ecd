"""Organizations: whom people belong to, by the domain of their mail or by hand."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.person_views import HandleOut
from hub.http.problems import responses
from hub.http.requests import Operation, request_id
from hub.http.rights import Reader, Supervisor, Writer
from hub.http.views import CaseOut
from schemas.organizations import Organization

router = APIRouter(
    prefix="/api/v1", tags=["customers"], route_class=Operation, responses=responses(401, 403, 404, 422)
)

Domains = Annotated[tuple[str, ...], Field(max_length=20, examples=[["acme.example"]])]
AttributeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
AttributeValue = Annotated[str, Field(max_length=500)]


class OrganizationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    domains: tuple[str, ...] = Field(description="whoever has mail there belongs to it")
    note: str
    attributes: dict[str, str]
    made_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationOut":
        return cls.model_validate(organization)


class OrganizationPeople(BaseModel):
    """Of the people those of whom you see a case, at most 200."""

    organization: OrganizationOut
    people: list[HandleOut]
    cases: list[CaseOut]


class NewOrganization(Body):
    name: str = Field(min_length=1, max_length=120, examples=["Acme"])
    domains: Domains = ()
    note: str = Field(default="", max_length=2000)


class OrganizationChange(Body):
    """What is not given stays; an attribute that is null is removed."""

    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    domains: Domains | None = None
    note: Annotated[str, Field(max_length=2000)] | None = None
    attributes: Annotated[dict[AttributeName, AttributeValue | None], Field(max_length=50)] | None = None


class Belonging(Body):
    organization: UUID | None = Field(description="null: nowhere, whatever the domain says")


@router.get("/organizations", summary="List or search organizations")
async def list_organizations(
    context: Context,
    principal: Reader,
    pages: Pages,
    q: Annotated[
        str, Query(max_length=200, description="the beginning of a name, or a domain", examples=["acme"])
    ] = "",
) -> PageOf[OrganizationOut]:
    return pages.page(await context.organizations.find(q, pages.limit, pages.after), OrganizationOut.of)


@router.post("/organizations", summary="Make an organization", status_code=201)
async def make_organization(
    context: Context, request: Request, principal: Supervisor, body: NewOrganization
) -> OrganizationOut:
    """Domains of which everybody can have an address are refused."""
    made = await context.organizations.create(
        principal, body.name, body.domains, body.note, str(request_id(request))
    )
    return OrganizationOut.of(made)


@router.get("/organizations/{organization}", summary="An organization with its people and cases")
async def show_organization(context: Context, principal: Reader, organization: UUID) -> OrganizationPeople:
    view = await context.organizations.view(principal, organization)
    return OrganizationPeople(
        organization=OrganizationOut.of(view.organization),
        people=[HandleOut.of(each) for each in view.people],
        cases=[CaseOut.of(each) for each in view.cases.items],
    )


@router.patch("/organizations/{organization}", summary="Change an organization")
async def change_organization(
    context: Context, principal: Supervisor, organization: UUID, body: OrganizationChange
) -> OrganizationOut:
    changed = await context.organizations.change(
        principal,
        organization,
        name=body.name,
        domains=body.domains,
        note=body.note,
        attributes=body.attributes,
    )
    return OrganizationOut.of(changed)


@router.delete("/organizations/{organization}", summary="Remove an organization", status_code=204)
async def remove_organization(context: Context, principal: Supervisor, organization: UUID) -> None:
    """Its people stay, with all that they wrote."""
    await context.organizations.remove(principal, organization)


@router.put("/customers/{handle}/organization", summary="Say whom a person belongs to", status_code=204)
async def belong(context: Context, principal: Writer, handle: UUID, body: Belonging) -> None:
    """Over what the domain of their mail says."""
    await context.organizations.put(principal, handle, body.organization)
