"""How a collection of documents is declared: the columns by which they are found, and the indexes over them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from schemas.configuration import Priority
from schemas.documents import Document

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Where a list begins with the earliest, those without a time come last."""
PRIORITY_RANK = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}


class ColumnType(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    TIME = "time"
    ID = "id"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Column:
    type: ColumnType
    value: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Collection:
    """A kind of document, its searchable columns, and the indexes over them, in the order of their columns."""

    name: str
    document: type[Document]
    columns: dict[str, Column]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[str, ...] = field(default=())


def text_column(name: str) -> Column:
    return Column(ColumnType.TEXT, lambda document: getattr(document, name))


def time_column(name: str) -> Column:
    return Column(ColumnType.TIME, lambda document: getattr(document, name))
