"""What operators run: verify, backup, ingest; and how connectors are."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from hub.accounts.records import audited
from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.events import NDJSON
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Administrator, Supervisor
from hub.parking import parked_keys
from hub.rebuilding import rebuild
from schemas.errors import Forbidden, HubbubError, Invalid
from schemas.steps import Step

router = APIRouter(
    prefix="/api/v1", tags=["operations"], route_class=Operation, responses=responses(401, 403, 422, 503)
)


class ParkedKeyOut(BaseModel):
    """Events of one key that wait behind each other, in one consumer; the first for a fact or a vendor."""

    model_config = ConfigDict(from_attributes=True)

    consumer: str
    key: str
    events: int
    reason: str
    attempts: int
    next_attempt_at: datetime


class Verifying(Body):
    ledger: str | None = Field(
        default=None, description="a sender's own record: one acknowledged item id a line", max_length=2**21
    )


class Reparsing(Body):
    since: AwareDatetime
    channel: str | None = Field(default=None, max_length=100)
    apply: bool = Field(default=False, description="change what is different")


class Rebuilding(Body):
    projection: str = Field(description="search or timeline", max_length=40)
    drop: bool = Field(default=False, description="search only: first nothing is found any more")


class BackingUp(Body):
    folder: str = Field(min_length=1, max_length=1000, description="an empty folder on the hub's machine")


class IngestedOut(BaseModel):
    """What became of the item."""

    item: UUID
    outcome: str = Field(description="accepted, duplicate or quarantined")
    reason: str


@router.get("/parked", summary="What waits for a fact or a vendor, by key")
async def parked(
    context: Context,
    principal: Supervisor,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[ParkedKeyOut]:
    """The key with most events first. Later events of a key wait behind its first; all others go on."""
    keys = await parked_keys(context.engine)
    return [ParkedKeyOut.model_validate(each) for each in keys[:limit]]


@router.post(
    "/verify",
    summary="Prove that nothing was lost and nothing done twice",
    response_model=None,
    responses={
        200: {
            "description": "One JSON object a line; the last has `result`",
            "content": {NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
async def verify(context: Context, principal: Administrator, body: Verifying | None = None) -> Response:
    """Each fault as it is found; the last line has `result`: whole or broken, and what was counted."""
    lines = context.verifier.verify(body.ledger if body is not None else None)
    first = await anext(
        lines, None
    )  # what is wrong with the request shows here, while it can still be refused
    return StreamingResponse(_lines(first, lines), media_type=NDJSON, headers={"Cache-Control": "no-store"})


@router.post(
    "/rebuild",
    summary="Make what is derived from the log anew",
    response_model=None,
    responses={
        200: {
            "description": "One JSON object a line; the last has `result`",
            "content": {NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
async def rebuild_projection(
    context: Context, principal: Administrator, actor: Acting, body: Rebuilding
) -> Response:
    """Search or timelines, while the hub works. One that was cut off goes on where it was."""
    lines = rebuild(context.engine, context.clock, body.projection, drop=body.drop)
    first = await anext(lines, None)
    told = audited(context.clock.now(), actor, "projection-rebuilt", body.projection)
    await context.engine.commit(Step(events=[told]))
    return StreamingResponse(_lines(first, lines), media_type=NDJSON, headers={"Cache-Control": "no-store"})


@router.post(
    "/reparse",
    summary="What today's parsers make of originals that came before",
    response_model=None,
    responses={
        200: {
            "description": "One JSON object a line; the last has the counts",
            "content": {NDJSON: {"schema": {"type": "string"}}},
        }
    },
)
async def reparse(context: Context, principal: Administrator, actor: Acting, body: Reparsing) -> Response:
    """What would read differently; with `apply` it becomes an edit of its message, and the log keeps both."""
    if context.reparser is None:
        raise Invalid("this process reads no originals: ask one that runs connectors")
    if body.apply:
        told = audited(context.clock.now(), actor, "originals-read-again", body.channel or "")
        await context.engine.commit(Step(events=[told]))
    lines = context.reparser.run(body.since, body.channel, actor, apply=body.apply)
    return StreamingResponse(_lines(None, lines), media_type=NDJSON, headers={"Cache-Control": "no-store"})


async def _lines(
    first: Mapping[str, object] | None, rest: AsyncIterator[Mapping[str, object]]
) -> AsyncIterator[bytes]:
    if first is not None:
        yield _line(first)
    try:
        async for each in rest:
            yield _line(each)
    except HubbubError as error:
        yield _line({"result": "interrupted", "reason": str(error)})


def _line(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, default=str, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


@router.post("/backup", summary="Copy everything while running", status_code=204)
async def backup(context: Context, principal: Administrator, actor: Acting, body: BackingUp) -> None:
    """A consistent copy. Only the command on the hub's machine may name a folder there."""
    if principal.kind != "operator":
        raise Forbidden("a backup writes to the hub's machine: run `hubbub backup` there")
    await context.backups.backup(body.folder)
    event = audited(context.clock.now(), actor, "backup-made", body.folder)
    await context.engine.commit(Step(events=[event]))


@router.post(
    "/ingest/email",
    summary="Hand in a mail",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def ingest_email(
    context: Context,
    request: Request,
    principal: Administrator,
    account: Annotated[
        str | None, Query(max_length=100, description="the mail account; default: by its recipients")
    ] = None,
) -> IngestedOut:
    """One raw mail (RFC 5322), by the same path as SMTP. Safe to repeat: the same mail is the same item."""
    content = await request.body()
    if not content:
        raise Invalid("there is no mail in the body", {"body": "send the raw mail"})
    ingested = await context.ingester.ingest_mail(account, content)
    return IngestedOut(item=ingested.item, outcome=ingested.outcome, reason=ingested.reason)
