"""Live cases for the console: a line for each change of a case in the queues that the principal reads."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel

from hub.http.cases import Context
from hub.http.context import AppContext
from hub.http.cursors import Cursors
from hub.http.events import LOG
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Reader
from hub.http.streams import HEARTBEAT, RETRY_MILLISECONDS, EventStream, Follower, Places, frame
from hub.http.telling import Telling
from schemas.accounts import Principal
from schemas.case_work import CaseRouted, CaseTransferred
from schemas.cases import CaseEvent, CaseState
from schemas.configuration import Priority
from schemas.preferences import NoticeKind
from schemas.steps import START, Record
from schemas.topics import Topic

HISTORY_AT_MOST = 1000
FIRST_ROUTING = 2
"""The sequence with which a case comes into its first queue: nobody saw it before, so there is nothing to look up."""

router = APIRouter(prefix="/api/v1/cases", tags=["cases"], route_class=Operation)


class LiveCase(BaseModel):
    """A case after a change, small enough to send with each. `step` names the change: opened, claimed, replied …"""

    case: UUID
    sequence: int
    step: str
    at: datetime
    actor: str
    number: str
    state: CaseState
    queue: str
    priority: Priority
    tags: tuple[str, ...]
    assignee: str | None
    subject: str
    brand: str
    channel: str
    handle: UUID
    waiting_since: datetime | None
    due_at: datetime | None


class LiveNotice(BaseModel):
    """What you are told, by your preferences and outside your quiet hours. The same thing has the same `id` in every stream."""

    id: UUID
    kind: NoticeKind
    case: UUID
    number: str
    subject: str
    at: datetime
    browser: bool
    sound: bool


class LiveLeft(BaseModel):
    """A case that moved out of the queues that you read."""

    case: UUID
    sequence: int


@router.get(
    "/stream",
    summary="Follow the cases of your queues",
    response_model=None,
    responses={
        200: {
            "description": "`event: case` with a LiveCase, `event: left` when a case moved out of your "
            "queues, `event: notice` with a LiveNotice for a person who signed in",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **responses(401, 403, 422, 429, 503),
    },
)
async def follow_cases(
    context: Context,
    request: Request,
    principal: Reader,
    after: Annotated[
        str | None, Query(max_length=1000, description="an `id` of the stream; default: from now on")
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Server-sent events that resume by `Last-Event-ID`. A missed change is sent on resuming; none is sent twice."""
    cursors: Cursors = request.app.state.cursors
    named = last_event_id or after
    position = cursors.open(LOG, named) if named else await context.engine.tail()
    follower = Follower(context, [Topic.CASES], position, principal, request.state.renew)
    places: Places = request.app.state.places
    over = places.take(principal, "cases")
    return EventStream(
        _frames(context, follower, cursors), context.facts.limits, over, lambda: follower.reason
    )


async def _frames(context: AppContext, follower: Follower, cursors: Cursors) -> AsyncGenerator[bytes, None]:
    yield frame(id=cursors.seal(LOG, follower.position), retry=RETRY_MILLISECONDS)
    telling = Telling(context, follower.principal)
    async for records in follower.batches():
        is_quiet = True
        for notice in await telling.of(records):
            yield frame("notice", LiveNotice(**notice).model_dump(mode="json"))
        for record in records:
            shown = await _shown(context, follower.principal, record)
            if shown is not None:
                event, content = shown
                is_quiet = False
                yield frame(event, content.model_dump(mode="json"), cursors.seal(LOG, record.position))
        if is_quiet:
            place = records[-1].position if records else follower.position
            yield HEARTBEAT + frame(id=cursors.seal(LOG, place))


async def _shown(
    context: AppContext, principal: Principal, record: Record
) -> tuple[str, LiveCase | LiveLeft] | None:
    event = record.event
    if event is None or not isinstance(event.data, CaseEvent) or event.data.after is None:
        return None
    data, after = event.data, event.data.after
    if event.sequence is None or event.late:  # a replay shows an older state
        return None
    if principal.role_in(after.queue) is None:
        has_moved = isinstance(data, CaseTransferred) or (
            isinstance(data, CaseRouted) and event.sequence > FIRST_ROUTING
        )
        if has_moved and await _was_seen(context, principal, record):
            return "left", LiveLeft(case=data.case, sequence=event.sequence)
        return None
    shared = set(LiveCase.model_fields) & set(type(after).model_fields)
    live = LiveCase(
        case=data.case,
        sequence=event.sequence,
        step=event.type.rpartition(".")[2],
        at=event.time,
        actor=data.actor.id,
        **{name: getattr(after, name) for name in shared},
    )
    return "case", live


async def _was_seen(context: AppContext, principal: Principal, moved: Record) -> bool:
    """Whether the case was in a queue of the principal's before it moved: only then may its leaving be told."""
    before = ""
    for record in await context.engine.scan([Topic.CASES], START, HISTORY_AT_MOST, moved.key):
        if record.place == moved.place:
            break
        data = record.event.data if record.event else None
        if isinstance(data, CaseEvent) and data.after is not None:
            before = data.after.queue
    return before != "" and principal.role_in(before) is not None
