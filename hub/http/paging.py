"""Lists by pages: `limit` and `after` in, `items` and `next` out, and the next page's address in a Link header."""

from collections.abc import Callable, Iterable
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from hub.http.cursors import Cursors
from schemas.steps import Page

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

T = TypeVar("T")
S = TypeVar("S")


class PageOf(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(
        default=None, description="give it as `after` to get the next page; null on the last one"
    )


class Paging:
    """The page that a request asks for. A cursor is good for the list that gave it, not for another."""

    def __init__(
        self,
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="items on a page")] = DEFAULT_LIMIT,
        after: Annotated[
            str | None, Query(max_length=2000, description="the `next` of the page before")
        ] = None,
    ) -> None:
        self._request = request
        self._response = response
        self._cursors: Cursors = request.app.state.cursors
        self._list = _list_of(request)
        self.limit = limit
        self.after = self._cursors.open(self._list, after) if after else None

    def page(self, page: Page[S], view: Callable[[S], T]) -> PageOf[T]:
        return self.listed((view(each) for each in page.items), page.next)

    def listed(self, items: Iterable[T], following: str | None) -> PageOf[T]:
        if following is None:
            return PageOf[T](items=list(items))
        cursor = self._cursors.seal(self._list, following)
        address = self._request.url.include_query_params(after=cursor)
        self._response.headers["Link"] = f'<{address.path}?{address.query}>; rel="next"'
        return PageOf[T](items=list(items), next=cursor)


def _list_of(request: Request) -> str:
    """The list that is paged: its address and filters, without the place in it."""
    filters = sorted(
        (name, value) for name, value in request.query_params.multi_items() if name not in {"after", "limit"}
    )
    return f"{request.url.path}?{filters}"


Pages = Annotated[Paging, Depends()]
