"""A company of very many cases, made of a small one: its cases, entries and search texts in the engine's own stored form, again
and again with other ids, numbers and moments. Minutes where deciding them all would take an hour."""

import re
from collections.abc import Iterable
from uuid import UUID

from schemas.collections import CASES, HANDLES
from schemas.ids import case_number
from sinks.mongo.layout import ENTRIES, SEARCH
from sinks.mongo.port import DocumentDatabase, Fields
from sinks.mongo.words import terms_of

ID = re.compile(r"\b([0-9a-f]{8})(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b")
STEP = 0x9E3779B1
"""Odd, so that each copy gives an id another beginning."""
LATER = 1_000
"""Microseconds by which a copy is younger."""
TIMES = ("updated_at", "waiting_since", "waits_from", "due_at", "due_from", "next_due")
AT_ONCE = 1_000


class Copy:
    """One copy of a company. Ids that stand for the same thing stay the same within it."""

    def __init__(self, number: int) -> None:
        self._turn = number * STEP & 0xFFFFFFFF
        self._later = number * LATER

    def text(self, text: str) -> str:
        turn = self._turn
        return ID.sub(lambda found: f"{int(found[1], 16) ^ turn:08x}{found[2]}", text)

    def case(self, row: Fields) -> Fields:
        id, columns = self.text(row["_id"]), dict(row["columns"])
        number = case_number(UUID(id))
        body = self.text(row["body"]).replace(columns["number"], number)
        columns |= {name: columns[name] + self._later for name in TIMES if columns[name] is not None}
        columns |= {"number": number, "handle": self.text(columns["handle"])}
        return {**row, "_id": id, "n": row["n"] + self._later, "columns": columns, "body": body}

    def document(self, row: Fields) -> Fields:
        return {
            **row,
            "_id": self.text(row["_id"]),
            "n": row["n"] + self._later,
            "body": self.text(row["body"]),
        }

    def entry(self, row: Fields, case: "Copy") -> Fields:
        """An entry of a case of another copy, or of this one."""
        id = self.text(row["_id"])
        body = case.text(row["body"]).replace(case.text(row["_id"]), id, 1)
        return {
            **row,
            "_id": id,
            "case": case.text(row["case"]),
            "handle": case.text(row["handle"]),
            "n": row["n"] + self._later,
            "at": row["at"] + self._later,
            "body": body,
        }

    def search(self, row: Fields, case: "Copy") -> Fields:
        id = case.text(row["case"])
        number = case_number(UUID(id))
        words = dict(zip(terms_of([row["number"]]), terms_of([number]), strict=False))
        return {
            **row,
            "_id": self.text(row["_id"]),
            "case": id,
            "n": row["n"] + self._later,
            "number": number,
            "heads": [words.get(each, each) for each in row["heads"]],
            "terms": [words.get(each, each) for each in row["terms"]],
        }


async def multiply(database: DocumentDatabase, cases: int, entries: int) -> None:
    """Copies of what is there until there are about so many of both; what there is stays."""
    stored = {
        name: await database.collection(name).find({}) for name in (CASES.name, HANDLES.name, ENTRIES, SEARCH)
    }
    times = max(1, round(cases / len(stored[CASES.name])))
    each = max(1.0, entries / (times * len(stored[ENTRIES])))
    """So many copies of an entry each case has."""
    for number in range(times):
        copy = Copy(number)
        if number:
            await _insert(database, CASES.name, map(copy.case, stored[CASES.name]))
            await _insert(database, HANDLES.name, map(copy.document, stored[HANDLES.name]))
        more = int(each) + (number < (each % 1) * times)
        for further in range(more):
            if number or further:
                other = Copy(number + further * times)
                await _insert(database, ENTRIES, (other.entry(row, copy) for row in stored[ENTRIES]))
                await _insert(database, SEARCH, (other.search(row, copy) for row in stored[SEARCH]))


async def _insert(database: DocumentDatabase, name: str, rows: Iterable[Fields]) -> None:
    made = list(rows)
    for first in range(0, len(made), AT_ONCE):
        there = await database.collection(name).insert_new(made[first : first + AT_ONCE])
        assert not there, f"{name}: {len(there)} are there already"
