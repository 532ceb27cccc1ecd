# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""Timeline entries: one row each, found by case and by handle, newest first.

An entry written again under its id replaces the stored one unless its sequence is lower. What became of a message's
delivery is kept in columns beside the document, by the sequence of the last change.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw

from schemas.documents import Entry, EntryKind
from schemas.errors import Never
from schemas.outbound import DeliveryState
from schemas.steps import EntryChange, Page
from sinks.sqlite.values import from_cursor, id_array, insert_rows, micros, to_cursor
from sinks.sqlite.visibility import may_see
from sinks.unreadable import readable

INTO_ENTRIES = "entries (id, case_ref, handle_ref, occurred_at, sequence, kind, channel, document)"
REPLACE = (
    " ON CONFLICT (id) DO UPDATE SET case_ref = excluded.case_ref, handle_ref = excluded.handle_ref, "
    "occurred_at = excluded.occurred_at, sequence = excluded.sequence, kind = excluded.kind, channel = excluded.channel, "
    "document = excluded.document WHERE excluded.sequence >= entries.sequence"
)
STORED = "changed, delivery, delivery_reason, entries.document"
MOST_REFS = 50_000
NAMED = re.compile(rb'"id"\s*:\s*"([0-9a-f-]{36})"')


class Refs:
    """Ids of cases and handles as small numbers, so that entries of one case lie together in the index."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def forget(self) -> None:
        """After a rollback: numbers given in it were taken back."""
        self._numbers.clear()

    def numbers(self, connection: apsw.Connection, ids: Iterable[UUID]) -> dict[bytes, int]:
        """The numbers of the ids, given now where an id has none. For the connection that writes."""
        if len(self._numbers) > MOST_REFS:
            self._numbers.clear()
        unknown = {id.bytes for id in ids} - self._numbers.keys()
        if unknown:
            self._numbers.update(known_refs(connection, unknown))
            new = [id for id in unknown if id not in self._numbers]
            insert_rows(connection, "refs (id)", [(id,) for id in new])
            if new:
                self._numbers.update(known_refs(connection, new))
        return self._numbers


def known_refs(connection: apsw.Connection, ids: Iterable[bytes]) -> dict[bytes, int]:
    rows: Any = connection.execute(
        "SELECT id, number FROM carray(?) AS wanted CROSS JOIN refs ON id = wanted.value",
        (apsw.carray(tuple(ids)),),
    )
    return dict(rows)


def write_entries(connection: apsw.Connection, refs: Refs, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    numbers = refs.numbers(connection, [id for entry in entries for id in (entry.case, entry.handle)])
    rows = [
        (
            entry.id.bytes,
            numbers[entry.case.bytes],
            numbers[entry.handle.bytes],
            micros(entry.occurred_at),
            entry.sequence,
            entry.kind,
            entry.channel,
            entry.__pydantic_serializer__.to_json(entry),
        )
        for entry in entries
    ]
    insert_rows(connection, INTO_ENTRIES, rows, REPLACE)


def change_entries(connection: apsw.Connection, changes: Sequence[EntryChange]) -> None:
    """A change that is not above the last one is ignored, and so is one of an entry that does not exist."""
    sql = (
        "UPDATE entries SET delivery = ?1, delivery_reason = ?2, changed = ?3 WHERE id = ?4 AND changed < ?3"
    )
    connection.executemany(
        sql, [(each.delivery, each.reason, each.sequence, each.entry.bytes) for each in changes]
    )


def decode_entry(row: Any) -> Entry:
    """An entry with what became of it since it was written. Raises Never when the bytes fit no schema."""
    changed, delivery, reason, document = row
    try:
        entry: Entry = Entry.__pydantic_validator__.validate_json(document)
    except ValueError as error:
        raise Never(f"entries: {_id_in(document)} fits no schema: {error}") from error
    if not changed:
        return entry
    return entry.model_copy(update={"delivery": DeliveryState(delivery), "delivery_reason": reason})


def _id_in(document: object) -> str:
    """The id in bytes that fit no schema, as far as it can be seen. A damaged file may hold anything, or nothing."""
    found = NAMED.search(document) if isinstance(document, bytes) else None
    return found[1].decode() if found else "a timeline entry"


def load_entries(connection: apsw.Connection, ids: set[UUID]) -> dict[UUID, Entry]:
    if not ids:
        return {}
    sql = f"SELECT {STORED} FROM carray(?) AS wanted CROSS JOIN entries ON id = wanted.value"
    entries = [decode_entry(row) for row in connection.execute(sql, (id_array(ids),))]
    return {entry.id: entry for entry in entries}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries of a timeline are asked for."""

    cases: Sequence[UUID]
    handles: Sequence[UUID]
    queues: Sequence[str] | None
    channel: str | None
    kinds: Sequence[EntryKind]

    def condition(self) -> tuple[str, list[str]]:
        """SQL and arguments of all but the case or handle."""
        sql, arguments = "", []
        if self.channel is not None:
            sql += " AND channel = ?"
            arguments.append(self.channel)
        if self.kinds:
            sql += f" AND kind IN ({','.join('?' * len(self.kinds))})"
            arguments += map(str, self.kinds)
        if self.queues is not None:
            visible, of_queues = may_see(self.queues)
            sql += (
                " AND EXISTS (SELECT 1 FROM refs CROSS JOIN cases ON cases.id = refs.id"
                f" WHERE refs.number = case_ref AND {visible})"
            )
            arguments += of_queues
        return sql, arguments


def timeline(connection: apsw.Connection, selection: Selection, limit: int, after: str | None) -> Page[Entry]:
    """A page, newest first. Keys are merged from one index scan a case or handle; only a page's documents are read."""
    last = from_cursor(after, 3) if after else [2**62, 2**62, 2**62]
    condition, arguments = selection.condition()
    keys: set[tuple[int, int, int]] = set()
    for column, ids in (("case_ref", selection.cases), ("handle_ref", selection.handles)):
        sql = (
            f"SELECT occurred_at, sequence, number FROM entries WHERE {column} = ?"
            f" AND (occurred_at, sequence, number) < (?, ?, ?){condition}"
            " ORDER BY occurred_at DESC, sequence DESC, number DESC LIMIT ?"
        )
        known = known_refs(connection, {id.bytes for id in ids}) if ids else {}
        for number in known.values():
            rows: Any = connection.execute(sql, (number, *last, *arguments, limit + 1))
            keys.update(rows)
    page = sorted(keys, reverse=True)[: limit + 1]
    following = to_cursor(*page[limit - 1]) if len(page) > limit else None
    one = f"SELECT {STORED} FROM entries WHERE number = ?"
    rows = [connection.execute(one, (number,)).fetchone() for _, _, number in page[:limit]]
    return Page(readable(rows, decode_entry), following)
