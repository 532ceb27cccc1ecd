"""Search by number, name, subject and words (FTS5)."""

from collections.abc import Sequence

import apsw

from schemas.ports import SearchText
from sinks.sqlite.values import micros


def write_search(connection: apsw.Connection, texts: Sequence[SearchText]) -> None:
    """Makes entries findable; written again, an entry is found by its new words only."""
    for each in texts:
        known = connection.execute("SELECT number FROM found WHERE entry = ?", (each.entry.bytes,)).get
        if known is not None:
            connection.execute("DELETE FROM words WHERE rowid = ?", (known,))
            connection.execute("DELETE FROM found WHERE number = ?", (known,))
        connection.execute(
            "INSERT INTO found (number, entry, case_id, case_number, occurred_at) VALUES (?, ?, ?, ?, ?)",
            (known, each.entry.bytes, each.case.bytes, each.number, micros(each.occurred_at)),
        )
        connection.execute(
            "INSERT INTO words (rowid, number, names, subject, text) VALUES (?, ?, ?, ?, ?)",
            (connection.last_insert_rowid(), each.number, each.names, each.subject, each.text),
        )
