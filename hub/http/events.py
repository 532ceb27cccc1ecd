"""The log for integrators: pages of CloudEvents, and a stream that resumes where it was."""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import StreamingResponse

from hub.http.cases import Context
from hub.http.cursors import Cursors
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Subscriber
from hub.http.streams import HEARTBEAT, RETRY_MILLISECONDS, EventStream, Follower, Places, frame
from schemas.accounts import Principal, Role, Scope
from schemas.errors import Forbidden
from schemas.events import to_cloudevent
from schemas.steps import START, Record
from schemas.topics import Topic

LOG = "log"  # all places on the log are alike, whatever is read from there
NDJSON = "application/x-ndjson"
PAGE_AT_MOST = 1000
CLOUD_EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11",
    "source": "/hub/cases",
    "type": "hubbub.case.claimed",
    "time": "2026-03-02T09:12:00Z",
    "datacontenttype": "application/json",
    "dataschema": "https://hubbub.example/schemas/hubbub.case.claimed/1.json",
    "partitionkey": "0b0f6d0e-4c55-5d6b-9a53-0a9f4d5f7a11",
    "correlationid": "1c2e9b1c-8a50-5a0d-b3a6-0f2e3d4c5b6a",
    "topic": "cases",
    "sequence": "4",
    "data": {"case": "0b0f6d0e-4c55-5d6b-9a53-0a9f4d5f7a11", "assignee": "ines"},
}

Since = Annotated[
    AwareDatetime | None,
    Query(
        description="events of this time or later; with `after` only as a filter",
        examples=["2026-03-02T09:00:00Z"],
    ),
]

router = APIRouter(
    prefix="/api/v1/events",
    tags=["events"],
    route_class=Operation,
    responses=responses(401, 403, 422, 429, 503),
)

Topics = Annotated[
    list[Topic] | None, Query(description="repeat for several; default: all that you may read")
]
Types = Annotated[
    list[Annotated[str, Field(max_length=100)]] | None,
    Query(
        max_length=50, description="event types, or beginnings of them with `*`", examples=[["hubbub.case.*"]]
    ),
]


class EventsPage(BaseModel):
    """Events in log order. `position` is the place after them: give it as `after` to go on, now or later."""

    items: list[dict[str, Any]] = Field(description="CloudEvents 1.0, JSON format", examples=[[CLOUD_EVENT]])
    position: str
    next: str | None = Field(description="`position`, while there is more")


def cloudevent(record: Record) -> dict[str, Any]:
    """A record as a CloudEvent. What no schema of this version fits is given as its bytes (`data_base64`)."""
    if record.event is not None:
        return to_cloudevent(record.event)
    return {
        "specversion": "1.0",
        "id": str(record.id),
        "source": "/hub/log",
        "type": record.type,
        "partitionkey": record.key,
        "topic": str(record.topic),
        "data_base64": b64encode(record.value).decode(),
    }


def readable_topics(principal: Principal, wanted: Sequence[Topic] | None) -> list[Topic]:
    """The topics to read. The audit trail is for administrators."""
    may_audit = principal.is_at_least(Role.ADMIN)
    if wanted and Topic.AUDIT in wanted and not may_audit:
        raise Forbidden("reading the audit trail needs the role admin in every queue ('*')")
    return [each for each in (wanted or Topic) if may_audit or each is not Topic.AUDIT]


def is_wanted(record: Record, types: Sequence[str] | None) -> bool:
    if not types:
        return True
    return any(
        record.type.startswith(each[:-1]) if each.endswith("*") else record.type == each for each in types
    )


def is_since(record: Record, moment: datetime | None) -> bool:
    """What cannot be read has no time, and is not kept back."""
    return moment is None or record.event is None or record.event.time >= moment


@router.get(
    "",
    summary="Read the log",
    response_model=EventsPage,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
async def read_events(
    context: Context,
    request: Request,
    principal: Subscriber,
    *,
    topic: Topics = None,
    type: Types = None,
    key: Annotated[str | None, Query(max_length=500, description="events with this `partitionkey`")] = None,
    after: Annotated[str | None, Query(max_length=1000, description="a `position`")] = None,
    since: Since = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_AT_MOST)] = 100,
    accept: Annotated[str, Header(max_length=500)] = "application/json",
) -> EventsPage | Response:
    """Events in log order, from the oldest kept on, or from a time on. With `Accept: application/x-ndjson`, one CloudEvent a line."""
    cursors: Cursors = request.app.state.cursors
    topics = readable_topics(principal, topic)
    position = cursors.open(LOG, after) if after else START
    if since is not None and not after:
        position = await context.service.position_at(principal, since)
    records = await context.service.events(principal, topics, position, limit, key)
    place = cursors.seal(LOG, records[-1].position if records else position)
    following = place if len(records) == limit else None
    items = [cloudevent(each) for each in records if is_wanted(each, type) and is_since(each, since)]
    if NDJSON in accept:
        headers = {"X-Position": place}
        if following is not None:
            address = request.url.include_query_params(after=place)
            headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
        return StreamingResponse(_lines(items), headers=headers, media_type=NDJSON)
    return EventsPage(items=items, position=place, next=following)


async def _lines(items: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    for each in items:
        yield json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


@router.get(
    "/stream",
    summary="Follow the log",
    response_model=None,
    responses={
        200: {
            "description": "CloudEvents as `data`, their type as `event`",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def follow_events(
    context: Context,
    request: Request,
    principal: Subscriber,
    topic: Topics = None,
    type: Types = None,
    after: Annotated[
        str | None,
        Query(max_length=1000, description="a `position`; without it and `Last-Event-ID`: from now on"),
    ] = None,
    since: Since = None,
    last_event_id: Annotated[
        str | None, Header(max_length=1000, description="sent by clients that connect again")
    ] = None,
) -> Response:
    """Server-sent events that resume: each `id` is a place, good as `Last-Event-ID` or `after` for as long as events are kept.

    Each event of the log comes once and in order, also over interruptions. Comments are signs of life. The last event,
    `closing`, says why the stream ends: connect again. What the filters leave out moves the place too.
    """
    cursors: Cursors = request.app.state.cursors
    named = last_event_id or after
    position = cursors.open(LOG, named) if named else await context.engine.tail()
    if since is not None and not named:
        position = await context.service.position_at(principal, since)
    topics = readable_topics(principal, topic)
    await context.service.events(principal, topics, position, 1)  # refuses here what would be refused later
    follower = Follower(context, topics, position, principal, request.state.renew)
    places: Places = request.app.state.places
    over = places.take(principal, "events")
    return EventStream(
        _frames(follower, cursors, type, since), context.facts.limits, over, lambda: follower.reason
    )


async def _frames(
    follower: Follower, cursors: Cursors, types: Sequence[str] | None, since: datetime | None
) -> AsyncGenerator[bytes, None]:
    yield frame(id=cursors.seal(LOG, follower.position), retry=RETRY_MILLISECONDS)
    async for records in follower.batches():
        if not _may_still(follower.principal):
            follower.reason = "revoked"
            return
        wanted = [each for each in records if is_wanted(each, types) and is_since(each, since)]
        for each in wanted:
            yield frame(each.type, cloudevent(each), cursors.seal(LOG, each.position))
        if not wanted:
            yield HEARTBEAT + frame(
                id=cursors.seal(LOG, records[-1].position if records else follower.position)
            )


def _may_still(principal: Principal) -> bool:
    return principal.queues() is None and Scope.EVENTS in principal.scopes
