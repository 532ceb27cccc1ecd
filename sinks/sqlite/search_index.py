"""What can be found by words: one row an entry, with its case, and two FTS5 tables over it.

`heads` has number, names and subject, `words` all of it: so what stands in a head is found first without looking through
the texts.

Words are folded to lower case without diacritics. Chinese, Japanese and Korean write no spaces, so each of their
characters is a word of its own here, and what a person types in a row is looked for in that row.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import apsw

from schemas.steps import SearchText
from sinks.sqlite.values import Row, insert_rows, micros

MOST_CHARACTERS = 100_000  # of one entry's text; what lies beyond is kept and shown, not found by its words
SPLIT = "\u200b"  # zero width space: a separator to FTS5, invisible in an excerpt
NO_SPACES = re.compile(
    "([\u2e80-\u303f\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ud800-\udfff]")
FORGOTTEN_AT_ONCE = 2000
INTO_FOUND = "found (number, entry, case_id, case_number, occurred_at)"
INTO_HEADS = "heads (rowid, number, names, subject)"
INTO_WORDS = "words (rowid, text, head)"
DELETIONS = (
    "DELETE FROM heads WHERE rowid = ?",
    "DELETE FROM words WHERE rowid = ?",
    "DELETE FROM found WHERE number = ?",
)


def indexable(text: str) -> str:
    """The text as FTS5 gets it: without the controls that mark excerpts, and with all words apart."""
    text = CONTROLS.sub("", text[:MOST_CHARACTERS])
    return text if text.isascii() else NO_SPACES.sub(rf"\1{SPLIT}", text)


def write_search(connection: apsw.Connection, texts: Sequence[SearchText]) -> None:
    """Makes entries findable; an entry written again keeps its place and is found by its new words only."""
    if not texts:
        return
    latest = {each.entry.bytes: each for each in texts}
    sql = "SELECT entry, number FROM carray(?) AS wanted CROSS JOIN found ON entry = wanted.value"
    rows: Any = connection.execute(sql, (apsw.carray(tuple(latest)),))
    known: dict[bytes, int] = dict(rows)
    following = int(connection.execute("SELECT coalesce(max(number), 0) + 1 FROM found").get)
    if known:
        numbers = [(number,) for number in known.values()]
        for sql in DELETIONS:
            connection.executemany(sql, numbers)
    found: list[Row] = []
    heads: list[Row] = []
    words: list[Row] = []
    for entry, each in latest.items():
        number = known.get(entry)
        if number is None:
            number, following = following, following + 1
        row, head, word = _rows(number, each)
        found.append(row)
        heads.append(head)
        words.append(word)
    insert_rows(connection, INTO_FOUND, found)
    insert_rows(connection, INTO_HEADS, heads)
    insert_rows(connection, INTO_WORDS, words)


def _rows(number: int, text: SearchText) -> tuple[Row, Row, Row]:
    """What is stored of a text, in each of the three tables."""
    head = (indexable(text.number), indexable(text.names), indexable(text.subject))
    return (
        (number, text.entry.bytes, text.case.bytes, text.number, micros(text.occurred_at)),
        (number, *head),
        (number, indexable(text.text), "\n".join(head)),
    )


def forget_search(connection: apsw.Connection) -> int:
    """Removes the next part of all that can be found; returns how many went, 0 at the end."""
    rows: Any = connection.execute("SELECT number FROM found LIMIT ?", (FORGOTTEN_AT_ONCE,)).fetchall()
    for sql in DELETIONS:
        connection.executemany(sql, rows)
    return len(rows)


def unlike(connection: apsw.Connection, texts: Sequence[SearchText]) -> list[UUID]:
    """Entries that are not stored as these texts would be; of several texts of one entry the last counts."""
    return [
        each.entry
        for each in {each.entry: each for each in texts}.values()
        if not _is_stored(connection, each)
    ]


def _is_stored(connection: apsw.Connection, text: SearchText) -> bool:
    found: Any = connection.execute(
        "SELECT number, entry, case_id, case_number, occurred_at FROM found WHERE entry = ?",
        (text.entry.bytes,),
    ).fetchone()
    if found is None:
        return False
    number = found[0]
    head = connection.execute(
        "SELECT rowid, number, names, subject FROM heads WHERE rowid = ?", (number,)
    ).fetchone()
    word = connection.execute("SELECT rowid, text, head FROM words WHERE rowid = ?", (number,)).fetchone()
    return (found, head, word) == _rows(number, text)
