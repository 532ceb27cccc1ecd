# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Cases by words. Best first means: by number, then by names and subject, then by all words; within each, the latest first.

So a page is a few steps along an index, whatever the words are, and stays stable while entries come in. A case comes
once, with the best place that matches. Nothing that a person types is an operator. Who may see few of the cases that
match may get a page that is short, or empty, and still has a `next`: so one question never takes long.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw

from schemas.errors import Invalid
from schemas.ids import parse_case_number
from schemas.steps import Hit, Page
from sinks.sqlite.search_index import SPLIT, indexable
from sinks.sqlite.values import from_cursor, moment, to_cursor
from sinks.sqlite.visibility import may_see

LONGEST_QUERY = 200
MOST_TERMS = 12
MOST_EXAMINED = 20_000
FIRST_CHUNK, NEXT_CHUNK = 100, 2000
MARKS = ("\x02", "\x03")
"""Before and after each matching word of an excerpt. The excerpt itself is plain text."""
EXCERPT_WORDS = 24
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Tier:
    """One way to match: `table` with its column `row`, and the condition for the argument `match`."""

    table: str
    row: str
    condition: str
    match: str


@dataclass(frozen=True, slots=True)
class Place:
    """An entry that matches: where it stands in the order of hits, its case, and whether that may be seen."""

    tier: int
    row: int
    case: bytes
    is_visible: bool


def tiers(words: str) -> list[Tier]:
    """The ways that the words stand for, best first. None when they hold nothing to look for."""
    plain = indexable(words[:LONGEST_QUERY])
    number = parse_case_number(plain)
    # Without a digit it may be a word as well: ten letters, such as bookkeeper, spell a number.
    is_number_only = number is not None and any(letter.isdigit() for letter in plain)
    pieces = [number] if number and is_number_only else plain.split()[:MOST_TERMS]
    terms = [piece for piece in pieces if any(letter.isalnum() for letter in piece)]
    if not terms:
        return []
    every = " AND ".join([*map(_quoted, terms[:-1]), _open_ended(terms[-1])])
    by_number = [Tier("found AS hit", "hit.number", "hit.case_number = ?", number)] if number else []
    return [
        *by_number,
        Tier("heads", "heads.rowid", "heads MATCH ?", every),
        Tier("words", "words.rowid", "words MATCH ?", every),
    ]


def _quoted(piece: str) -> str:
    return '"' + piece.replace('"', '""') + '"'


def _open_ended(piece: str) -> str:
    """The last word may go on, as somebody is still typing it; not a single letter, which would mean half of the index."""
    return f"{_quoted(piece)}*" if sum(map(str.isalnum, piece)) > 1 else _quoted(piece)


def search(
    connection: apsw.Connection, words: str, queues: Sequence[str] | None, limit: int, after: str | None
) -> Page[Hit]:
    ways = tiers(words)
    start = _start(after, len(ways))
    seen: set[bytes] = set()
    page: list[Place] = []
    for examined, place in enumerate(_places(connection, ways, queues, start), start=1):
        if place.is_visible and place.case not in seen:
            seen.add(place.case)
            if after is None or not _was_shown(connection, ways, place.case, start):
                if len(page) == limit:
                    return Page(_hits(connection, ways, page), to_cursor(page[-1].tier, page[-1].row))
                page.append(place)
        if examined == MOST_EXAMINED:
            return Page(_hits(connection, ways, page), to_cursor(place.tier, place.row))
    return Page(_hits(connection, ways, page))


def _start(after: str | None, count: int) -> tuple[int, int]:
    """The tier and the row beyond which a page begins."""
    if after is None:
        return 0, NEWEST
    tier, row = from_cursor(after, 2)
    if not isinstance(tier, int) or not isinstance(row, int) or not 0 <= tier < count:
        raise Invalid("the cursor is not one of this search; start from the first page")
    return tier, row


def _places(
    connection: apsw.Connection, ways: Sequence[Tier], queues: Sequence[str] | None, start: tuple[int, int]
) -> Iterator[Place]:
    """What matches, in order, from beyond a place."""
    first, row = start
    for number in range(first, len(ways)):
        sql, allowed = _places_sql(ways[number], queues)
        chunk = FIRST_CHUNK
        while True:
            rows: list[Any] = connection.execute(sql, (*allowed, ways[number].match, row, chunk)).fetchall()
            for row, case, is_visible in rows:
                yield Place(number, row, case, bool(is_visible))
            if len(rows) < chunk:
                break
            chunk = NEXT_CHUNK
        row = NEWEST


def _places_sql(way: Tier, queues: Sequence[str] | None) -> tuple[str, list[str]]:
    """Arguments: those that are returned, the match, the row to go on below, and how many rows."""
    visible, allowed = "1", list[str]()
    if queues is not None:
        test, allowed = may_see(queues)
        visible = f"(SELECT {test} FROM cases WHERE cases.id = found.case_id)"
    sql = (
        f"SELECT found.number, found.case_id, {visible} FROM {way.table} CROSS JOIN found ON found.number = {way.row}"
        f" WHERE {way.condition} AND {way.row} < ? ORDER BY {way.row} DESC LIMIT ?"
    )
    return sql, allowed


def _was_shown(
    connection: apsw.Connection, ways: Sequence[Tier], case: bytes, start: tuple[int, int]
) -> bool:
    """Whether the case matched on an earlier page: in an earlier tier, or in the cursor's at its row or above."""
    tier, row = start
    return any(
        connection.execute(
            f"SELECT 1 FROM found CROSS JOIN {way.table} ON {way.row} = found.number"
            f" WHERE found.case_id = ? AND found.number >= ? AND {way.condition} LIMIT 1",
            (case, row if number == tier else 0, way.match),
        ).fetchone()
        for number, way in enumerate(ways[: tier + 1])
    )


def _hits(connection: apsw.Connection, ways: Sequence[Tier], page: Sequence[Place]) -> list[Hit]:
    if not page:
        return []
    rows: Any = connection.execute(
        "SELECT number, entry, case_id, case_number, occurred_at FROM carray(?) AS wanted"
        " CROSS JOIN found ON number = wanted.value",
        (apsw.carray(array("q", [place.row for place in page])),),
    )
    excerpts: dict[int, str] = {}
    for number, way in enumerate(ways):
        excerpts |= _excerpts(connection, way, tuple([place.row for place in page if place.tier == number]))
    hits = {
        number: Hit(UUID(bytes=case), case_number, UUID(bytes=entry), excerpts[number], moment(occurred_at))
        for number, entry, case, case_number, occurred_at in rows
    }
    return [hits[place.row] for place in page]


def _excerpts(connection: apsw.Connection, way: Tier, rows: tuple[int, ...]) -> dict[int, str]:
    """The words around the matches of a page, in one walk along what matches; of hits by number, their subjects."""
    if not rows:
        return {}
    if way.table not in {"heads", "words"}:
        found: Any = connection.execute(
            "SELECT rowid, subject FROM heads WHERE rowid IN (SELECT value FROM carray(?))",
            (apsw.carray(array("q", rows)),),
        )
    else:
        found = connection.execute(
            f"SELECT rowid, snippet({way.table}, -1, ?, ?, '…', {EXCERPT_WORDS}) FROM {way.table}"
            f" WHERE {way.condition} AND {way.row} BETWEEN ? AND ?"
            f" AND +{way.row} IN (SELECT value FROM carray(?))",  # + : no search of its own for each
            (*MARKS, way.match, min(rows), max(rows), apsw.carray(array("q", rows))),
        )
    return {row: str(text).replace(SPLIT, "") for row, text in found}
