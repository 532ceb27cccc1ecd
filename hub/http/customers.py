"""Persons: who they are by their handles, what was said over all channels, and how handles are linked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.context import AppContext
from hub.http.paging import PageOf, Pages
from hub.http.person_views import CustomerOut, HandleOut
from hub.http.problems import responses
from hub.http.requests import Operation, request_id
from hub.http.rights import Reader, Supervisor, Writer
from hub.http.views import EntryOut
from hub.people import Export
from hub.queries import CustomerView
from schemas.accounts import Principal
from schemas.collections import HANDLES
from schemas.documents import Handle
from schemas.errors import Unknown
from schemas.steps import Query as Finding
from schemas.steps import Where

NOT_THERE = "there is no such person, or none of their cases is in your queues"
SAME_VALUE_AT_MOST = 10

router = APIRouter(
    prefix="/api/v1/customers",
    tags=["customers"],
    route_class=Operation,
    responses=responses(401, 403, 404, 422),
)

Person = Annotated[
    str,
    Path(
        max_length=320,
        description="id of one of the person's handles, or what it is: an address, a name in a network",
        examples=["ann@example.net"],
    ),
]


class Linking(Body):
    other: UUID = Field(description="the other handle")
    note: str = Field(default="", max_length=2000, description="why they are one person")


class Describing(Body):
    attributes: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")], Annotated[str, Field(max_length=500)] | None
    ] = Field(min_length=1, max_length=50, description="null removes one", examples=[{"tier": "gold"}])


class ExportOut(BaseModel):
    """Everything held about a person."""

    customer: CustomerOut
    timeline: list[EntryOut]


async def find_person(context: AppContext, principal: Principal, named: str) -> CustomerView:
    """A person by a handle's id or value. Raises Unknown when the principal sees none of their cases."""
    for handle in await _handles(context, named):
        try:
            return await context.service.customer(principal, handle)
        except (KeyError, Unknown):
            continue
    raise Unknown(NOT_THERE)


async def _handles(context: AppContext, named: str) -> list[UUID]:
    try:
        return [UUID(named)]
    except ValueError:
        pass
    values = tuple({named, named.lower()})
    query = Finding(HANDLES, (Where("value", "in", values),), limit=SAME_VALUE_AT_MOST)
    return [each.id for each in (await context.engine.find(query)).items if isinstance(each, Handle)]


@router.get("/{person}", summary="Show a person")
async def show_customer(context: Context, principal: Reader, person: Person) -> CustomerOut:
    """The handles that are linked now, what is known, and the person's cases in your queues."""
    view = await find_person(context, principal, person)
    return CustomerOut.of(view.customer, view.cases)


@router.get("/{person}/timeline", summary="Timeline of a person over all channels")
async def customer_timeline(
    context: Context,
    principal: Reader,
    person: Person,
    pages: Pages,
    channel: Annotated[str | None, Query(max_length=50)] = None,
) -> PageOf[EntryOut]:
    """Entries of all handles, of cases in your queues, newest first."""
    view = await find_person(context, principal, person)
    page = await context.service.customer_timeline(
        principal, view.customer, pages.limit, pages.after, channel
    )
    return pages.page(page, EntryOut.of)


@router.get("/{person}/suggestions", summary="Who else this person may be")
async def suggest(context: Context, principal: Reader, person: Person) -> list[HandleOut]:
    """Handles with the same address that are not linked with the person's, such as one typed into a form."""
    view = await find_person(context, principal, person)
    return [HandleOut.of(each) for each in await context.people.suggestions(principal, view.customer)]


@router.post("/{handle}/links", summary="Link two handles")
async def link(
    context: Context, request: Request, principal: Writer, handle: UUID, body: Linking
) -> CustomerOut:
    """They are one person from now on. Nothing is moved, and it can be taken back."""
    await context.people.link(principal, handle, body.other, body.note, request_id(request))
    return await _shown(context, principal, handle)


@router.delete("/{handle}/links/{other}", summary="Take a link back")
async def unlink(
    context: Context,
    request: Request,
    principal: Writer,
    handle: UUID,
    other: UUID,
    note: Annotated[str, Query(max_length=2000)] = "",
) -> CustomerOut:
    """Both handles stay, with all that they wrote."""
    await context.people.unlink(principal, handle, other, note, request_id(request))
    return await _shown(context, principal, handle)


@router.post("/{handle}/apart", summary="Say that two handles are not one person")
async def keep_apart(
    context: Context, request: Request, principal: Writer, handle: UUID, body: Linking
) -> CustomerOut:
    """They are suggested no more. Linking them says otherwise again."""
    await context.people.keep_apart(principal, handle, body.other, body.note, request_id(request))
    return await _shown(context, principal, handle)


@router.patch("/{handle}/attributes", summary="Describe a person")
async def describe(
    context: Context, request: Request, principal: Writer, handle: UUID, body: Describing
) -> CustomerOut:
    """Attributes are what routing rules and automations look at: tier, language …"""
    await context.people.describe(principal, handle, body.attributes, request_id(request))
    return await _shown(context, principal, handle)


@router.post("/{handle}/export", summary="Everything held about a person")
async def export_customer(context: Context, principal: Supervisor, handle: UUID) -> ExportOut:
    """Over all queues; needs the role supervisor in all of them. It is recorded in the audit trail."""
    return exported(await context.people.export(principal, handle))


def exported(export: Export) -> ExportOut:
    """As the API and the file of the console say it."""
    return ExportOut(
        customer=CustomerOut.of(export.customer, export.cases),
        timeline=[EntryOut.of(each) for each in export.entries],
    )


async def _shown(context: AppContext, principal: Principal, handle: UUID) -> CustomerOut:
    view = await find_person(context, principal, str(handle))
    return CustomerOut.of(view.customer, view.cases)
