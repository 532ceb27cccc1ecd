"""Timeline entries: one document each, `_id` the entry's, found by case and by handle, newest first.

An entry written again under its id replaces the stored one unless its sequence is lower. What became of a message's
delivery is kept in fields beside it, by the sequence of the last change.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.documents import Entry, EntryKind
from schemas.errors import Never
from schemas.outbound import DeliveryState
from schemas.steps import EntryChange, Page
from sinks.mongo.documents import IS_THERE, beyond
from sinks.mongo.layout import ENTRIES
from sinks.mongo.port import DocumentDatabase, Fields, Filter
from sinks.mongo.values import from_cursor, micros, to_cursor
from sinks.unreadable import readable

STORED = ("body", "changed", "delivery", "delivery_reason", "case", "at", "sequence", "n")
ORDER = (("at", -1), ("sequence", -1), ("n", -1))
MOST_AT_ONCE = 500
Writes = list[tuple[Filter, Fields]]


def entry_writes(entries: Iterable[Entry], number: Callable[[], int]) -> Writes:
    """Upserts. Of several of one id the one of the highest sequence is left."""
    latest: dict[UUID, Entry] = {}
    for entry in entries:
        known = latest.get(entry.id)
        if known is None or entry.sequence >= known.sequence:
            latest[entry.id] = entry
    return [
        (
            {"_id": str(entry.id), "sequence": {"$lte": entry.sequence}},
            {
                "$set": {
                    "case": str(entry.case),
                    "handle": str(entry.handle),
                    "at": micros(entry.occurred_at),
                    "sequence": entry.sequence,
                    "kind": str(entry.kind),
                    "channel": entry.channel,
                    "body": entry.__pydantic_serializer__.to_json(entry).decode(),
                },
                "$setOnInsert": {"n": number(), "changed": 0},
            },
        )
        for entry in latest.values()
    ]


def change_writes(changes: Iterable[EntryChange]) -> Writes:
    """Updates; one that is not above the last change finds nothing, and so does one of an entry that is not there."""
    latest: dict[UUID, EntryChange] = {}
    for change in changes:
        known = latest.get(change.entry)
        if known is None or change.sequence > known.sequence:
            latest[change.entry] = change
    return [
        (
            {"_id": str(each.entry), "changed": {"$lt": each.sequence}},
            {
                "$set": {
                    "changed": each.sequence,
                    "delivery": str(each.delivery),
                    "delivery_reason": each.reason,
                }
            },
        )
        for each in latest.values()
    ]


def decode_entry(fields: Mapping[str, Any]) -> Entry:
    """An entry with what became of it since it was written. Raises Never when the text fits no schema."""
    try:
        entry: Entry = Entry.__pydantic_validator__.validate_json(fields["body"])
    except (ValueError, KeyError) as error:
        raise Never(f"entries: {fields.get('_id')} fits no schema: {error}") from error
    if not fields.get("changed"):
        return entry
    return entry.model_copy(
        update={
            "delivery": DeliveryState(fields["delivery"]),
            "delivery_reason": fields["delivery_reason"],
        }
    )


async def load_entries(database: DocumentDatabase, ids: set[UUID]) -> dict[UUID, Entry]:
    if not ids:
        return {}
    rows = await database.collection(ENTRIES).find({"_id": {"$in": [str(id) for id in ids]}}, STORED)
    entries = [decode_entry(row) for row in rows]
    return {entry.id: entry for entry in entries}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries of a timeline are asked for."""

    cases: Sequence[UUID]
    handles: Sequence[UUID]
    queues: Sequence[str] | None
    channel: str | None
    kinds: Sequence[EntryKind]

    def clauses(self) -> list[Fields]:
        """All but the queue, which is the case's and not the entry's."""
        of: list[Fields] = []
        if self.cases:
            of.append({"case": {"$in": [str(id) for id in self.cases]}})
        if self.handles:
            of.append({"handle": {"$in": [str(id) for id in self.handles]}})
        clauses: list[Fields] = [{"$or": of} if len(of) > 1 else of[0]]
        if self.channel is not None:
            clauses.append({"channel": self.channel})
        if self.kinds:
            clauses.append({"kind": {"$in": [str(kind) for kind in self.kinds]}})
        return clauses


async def timeline(
    database: DocumentDatabase, selection: Selection, limit: int, after: str | None
) -> Page[Entry]:
    """A page, newest first. Entries of cases in other queues are read and passed over."""
    last = from_cursor(after, len(ORDER)) if after else None
    if not selection.cases and not selection.handles:
        return Page([])
    kept: list[Fields] = []
    queue_of: dict[str, bool] = {}
    at_once = limit + 1 if selection.queues is None else max(limit + 1, MOST_AT_ONCE)
    while len(kept) <= limit:
        clauses = selection.clauses()
        if last is not None:
            clauses += [
                beyond(ORDER, last),
                {"at": {"$lte": last[0]}},
            ]  # the second for an index to begin there
        rows = await database.collection(ENTRIES).find({"$and": clauses}, STORED, ORDER, at_once)
        kept += await _visible(database, selection.queues, rows, queue_of)
        if len(rows) < at_once:
            break
        last = _key(rows[-1])
    following = to_cursor(*_key(kept[limit - 1])) if len(kept) > limit else None
    return Page(readable(kept[:limit], decode_entry), following)


def _key(row: Fields) -> list[Any]:
    return [row[name] for name, _ in ORDER]


async def _visible(
    database: DocumentDatabase, queues: Sequence[str] | None, rows: list[Fields], known: dict[str, bool]
) -> list[Fields]:
    if queues is None:
        return rows
    await cases_in(database, queues, {row["case"] for row in rows}, known)
    return [row for row in rows if known[row["case"]]]


async def cases_in(
    database: DocumentDatabase, queues: Sequence[str], cases: set[str], known: dict[str, bool]
) -> None:
    """Fills in for each case whether it is in one of these queues now, or was merged into one that is.

    One query, and one more for each step by which cases lead on to others.
    """
    leads = {each: each for each in cases - known.keys()}
    """A case, or what it was merged into -> the case that is asked for."""
    known.update(dict.fromkeys(leads, False))
    while leads:
        wanted = {"_id": {"$in": sorted(set(leads.values()))}, **IS_THERE}
        rows = await database.collection("cases").find(wanted, ("_id", "columns"))
        columns = {row["_id"]: row["columns"] for row in rows}
        known.update(
            {each: True for each, at in leads.items() if at in columns and columns[at]["queue"] in queues}
        )
        leads = {
            each: following
            for each, at in leads.items()
            if not known[each] and (following := columns.get(at, {}).get("merged_into"))
        }
