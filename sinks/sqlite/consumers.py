"""Where consumers stand, what became of events that were not simply applied, and claims of what must be unique."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import apsw

from schemas.errors import Conflict
from schemas.ids import from_bytes
from schemas.steps import Outcome, OutcomeKind, Position
from sinks.sqlite.values import id_array, insert_rows, short_hash, to_position, to_seq


def position_of(connection: apsw.Connection, consumer: str) -> int:
    stored = connection.execute("SELECT seq FROM positions WHERE consumer = ?", (consumer,)).get
    return int(stored or 0)


def all_positions(connection: apsw.Connection) -> dict[str, Position]:
    rows: Any = connection.execute("SELECT consumer, seq FROM positions")
    return {consumer: to_position(seq) for consumer, seq in rows}


def move(connection: apsw.Connection, consumer: str, before: Position, position: Position) -> None:
    """Compare-and-set of a consumer's position. Raises Conflict when somebody moved it meanwhile."""
    current = position_of(connection, consumer)
    if current != to_seq(before):
        raise Conflict(f"consumer {consumer} stands at {current}, the step was decided at {before or 0}")
    connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (consumer, to_seq(position)))


def claim(connection: apsw.Connection, claims: Mapping[str, UUID]) -> None:
    """Inserts claims that are absent. Raises Conflict, naming the first, when one is another's."""
    if not claims:
        return
    hashes = {short_hash(reference): reference for reference in claims}
    taken = dict(_owners(connection, tuple(hashes)))
    for hashed, owner in taken.items():
        reference = hashes[hashed]
        if owner != claims[reference].bytes:
            raise Conflict(f"{reference[:200]} is claimed by {from_bytes(owner)}")
    rows = [(hashed, claims[reference].bytes) for hashed, reference in hashes.items() if hashed not in taken]
    insert_rows(connection, "claims (reference, owner)", rows)


def _owners(connection: apsw.Connection, hashes: tuple[bytes, ...]) -> list[Any]:
    sql = "SELECT reference, owner FROM carray(?) AS wanted CROSS JOIN claims ON reference = wanted.value"
    return connection.execute(sql, (apsw.carray(hashes),)).fetchall()


def load_claims(connection: apsw.Connection, references: set[str]) -> dict[str, UUID]:
    if not references:
        return {}
    hashes = {short_hash(reference): reference for reference in references}
    return {hashes[hashed]: from_bytes(owner) for hashed, owner in _owners(connection, tuple(hashes))}


def write_outcomes(connection: apsw.Connection, outcomes: Sequence[Outcome]) -> None:
    """The same outcome of an event at a position, written twice, is one."""
    rows = [
        (each.consumer, to_seq(each.position), each.event.bytes, str(each.kind), each.reason)
        for each in outcomes
    ]
    ending = " ON CONFLICT (consumer, seq, event, kind) DO UPDATE SET reason = excluded.reason"
    insert_rows(connection, "outcomes (consumer, seq, event, kind, reason)", rows, ending)


def read_outcomes(connection: apsw.Connection, consumer: str, after: Position, limit: int) -> list[Outcome]:
    """Outcomes beyond a position, in order. Those of one position are never split, so there may be more than `limit`."""
    columns = "SELECT seq, event, kind, reason FROM outcomes WHERE consumer = ?"
    sql = f"{columns} AND seq > ? ORDER BY seq, number LIMIT ?"
    rows: list[Any] = connection.execute(sql, (consumer, to_seq(after), limit)).fetchall()
    if len(rows) == limit:
        last = rows[-1][0]
        rows = [row for row in rows if row[0] != last]
        rows += connection.execute(f"{columns} AND seq = ? ORDER BY number", (consumer, last)).fetchall()
    return [
        Outcome(consumer, to_position(seq), from_bytes(event), OutcomeKind(kind), reason)
        for seq, event, kind, reason in rows
    ]


def handled(connection: apsw.Connection, ids: set[UUID]) -> set[UUID]:
    """Those that were applied before: they have a timeline entry, or an outcome `ignored` in any consumer."""
    if not ids:
        return set()
    found = set()
    for sql in (
        "SELECT id FROM carray(?) AS wanted CROSS JOIN entries ON id = wanted.value",
        "SELECT event FROM carray(?) AS wanted CROSS JOIN outcomes ON event = wanted.value AND kind = 'ignored'",
    ):
        found |= {from_bytes(id) for (id,) in connection.execute(sql, (id_array(ids),))}
    return found
