"""What could not be read and what could not be processed: looked at, played again, given up."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from hub.accounts.records import audited
from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.files import Stored, file_response
from hub.http.paging import PageOf, Pages
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Settler, Supervisor
from schemas.errors import Invalid
from schemas.letters import DeadLetter, LetterState, QuarantineItem
from schemas.steps import Step

router = APIRouter(
    prefix="/api/v1", tags=["letters"], route_class=Operation, responses=responses(401, 403, 404, 409, 422)
)


class Showing(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class QuarantineOut(Showing):
    """An accepted item that could not be read: at which stage, and why."""

    id: UUID
    channel: str
    account: str
    stage: str
    reason: str
    received_at: datetime
    state: LetterState
    attempts: int
    envelope: dict[str, str]
    size: int

    @classmethod
    def of(cls, item: QuarantineItem) -> "QuarantineOut":
        taken = {name: getattr(item, name) for name in cls.model_fields if name != "size"}
        return cls(size=item.original.size, **taken)


class DeadLetterOut(Showing):
    """An event that a consumer can never process as it is. `value` holds the original bytes of its data, in base64."""

    id: UUID
    consumer: str
    event: UUID
    event_type: str
    key: str
    position: str
    attributes: dict[str, str]
    value: str
    stage: str
    reason: str
    attempts: int
    added_at: datetime
    state: LetterState

    @classmethod
    def of(cls, letter: DeadLetter) -> "DeadLetterOut":
        taken = {name: getattr(letter, name) for name in cls.model_fields if name != "value"}
        return cls(value=b64encode(letter.value).decode(), **taken)


class Replaying(Body):
    value: str | None = Field(
        default=None, max_length=1_500_000, description="edited data in base64; null: as it was"
    )


State = Annotated[LetterState | None, Query(description="default: those that nobody settled")]
All = Annotated[bool, Query(description="in every state")]


@router.get("/quarantine", summary="Items that could not be read")
async def list_quarantine(
    context: Context,
    principal: Supervisor,
    pages: Pages,
    state: State = LetterState.OPEN,
    all_states: All = False,
) -> PageOf[QuarantineOut]:
    page = await context.letters.quarantine(None if all_states else state, pages.limit, pages.after)
    return pages.page(page, QuarantineOut.of)


@router.get("/quarantine/{item}", summary="One item")
async def show_quarantined(context: Context, principal: Supervisor, item: UUID) -> QuarantineOut:
    return QuarantineOut.of(await context.letters.quarantined(item))


@router.get(
    "/quarantine/{item}/original",
    summary="The item as it came in",
    response_model=None,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def quarantined_original(
    context: Context, principal: Supervisor, actor: Acting, item: UUID
) -> Response:
    """Always a download of plain bytes. It is recorded in the audit trail."""
    found = await context.letters.quarantined(item)
    event = audited(context.clock.now(), actor, "original-read", str(item), {"quarantine": found.channel})
    await context.engine.commit(Step(events=[event]))
    stored = Stored(
        found.original.model_copy(update={"media_type": "application/octet-stream"}), f"{item}.bin"
    )
    return await file_response(context.engine, stored)


@router.post("/quarantine/{item}/replay", summary="Read the item again", status_code=204)
async def replay_quarantined(context: Context, principal: Settler, actor: Acting, item: UUID) -> None:
    """Refused (422), with the reason, while it still cannot be read."""
    await context.letters.replay_quarantined(item, actor)


@router.post("/quarantine/{item}/drop", summary="Give the item up", status_code=204)
async def drop_quarantined(context: Context, principal: Settler, actor: Acting, item: UUID) -> None:
    await context.letters.drop_quarantined(item, actor)


@router.get("/dead-letters", summary="Events that could not be processed")
async def list_dead_letters(
    context: Context,
    principal: Supervisor,
    pages: Pages,
    state: State = LetterState.OPEN,
    all_states: All = False,
) -> PageOf[DeadLetterOut]:
    page = await context.letters.dead_letters(None if all_states else state, pages.limit, pages.after)
    return pages.page(page, DeadLetterOut.of)


@router.get("/dead-letters/{letter}", summary="One dead letter")
async def show_dead_letter(context: Context, principal: Supervisor, letter: UUID) -> DeadLetterOut:
    return DeadLetterOut.of(await context.letters.dead_letter(letter))


@router.post("/dead-letters/{letter}/replay", summary="Process the event again", status_code=204)
async def replay_dead_letter(
    context: Context, principal: Settler, actor: Acting, letter: UUID, body: Replaying | None = None
) -> None:
    """As it was, or with edited data. The event is marked `late`: it lost its place in the order of its key."""
    value = None
    if body is not None and body.value is not None:
        try:
            value = b64decode(body.value, validate=True)
        except (NotBase64, ValueError):
            raise Invalid("value is not base64", {"body.value": "encode the edited data in base64"}) from None
    await context.letters.replay_dead_letter(letter, actor, value)


@router.post("/dead-letters/{letter}/drop", summary="Give the event up", status_code=204)
async def drop_dead_letter(context: Context, principal: Settler, actor: Acting, letter: UUID) -> None:
    """The original bytes stay on the log."""
    await context.letters.drop_dead_letter(letter, actor)
