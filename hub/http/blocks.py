"""Blocked senders: who they are, what they wrote meanwhile, and who might be one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Supervisor, Writer
from schemas.blocking import Block, HeldMessage

router = APIRouter(
    prefix="/api/v1", tags=["customers"], route_class=Operation, responses=responses(401, 403, 404, 422)
)


class BlockOut(BaseModel):
    id: UUID
    scheme: str = Field(description="how they are known (email, slack, x …); `domain`: all mail from it")
    value: str
    note: str
    case: UUID | None
    by: str
    since: datetime

    @classmethod
    def of(cls, block: Block) -> "BlockOut":
        shared = {name: getattr(block, name) for name in cls.model_fields if name != "by"}
        return cls(by=block.by.name or block.by.id, **shared)


class HeldOut(BaseModel):
    """A message that was kept and went nowhere."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event: UUID
    channel: str
    account: str
    sender: str
    sender_name: str
    subject: str
    excerpt: str
    received_at: datetime

    @classmethod
    def of(cls, held: HeldMessage) -> "HeldOut":
        return cls.model_validate(held)


class SuggestionOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    scheme: str
    value: str
    cases: int = Field(description="how many cases of theirs were marked as spam, of the last 500 marked")


class Blocking(Body):
    scheme: str = Field(default="email", pattern=r"^[a-z][a-z0-9-]{0,30}$", examples=["domain"])
    value: str = Field(min_length=1, max_length=320, examples=["spam.example"])
    note: str = Field(default="", max_length=500)


class BlockingWriter(Body):
    note: str = Field(default="", max_length=500)


class Unblocked(BaseModel):
    released: int = Field(description="how many messages come in now")


@router.get("/blocks", summary="Blocked senders")
async def list_blocks(context: Context, principal: Supervisor, pages: Pages) -> PageOf[BlockOut]:
    """The last first. What they write is kept, goes nowhere, and counts as ignored."""
    return pages.page(await context.blocks.list(pages.limit, pages.after), BlockOut.of)


@router.post("/blocks", summary="Block a sender or a domain", status_code=201)
async def block(context: Context, principal: Supervisor, body: Blocking) -> BlockOut:
    """From the next message on. A domain of which everybody can have an address is refused."""
    return BlockOut.of(await context.blocks.block(principal, body.scheme, body.value, body.note))


@router.get("/blocks/suggestions", summary="Senders who might be blocked")
async def suggestions(context: Context, principal: Supervisor) -> list[SuggestionOut]:
    """Of whom cases were marked as spam, those of most first."""
    return [SuggestionOut.model_validate(each) for each in await context.blocks.suggestions()]


@router.get("/blocks/{block}/messages", summary="What a blocked sender wrote")
async def held(context: Context, principal: Supervisor, pages: Pages, block: UUID) -> PageOf[HeldOut]:
    """For 90 days, newest first; on the log for ever."""
    await context.blocks.get(block)
    return pages.page(await context.blocks.held(block, pages.limit, pages.after), HeldOut.of)


@router.delete("/blocks/{block}", summary="Hear from a sender again")
async def unblock(
    context: Context,
    principal: Writer,
    block: UUID,
    release: Annotated[bool, Query(description="what was held, at most the last 100, comes in now")] = False,
) -> Unblocked:
    """For supervisors, and for who blocked them."""
    return Unblocked(released=await context.blocks.unblock(principal, block, release=release))


@router.post("/cases/{case}/block-sender", summary="Block whoever wrote the case", status_code=201)
async def block_writer(context: Context, principal: Writer, case: UUID, body: BlockingWriter) -> BlockOut:
    """The case stays as it is; mark it as spam besides where it is."""
    found = await context.service.case(principal, case)
    return BlockOut.of(await context.blocks.block_writer(principal, found, body.note))
