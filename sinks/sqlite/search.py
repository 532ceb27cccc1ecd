# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Cases by words. Best first means: by number, then by name and subject, then by text; within each, the latest first.

So a page is a few steps along an index, whatever the words are, and stays stable while entries come in. A case comes
once, with the best place that matches. Nothing that a person types is an operator.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw

from schemas.errors import Invalid
from schemas.ids import parse_case_number
from schemas.ports import Hit, Page
from sinks.sqlite.search_index import SPLIT, indexable
from sinks.sqlite.values import from_cursor, moment, to_cursor

LONGEST_QUERY = 200
MOST_TERMS = 12
CHUNK = 100
MARKS = ("\x02", "\x03")
"""Before and after each matching word of an excerpt. The excerpt itself is plain text."""
EXCERPT_WORDS = 24
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class Tier:
    """Rows that match here and in no tier before: `match` finds them, `before` those of all earlier tiers."""

    match: str
    before: str | None


def tiers(words: str) -> list[Tier]:
    """The searches that the words stand for, best first. None when they hold nothing to look for."""
    terms = _terms(words)
    if not terms:
        return []
    every = " AND ".join(terms)
    number, head = f"{{number}} : ({every})", f"{{number names subject}} : ({every})"
    return [
        Tier(number, None),
        Tier(f"({head}) NOT ({number})", number),
        Tier(f"({every}) NOT ({head})", head),
    ]


def _terms(words: str) -> list[str]:
    plain = indexable(words[:LONGEST_QUERY])
    number = parse_case_number(plain)
    pieces = [number] if number else plain.split()[:MOST_TERMS]
    return [_term(piece) for piece in pieces if any(letter.isalnum() for letter in piece)]


def _term(piece: str) -> str:
    """A quoted string of FTS5; its last word may go on, when it is long enough not to mean half of the index."""
    quoted = '"' + piece.replace('"', '""') + '"'
    return f"{quoted}*" if sum(map(str.isalnum, piece)) > 1 else quoted


def search(
    connection: apsw.Connection, words: str, queues: Sequence[str] | None, limit: int, after: str | None
) -> Page[Hit]:
    found = tiers(words)
    tier, row = _start(after, len(found))
    seen: set[bytes] = set()
    page: list[tuple[int, int]] = []
    for place, number, case in _candidates(connection, found, queues, tier, row):
        if case in seen:
            continue
        seen.add(case)
        if after and _shown_before(connection, found[tier], case, row):
            continue
        page.append((place, number))
        if len(page) > limit:
            break
    following = to_cursor(*page[limit - 1]) if len(page) > limit else None
    return Page([_hit(connection, found[place], number) for place, number in page[:limit]], following)


def _start(after: str | None, count: int) -> tuple[int, int]:
    if after is None:
        return 0, NEWEST
    tier, row = from_cursor(after, 2)
    if not isinstance(tier, int) or not isinstance(row, int) or not 0 <= tier < count:
        raise Invalid("the cursor is not one of this search; start from the first page")
    return tier, row


def _candidates(
    connection: apsw.Connection, found: Sequence[Tier], queues: Sequence[str] | None, tier: int, row: int
) -> Iterator[tuple[int, int, bytes]]:
    """Tier, row and case of what matches, in order, from beyond a place."""
    only = "" if queues is None else f" AND queue IN ({','.join('?' * len(queues))})"
    sql = (
        "SELECT found.number, found.case_id FROM words CROSS JOIN found ON found.number = words.rowid"
        f"{' CROSS JOIN cases ON cases.id = found.case_id' if only else ''}"
        f" WHERE words MATCH ? AND words.rowid < ?{only} ORDER BY words.rowid DESC LIMIT {CHUNK}"
    )
    for place in range(tier, len(found)):
        while rows := _fetch(connection, sql, (found[place].match, row, *(queues or ()))):
            for number, case in rows:
                yield place, number, case
            row = rows[-1][0]
        row = NEWEST


def _fetch(connection: apsw.Connection, sql: str, arguments: Sequence[Any]) -> list[Any]:
    return connection.execute(sql, tuple(arguments)).fetchall()


def _shown_before(connection: apsw.Connection, tier: Tier, case: bytes, row: int) -> bool:
    """Whether the case matched on an earlier page: in an earlier tier, or in the cursor's at its row or above."""
    sql = (
        "SELECT 1 FROM found CROSS JOIN words ON words.rowid = found.number"
        " WHERE found.case_id = ? AND found.number >= ? AND words MATCH ? LIMIT 1"
    )
    earlier = tier.before is not None and bool(_fetch(connection, sql, (case, 0, tier.before)))
    return earlier or bool(_fetch(connection, sql, (case, row, tier.match)))


def _hit(connection: apsw.Connection, tier: Tier, number: int) -> Hit:
    sql = (
        f"SELECT entry, case_id, case_number, occurred_at, snippet(words, -1, ?, ?, '…', {EXCERPT_WORDS})"
        " FROM words CROSS JOIN found ON found.number = words.rowid WHERE words MATCH ? AND words.rowid = ?"
    )
    row: Any = connection.execute(sql, (*MARKS, tier.match, number)).fetchone()
    entry, case, case_number, occurred_at, excerpt = row
    plain = excerpt.replace(SPLIT, "")
    return Hit(UUID(bytes=case), case_number, UUID(bytes=entry), plain, moment(occurred_at))
