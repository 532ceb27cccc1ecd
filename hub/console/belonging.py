"""Whom people belong to: organizations as pages, and what stands of it beside a case."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.about import URL
from hub.console.asking import asked_of, done, refused
from hub.console.console import Console, only_with
from hub.console.places import ROOT
from hub.console.rows import channel_icon
from hub.console.words import Moment
from hub.http.customers import exported
from hub.http.rights import Right
from schemas.accounts import Role
from schemas.configuration import PersonAttribute
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.organizations import Organization

LISTED = 50
LONGEST = 500


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    url: str
    name: str
    domains: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: UUID
    name: str
    value: str
    by_hand: bool
    url: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    url: str
    number: str
    subject: str
    state: str
    icon: str
    when: Moment


# -- beside a case ----------------------------------------------------------------------------------------------------


async def belong(console: Console, request: Request) -> Response:
    """The writer of the case belongs to the organization that is named; nothing named: nowhere."""
    asked = await asked_of(console, request)
    organizations, named = console.context.organizations, asked.text("organization")[:LONGEST]
    try:
        found: Organization | None = None
        if named:
            found = next(iter((await organizations.find(named, 1)).items), None)
            if found is None:
                raise Invalid(console.words(request).t("organization.none-such"))
        await organizations.put(asked.desk.principal, asked.case.handle, found.id if found else None)
    except (Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "belongs")


async def describe(console: Console, request: Request) -> Response:
    """What the configuration knows of persons; a field that was emptied is removed."""
    asked = await asked_of(console, request)
    known = console.context.service.company.current.configuration.person_attributes
    said = {each.name: _said(asked.form, each) for each in known}
    try:
        await console.context.people.describe(asked.desk.principal, asked.case.handle, said, uuid4())
    except (Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "described")


def _said(form: FormData, attribute: PersonAttribute) -> str | None:
    return str(form.get(f"attribute-{attribute.name}", "")).strip()[:LONGEST] or None


async def export(console: Console, request: Request) -> Response:
    """Everything held about the person, as a file. It is recorded in the audit trail."""
    asked = await asked_of(console, request)
    try:
        found = await console.context.people.export(asked.desk.principal, asked.case.handle)
    except Forbidden as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    content = TypeAdapter(type(exported(found))).dump_json(exported(found), indent=2)
    headers = {
        "Content-Disposition": f'attachment; filename="person-{asked.case.number}.json"',
        "Cache-Control": "no-store",
    }
    return Response(content, 200, headers, "application/json")


# -- pages ------------------------------------------------------------------------------------------------------------


async def organizations_page(console: Console, request: Request) -> Response:
    return await _list(console, request)


async def make(console: Console, request: Request) -> Response:
    principal = only_with(Right.LOOK, console, request)
    form = await request.form(max_files=0, max_fields=10)
    name, domains = str(form.get("name", "")), str(form.get("domains", ""))
    try:
        made = await console.context.organizations.create(principal, name, _listed(domains))
    except Invalid as refusal:
        return await _list(
            console, request, console.words(request).t.to_change(refusal), (name, domains), 422
        )
    return console.pages.see(f"{URL}/{made.id}")


async def organization_page(console: Console, request: Request) -> Response:
    return await _one(console, request)


async def change(console: Console, request: Request) -> Response:
    principal = only_with(Right.LOOK, console, request)
    form = await request.form(max_files=0, max_fields=10)
    organizations, id = console.context.organizations, _id(request)
    if form.get("remove"):
        await organizations.remove(principal, id)
        return console.pages.see(URL)
    try:
        await organizations.change(
            principal,
            id,
            name=str(form.get("name", "")),
            domains=_listed(str(form.get("domains", ""))),
            note=str(form.get("note", "")),
        )
    except Invalid as refusal:
        return await _one(console, request, console.words(request).t.to_change(refusal), 422)
    return console.pages.see(f"{URL}/{id}")


async def take_out(console: Console, request: Request) -> Response:
    """A person who belongs there no more, whatever the domain says."""
    form = await request.form(max_files=0, max_fields=5)
    try:
        handle = UUID(str(form.get("handle", "")))
    except ValueError:
        raise Unknown("there is no such person") from None
    await console.context.organizations.put(console.principal(request), handle, None)
    return console.pages.see(f"{URL}/{_id(request)}")


async def _list(
    console: Console,
    request: Request,
    problem: str = "",
    said: tuple[str, str] = ("", ""),
    status: int = 200,
) -> Response:
    query = request.query_params
    words = query.get("q", "")[:200]
    page = await console.context.organizations.find(words, LISTED, query.get("after"))
    values = {
        "rows": [row_of(each) for each in page.items],
        "next": f"{URL}?{urlencode({'q': words, 'after': page.next})}" if page.next else None,
        "problem": problem,
        "asked": words,
        "name": said[0],
        "domains": said[1] or query.get("domain", "")[:253],
        "may_change": console.principal(request).is_at_least(Role.SUPERVISOR),
    }
    title = console.words(request).t("organization.title")
    return await console.page(request, "organizations.html", "organizations", title, values, status)


def row_of(organization: Organization) -> OrganizationRow:
    return OrganizationRow(f"{URL}/{organization.id}", organization.name, ", ".join(organization.domains))


async def _one(console: Console, request: Request, problem: str = "", status: int = 200) -> Response:
    words, principal = console.words(request), console.principal(request)
    view = await console.context.organizations.view(
        principal, _id(request), request.query_params.get("after")
    )
    cases = [
        CaseRow(
            f"{ROOT}/cases/{each.number}",
            each.number,
            each.subject or words.t("list.no-subject"),
            words.t(f"state.{each.state}"),
            channel_icon(each.channel),
            words.ago(each.updated_at),
        )
        for each in view.cases.items
    ]
    latest = {each.handle: each.number for each in reversed(view.cases.items)}
    people = [
        PersonRow(
            each.id,
            each.name or each.value,
            each.value,
            each.id in view.by_hand,
            f"{ROOT}/cases/{latest[each.id]}" if each.id in latest else "",
        )
        for each in view.people
    ]
    values = {
        "organization": view.organization,
        "url": f"{URL}/{view.organization.id}",
        "people": people,
        "cases": cases,
        "next": view.cases.next,
        "problem": problem,
        "may_change": principal.is_at_least(Role.SUPERVISOR),
    }
    return await console.page(
        request, "organization.html", "organizations", view.organization.name, values, status
    )


def _listed(text: str) -> list[str]:
    return [each for each in text.replace(",", " ").split() if each][:50]


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Unknown("there is no such organization") from None
