"""How values lie in documents: ids as text, times as microseconds since 1970; and the cursors of pages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from schemas.columns import ColumnType
from schemas.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Value = None | int | str


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def moment(stored: int) -> datetime:
    return EPOCH + timedelta(microseconds=stored)


def optional_moment(stored: int | None) -> datetime | None:
    return None if stored is None else moment(stored)


TO_VALUE: dict[ColumnType, Callable[[Any], Value]] = {
    ColumnType.TEXT: str,
    ColumnType.INTEGER: int,
    ColumnType.TIME: micros,
    ColumnType.ID: lambda id: str(id) if hasattr(id, "hex") else _refuse(id),
    ColumnType.BOOLEAN: int,
}


def _refuse(value: object) -> str:
    raise ValueError(f"{value!r} is no id")


def short_hash(text: str) -> str:
    """Stands for a text of any length as an `_id`."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def to_cursor(*parts: Value) -> str:
    """An opaque cursor of the key of the last document of a page."""
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def from_cursor(cursor: str, length: int) -> list[Value]:
    """The parts of a cursor. Raises Invalid when it is none of ours."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != length:
            raise ValueError
        if not all(each is None or isinstance(each, str) or _is_number(each) for each in parts):
            raise ValueError
    except (ValueError, TypeError) as error:
        raise Invalid("the cursor is not one of ours; start from the first page") from error
    return parts


def _is_number(part: object) -> bool:
    return isinstance(part, int) and not isinstance(part, bool) and abs(part) < 2**63
