"""Lists that somebody named: a filter with a title, one's own or everybody's."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.cases import CaseState
from schemas.columns import Collection, Column, ColumnType, text_column
from schemas.configuration import Priority
from schemas.documents import Document
from schemas.events import Frozen, Personal
from schemas.ids import derive

EVERYBODY = "*"
ME, NOBODY = "me", "nobody"


class ViewFilter(Frozen):
    """Empty fields do not filter. `assignee`: a user's name, `me` (whoever looks), or `nobody`."""

    queues: tuple[str, ...] = Field(default=(), max_length=50)
    states: tuple[CaseState, ...] = Field(default=(), max_length=10, description="empty: open and waiting")
    assignee: str = Field(default="", max_length=100)
    priorities: tuple[Priority, ...] = Field(default=(), max_length=4)
    brand: str = Field(default="", max_length=100)
    overdue: bool = False
    sort: str = Field(default="waiting", max_length=20)


class SavedView(Document):
    """`audience` is its owner's name, or `*`: then everybody sees it, of the queues that they read."""

    owner: str
    audience: str
    title: Personal
    filter: ViewFilter
    order: int = 0
    saved_at: datetime


def view_id(owner: str, seed: str) -> UUID:
    return derive("saved view", owner, seed)


SAVED_VIEWS = Collection(
    "saved_views",
    SavedView,
    {"audience": text_column("audience"), "order_": Column(ColumnType.INTEGER, lambda view: view.order)},
    indexes=(("audience", "order_"),),
)
