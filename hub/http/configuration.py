"""Rules, queues, templates, hours: what is in force, what was, and how the next comes into force."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from hub.configuring import LONGEST_NOTE
from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.problems import FieldProblem, responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Administrator, Supervisor
from schemas.configuration import Configuration, Origin
from schemas.documents import PublishedConfiguration
from schemas.events import Actor

LARGEST_NUMBER = 2**31

router = APIRouter(
    prefix="/api/v1/configuration",
    tags=["configuration"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 422),
)


class VersionOut(BaseModel):
    """One immutable version."""

    number: int
    published_at: datetime
    actor: Actor
    note: str
    origin: Origin
    back_to: int | None

    @classmethod
    def of(cls, published: PublishedConfiguration) -> "VersionOut":
        return cls(**{name: getattr(published, name) for name in cls.model_fields})


class ConfigurationOut(BaseModel):
    """`number` 0 is the built-in one, in force while nothing was published."""

    number: int
    published_at: datetime | None
    actor: Actor | None
    note: str = ""
    origin: Origin = Origin.FILE
    back_to: int | None = None
    configuration: Configuration

    @classmethod
    def of(cls, published: PublishedConfiguration) -> "ConfigurationOut":
        return cls(**{name: getattr(published, name) for name in cls.model_fields})


class Published(BaseModel):
    number: int


class Checked(BaseModel):
    """What would be wrong; empty when it can be published."""

    problems: list[FieldProblem]


@router.get("", summary="The configuration in force")
async def current(context: Context, principal: Supervisor) -> ConfigurationOut:
    published = await context.publisher.current()
    if published is None:
        return ConfigurationOut(number=0, published_at=None, actor=None, configuration=Configuration())
    return ConfigurationOut.of(published)


@router.put("", summary="Publish a configuration")
async def publish(
    context: Context,
    principal: Administrator,
    actor: Acting,
    body: Configuration,
    over: Annotated[
        int | None,
        Query(
            ge=0, le=LARGEST_NUMBER, description="the version that it replaces; 409 where another is in force"
        ),
    ] = None,
    note: Annotated[str, Query(max_length=LONGEST_NOTE, description="why")] = "",
    origin: Annotated[
        Origin,
        Query(description="`file`: refused (409) over what was published elsewhere, unless `over` names it"),
    ] = Origin.API,
) -> Published:
    """In force when this is answered. With problems (422) the one in force stays. The same again makes no new version."""
    number = await context.publisher.publish(body, actor, over=over, note=note, origin=origin)
    return Published(number=number)


@router.post("/problems", summary="Check a configuration")
async def problems(context: Context, principal: Supervisor, body: Configuration) -> Checked:
    """All problems at once, without publishing."""
    found = context.publisher.problems(body)
    return Checked(problems=[FieldProblem(field=place, detail=text) for place, text in found.items()])


@router.get("/versions", summary="All versions, the newest first")
async def versions(context: Context, principal: Supervisor, pages: Pages) -> PageOf[VersionOut]:
    return pages.page(await context.publisher.versions(pages.limit, pages.after), VersionOut.of)


@router.get("/versions/{number}", summary="One version")
async def version(
    context: Context, principal: Supervisor, number: Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]
) -> ConfigurationOut:
    return ConfigurationOut.of(await context.publisher.version(number))
