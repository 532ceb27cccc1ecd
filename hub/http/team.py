"""Who is at work, and the trail of a day, as supervisors and administrators see them."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from hub.http.cases import Context
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Administrator, Supervisor
from hub.trail import day_of
from schemas.accounts import Role
from schemas.events import Actor

router = APIRouter(
    prefix="/api/v1", tags=["operations"], route_class=Operation, responses=responses(401, 403, 422)
)


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class MemberOut(Shown):
    """Somebody who may sign in."""

    user: str
    name: str
    roles: dict[str, Role]
    seen_at: datetime | None = Field(description="to five minutes; null: signed in nowhere")
    is_on: bool
    looks_at: list[str] = Field(description="numbers of the cases in front of them now")
    open: int = Field(description="open cases that they have")
    late: int


class TraceOut(Shown):
    at: datetime
    actor: Actor
    action: str
    subject: str
    detail: dict[str, str]


class DayOut(Shown):
    traces: list[TraceOut] = Field(description="newest first, at most 1000")
    cut: bool


@router.get("/team", summary="Who is at work")
async def team(context: Context, principal: Supervisor) -> list[MemberOut]:
    """At most 200, those at work first."""
    return [MemberOut.model_validate(each) for each in await context.team.members()]


@router.get("/audit/day", summary="The audit trail of a day, newest first")
async def trail(
    context: Context,
    principal: Administrator,
    day: Annotated[date | None, Query(description="in UTC; today if left out")] = None,
    who: Annotated[str, Query(max_length=100, description="by this actor")] = "",
) -> DayOut:
    """With what was published and which letters were settled."""
    return DayOut.model_validate(await day_of(context.engine, day or context.clock.now().date(), who))
