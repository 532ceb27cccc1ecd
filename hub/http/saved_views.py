"""Saved views: named filters of the list, one's own and everybody's."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.paging import PageOf, Pages
from hub.http.problems import responses
from hub.http.requests import Operation, request_id
from hub.http.rights import Reader, Writer
from hub.http.views import CaseOut
from hub.saved_views import case_filter
from schemas.saved_views import EVERYBODY, SavedView, ViewFilter

router = APIRouter(
    prefix="/api/v1/views", tags=["cases"], route_class=Operation, responses=responses(401, 403, 404, 422)
)

Title = Annotated[str, Field(min_length=1, max_length=60, examples=["Late and mine"])]


class ViewOut(BaseModel):
    """`count`: how many cases it holds for you now."""

    id: UUID
    title: str
    owner: str
    shared: bool
    filter: ViewFilter
    saved_at: datetime
    count: int

    @classmethod
    def of(cls, view: SavedView, count: int) -> "ViewOut":
        made = {"shared", "count"}
        taken = {name: getattr(view, name) for name in cls.model_fields if name not in made}
        return cls(shared=view.audience == EVERYBODY, count=count, **taken)


class NewView(Body):
    title: Title
    filter: ViewFilter = ViewFilter()
    shared: bool = Field(default=False, description="everybody sees it, of the queues that they read")


class ViewChange(Body):
    """What is not given stays."""

    title: Title | None = None
    filter: ViewFilter | None = None
    shared: bool | None = None
    before: UUID | None = Field(default=None, description="it stands before this one from now on")


@router.get("", summary="Saved views with live counts")
async def list_views(context: Context, principal: Reader) -> list[ViewOut]:
    """Your own in your order, then those of everybody. The console opens the first nine by their numbers."""
    views = await context.saved_views.seen_by(principal)
    counts = await context.saved_views.counts(principal, views)
    return [ViewOut.of(each, count) for each, count in zip(views, counts, strict=True)]


@router.post("", summary="Save a view", status_code=201)
async def save_view(context: Context, request: Request, principal: Writer, body: NewView) -> ViewOut:
    view = await context.saved_views.save(
        principal, body.title, body.filter, shared=body.shared, request=str(request_id(request))
    )
    return await _shown(context, principal, view)


@router.get("/{item}/cases", summary="Cases of a saved view")
async def cases_of_view(context: Context, principal: Reader, pages: Pages, item: UUID) -> PageOf[CaseOut]:
    view = await context.saved_views.get(principal, item)
    wanted = case_filter(view.filter, principal.id)
    page = await context.service.cases(principal, wanted, pages.limit, pages.after)
    return pages.page(page, CaseOut.of)


@router.patch("/{item}", summary="Change a saved view, or its place")
async def change_view(context: Context, principal: Writer, item: UUID, body: ViewChange) -> ViewOut:
    view = await context.saved_views.change(
        principal, item, title=body.title, filter=body.filter, shared=body.shared, before=body.before
    )
    return await _shown(context, principal, view)


@router.delete("/{item}", summary="Remove a saved view", status_code=204)
async def remove_view(context: Context, principal: Writer, item: UUID) -> None:
    await context.saved_views.remove(principal, item)


async def _shown(context: Context, principal: Reader, view: SavedView) -> ViewOut:
    [count] = await context.saved_views.counts(principal, [view])
    return ViewOut.of(view, count)
