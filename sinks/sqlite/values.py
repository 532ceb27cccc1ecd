# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""How values lie in columns: ids as 16 bytes, times as microseconds since 1970, positions as integers; and bulk inserts."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from itertools import chain
from uuid import UUID

import apsw

from schemas.errors import Invalid
from schemas.steps import START, Position

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ROWS_A_STATEMENT = (256, 32, 4, 1)
"""Each statement that ends takes the interpreter's lock again. More than 16 KiB of text are prepared anew each time."""

Value = None | int | float | str | bytes
Row = tuple[Value, ...]


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def moment(stored: int) -> datetime:
    return EPOCH + timedelta(microseconds=stored)


def optional_moment(stored: int | None) -> datetime | None:
    return None if stored is None else moment(stored)


def to_seq(position: Position) -> int:
    """The place on the log that a position names. Raises Invalid for text that no engine of this kind gave out."""
    if position == START:
        return 0
    if not (position.isascii() and position.isdigit()) or len(position) > 18:
        raise Invalid(f"{position[:40]!r} is not a position on this log")
    return int(position)


def to_position(seq: int) -> Position:
    return str(seq) if seq else START


def short_hash(text: str) -> bytes:
    """16 bytes that stand for a text of any length in a unique look-up."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def id_array(ids: Iterable[UUID]) -> "apsw.CArrayBinding":
    """Ids as the argument of `carray(?)`: one query for any number of them. Must not be empty."""
    return apsw.carray(tuple([each.bytes for each in ids]))


def to_cursor(*parts: Value) -> str:
    """An opaque cursor of the key of the last row of a page."""
    plain = [
        f"x{part.hex()}" if isinstance(part, bytes) else f"s{part}" if isinstance(part, str) else part
        for part in parts
    ]
    return urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def from_cursor(cursor: str, length: int) -> list[Value]:
    """The parts of a cursor. Raises Invalid when it is none of ours."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != length:
            raise ValueError
        return [_part(part) for part in parts]
    except (ValueError, TypeError) as error:
        raise Invalid("the cursor is not one of ours; start from the first page") from error


def _part(part: object) -> Value:
    if isinstance(part, str):
        return bytes.fromhex(part[1:]) if part[:1] == "x" else part[1:]
    if part is None or (isinstance(part, int) and abs(part) < 2**63):
        return part
    raise ValueError


@cache
def insert_sql(into: str, columns: int, rows: int, ending: str) -> str:
    places = "(" + ",".join("?" * columns) + ")"
    return f"INSERT INTO {into} VALUES {','.join([places] * rows)}{ending}"


def quoted(name: str) -> str:
    """A name of ours in SQL."""
    return '"' + name.replace('"', '""') + '"'


def insert_rows(connection: apsw.Connection, into: str, rows: Sequence[Row], ending: str = "") -> None:
    """Inserts rows of equal length, many a statement. `into` is the table with its columns; `ending` an upsert clause."""
    first = 0
    for count in ROWS_A_STATEMENT:
        while len(rows) - first >= count:
            sql = insert_sql(into, len(rows[0]), count, ending)
            connection.execute(sql, tuple(chain.from_iterable(rows[first : first + count])))
            first += count
