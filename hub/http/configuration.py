"""Rules, queues, templates, hours: what is in force, what was, and how the next comes into force."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.problems import FieldProblem, responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Administrator, Supervisor
from schemas.configuration import Configuration
from schemas.documents import PublishedConfiguration
from schemas.events import Actor

LARGEST_NUMBER = 2**31

router = APIRouter(
    prefix="/api/v1/configuration",
    tags=["configuration"],
    route_class=Operation,
    responses=responses(401, 403, 404, 422),
)


class VersionOut(BaseModel):
    """One immutable version."""

    number: int
    published_at: datetime
    actor: Actor

    @classmethod
    def of(cls, published: PublishedConfiguration) -> "VersionOut":
        return cls(number=published.number, published_at=published.published_at, actor=published.actor)


class ConfigurationOut(BaseModel):
    """`number` 0 is the built-in one, in force while nothing was published."""

    number: int
    published_at: datetime | None
    actor: Actor | None
    configuration: Configuration

    @classmethod
    def of(cls, published: PublishedConfiguration) -> "ConfigurationOut":
        return cls(
            number=published.number,
            published_at=published.published_at,
            actor=published.actor,
            configuration=published.configuration,
        )


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
    context: Context, principal: Administrator, actor: Acting, body: Configuration
) -> Published:
    """In force when this is answered. With problems (422) the one in force stays. The same again makes no new version."""
    return Published(number=await context.publisher.publish(body, actor))


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
