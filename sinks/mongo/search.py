"""Cases by words, through an indexed array of terms. Best first means: by number, then by names and subject, then by all words;
within each, the latest first.

The index gives candidates, newest first; whether the words of a piece stand side by side is then seen in the text. A case
comes once, with the best place that matches. Nothing that a person types is an operator. A search that looks at many
candidates in vain ends with a page that is short and still has a `next`.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from schemas.errors import Invalid
from schemas.ids import parse_case_number
from schemas.steps import Hit, Page, SearchText
from sinks.mongo.entries import Writes, cases_in
from sinks.mongo.excerpts import Piece, excerpt, matches
from sinks.mongo.layout import SEARCH
from sinks.mongo.port import DocumentDatabase, Fields
from sinks.mongo.values import from_cursor, micros, moment, to_cursor
from sinks.mongo.words import LONGEST_TERM, MOST_TERMS, clean, is_pair, terms_of, words_of

LONGEST_QUERY = 200
MOST_PIECES = 12
MOST_EXAMINED = 2_000
CHUNK = 200
NEWEST = 2**62
HEADS = ("number", "names", "subject")
ALL = (*HEADS, "text")


def search_writes(texts: Iterable[SearchText], number: Callable[[], int]) -> Writes:
    """Upserts; an entry written again keeps its place and is found by its new words only."""
    latest = {each.entry: each for each in texts}
    writes: Writes = []
    for each in latest.values():
        heads = [clean(each.number), clean(each.names), clean(each.subject)]
        text = clean(each.text)
        terms = terms_of(heads)
        fields = {
            "case": str(each.case),
            "at": micros(each.occurred_at),
            **dict(zip(HEADS, heads, strict=True)),
            "text": text,
            "heads": terms,
            "terms": list(dict.fromkeys([*terms, *terms_of([text])]))[:MOST_TERMS],
        }
        writes.append(({"_id": str(each.entry)}, {"$set": fields, "$setOnInsert": {"n": number()}}))
    return writes


async def unlike(database: DocumentDatabase, texts: Sequence[SearchText]) -> list[UUID]:
    """Entries that are not stored as these texts would be; of several texts of one entry the last counts."""
    wanted = {filter["_id"]: change["$set"] for filter, change in search_writes(texts, lambda: 0)}
    rows = await database.collection(SEARCH).find({"_id": {"$in": sorted(wanted)}}) if wanted else []
    stored = {row["_id"]: row for row in rows}
    return [
        UUID(id)
        for id, fields in wanted.items()
        if id not in stored or any(stored[id].get(name) != value for name, value in fields.items())
    ]


@dataclass(frozen=True, slots=True)
class Tier:
    """One way to match: clauses for the index, and the fields in which all pieces must then be found."""

    clauses: list[Fields]
    fields: Sequence[str] = ()
    pieces: Sequence[Piece] = ()

    def fits(self, row: Fields) -> bool:
        return not self.pieces or matches([row[name] for name in self.fields], self.pieces)


@dataclass(frozen=True, slots=True)
class Place:
    """A candidate that matches: its way, where it stands in the order, and what is stored."""

    tier: int
    row: Fields


def tiers(words: str) -> list[Tier]:
    """The ways that the words stand for, best first. None when they hold nothing to look for."""
    plain = clean(words[:LONGEST_QUERY])
    number = parse_case_number(plain)
    # Without a digit it may be a word as well: ten letters, such as bookkeeper, spell a number.
    is_number_only = number is not None and any(letter.isdigit() for letter in plain)
    given = [number] if number and is_number_only else plain.split()[:MOST_PIECES]
    pieces = [piece for each in given if (piece := Piece(tuple(words_of(each)))).words]
    if not pieces:
        return []
    # The last word may go on, as somebody is still typing it; not a single letter, which would mean half of the index.
    last = pieces[-1]
    if sum(len(word.folded) for word in last.words) > 1:
        pieces[-1] = Piece(last.words, is_open=True)
    by_number = [Tier([{"number": number}])] if number else []
    return [
        *by_number,
        Tier(_clauses("heads", pieces), HEADS, pieces),
        Tier(_clauses("terms", pieces), ALL, pieces),
    ]


def _clauses(field: str, pieces: Sequence[Piece]) -> list[Fields]:
    terms: dict[str, None] = {}
    openings: list[str] = []
    for piece in pieces:
        closed = piece.words[:-1] if piece.is_open else piece.words
        terms.update(dict.fromkeys(word.folded[:LONGEST_TERM] for word in closed))
        pairs = [first.folded + second.folded for first, second in pairwise(closed) if is_pair(first, second)]
        terms.update(dict.fromkeys(pairs))
        if piece.is_open:
            openings.append(piece.words[-1].folded[:LONGEST_TERM])
    clauses: list[Fields] = [{field: term} for term in terms]
    clauses += [{field: {"$elemMatch": {"$gte": each, "$lt": each + "\U0010ffff"}}} for each in openings]
    return clauses


async def search(
    database: DocumentDatabase, words: str, queues: Sequence[str] | None, limit: int, after: str | None
) -> Page[Hit]:
    ways = tiers(words)
    start = _start(after, len(ways))
    seen: set[str] = set()
    page: list[Place] = []
    visible: dict[str, bool] = {}
    examined = 0
    async for place in _places(database, ways, start):
        examined += 1
        case = place.row["case"]
        if (
            case not in seen
            and ways[place.tier].fits(place.row)
            and await _may_see(database, queues, case, visible)
        ):
            seen.add(case)
            if after is None or not await _was_shown(database, ways, case, start):
                if len(page) == limit:
                    return Page(_hits(ways, page), to_cursor(page[-1].tier, page[-1].row["n"]))
                page.append(place)
        if examined == MOST_EXAMINED:
            return Page(_hits(ways, page), to_cursor(place.tier, place.row["n"]))
    return Page(_hits(ways, page))


def _start(after: str | None, count: int) -> tuple[int, int]:
    """The tier and the number below which a page begins."""
    if after is None:
        return 0, NEWEST
    tier, row = from_cursor(after, 2)
    if not isinstance(tier, int) or not isinstance(row, int) or not 0 <= tier < count:
        raise Invalid("the cursor is not one of this search; start from the first page")
    return tier, row


async def _places(
    database: DocumentDatabase, ways: Sequence[Tier], start: tuple[int, int]
) -> AsyncIterator[Place]:
    """Candidates, in order, from beyond a place."""
    first, number = start
    for tier in range(first, len(ways)):
        while True:
            rows = await _candidates(database, [*ways[tier].clauses, {"n": {"$lt": number}}], CHUNK)
            for row in rows:
                yield Place(tier, row)
            if len(rows) < CHUNK:
                break
            number = rows[-1]["n"]
        number = NEWEST


async def _candidates(database: DocumentDatabase, clauses: list[Fields], limit: int) -> list[Fields]:
    fields = (*ALL, "case", "at", "n")
    return await database.collection(SEARCH).find({"$and": clauses}, fields, (("n", -1),), limit)


async def _may_see(
    database: DocumentDatabase, queues: Sequence[str] | None, case: str, known: dict[str, bool]
) -> bool:
    if queues is None:
        return True
    await cases_in(database, queues, {case}, known)
    return known[case]


async def _was_shown(
    database: DocumentDatabase, ways: Sequence[Tier], case: str, start: tuple[int, int]
) -> bool:
    """Whether the case matched on an earlier page: in an earlier tier, or in the cursor's at its place or above."""
    tier, number = start
    for each, way in enumerate(ways[: tier + 1]):
        lowest = number if each == tier else 0
        clauses: list[Fields] = [{"case": case}, {"n": {"$gte": lowest}}, *way.clauses]
        if any(way.fits(row) for row in await _candidates(database, clauses, MOST_EXAMINED)):
            return True
    return False


def _hits(ways: Sequence[Tier], page: Sequence[Place]) -> list[Hit]:
    return [_hit(ways[place.tier], place.row) for place in page]


def _hit(way: Tier, row: dict[str, Any]) -> Hit:
    told = excerpt([row[name] for name in reversed(way.fields)], way.pieces) if way.pieces else row["subject"]
    return Hit(UUID(row["case"]), row["number"], UUID(row["_id"]), told, moment(row["at"]))
