# ruff: noqa: S608  names in SQL come from our own declarations, values are bound
"""The log: one gapless count over all topics, each row sealed by a digest over itself and the digest of the row before."""

import hashlib
import heapq
import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from schemas.codec import decode, encode
from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES, Event
from schemas.ids import from_bytes
from schemas.steps import Record
from schemas.topics import Topic
from sinks.sqlite.values import Row, insert_rows, micros, moment, to_position

INTO_LOG = (
    "log (seq, topic, type, id, key_hash, key, time, source, correlation, causation, sequence, chain, configuration, late, "
    "digest, value)"
)
READ = "seq, topic, type, id, key, time, source, correlation, causation, sequence, chain, configuration, late, log.value, digest"
DIGEST_BYTES = 16
NUMBERS = struct.Struct(">QqqqB6I")


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the log: kept apart, so that a missing last row is seen."""

    seq: int
    digest: bytes


class Names:
    """Topics and event types as small numbers. Numbers are given once and never change their meaning."""

    def __init__(self, connection: apsw.Connection) -> None:
        known = {name for (name,) in connection.execute("SELECT name FROM names")}
        new = [(name,) for name in [*Topic, *sorted(EVENT_TYPES)] if name not in known]
        if new:
            with connection:
                insert_rows(connection, "names (name)", new)
        self.number: dict[str, int] = {}
        self.name: dict[int, str] = {}
        self.topic: dict[int, Topic] = {}
        for number, name in connection.execute("SELECT number, name FROM names"):
            self.number[name] = number
            self.name[number] = name
            if name in Topic.__members__.values():
                self.topic[number] = Topic(name)


def key_hash(key: str) -> int:
    """64 bits of a key: enough to find its rows, which then say whether they are meant."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def seal(
    previous: bytes, seq: int, texts: Sequence[str], ids: Sequence[bytes], numbers: Row, value: bytes
) -> bytes:
    """The digest of a row. Lengths stand before the parts, so that no two rows have the same bytes."""
    parts = [text.encode() for text in texts]
    time, sequence, configuration, late = [-1 if number is None else number for number in numbers]
    head = NUMBERS.pack(seq, time, sequence, configuration, late, *map(len, parts), len(value))
    return hashlib.sha256(b"".join((previous, head, *ids, *parts, value))).digest()[:DIGEST_BYTES]


def seal_row(names: Names, previous: bytes, row: Any) -> bytes:
    """The digest that a row, as READ gives it, should have."""
    (
        seq,
        topic,
        type,
        id,
        key,
        time,
        source,
        correlation,
        causation,
        sequence,
        chain,
        configuration,
        late,
        value,
        _,
    ) = row
    texts = (names.name.get(topic, ""), names.name.get(type, ""), key, source, chain or "")
    return seal(
        previous,
        seq,
        texts,
        (id, correlation, causation or b""),
        (time, sequence, configuration, late),
        value,
    )


def append(connection: apsw.Connection, names: Names, head: Head, events: Sequence[Event]) -> Head:
    """Writes events behind the head and returns the new head, which is still to be written."""
    rows: list[Row] = []
    seq, digest = head.seq, head.digest
    for event in events:
        seq += 1
        payload = event.data
        value = encode(payload)
        time = micros(event.time)
        id, correlation = event.id.bytes, event.correlation.bytes
        causation = event.causation.bytes if event.causation else None
        chain = json.dumps(event.chain) if event.chain else None
        late = int(event.late)
        digest = seal(
            digest,
            seq,
            (payload.topic, payload.type, event.key, event.source, chain or ""),
            (id, correlation, causation or b""),
            (time, event.sequence, event.configuration, late),
            value,
        )
        rows.append(
            (
                seq,
                names.number[payload.topic],
                names.number[payload.type],
                id,
                key_hash(event.key),
                event.key,
                time,
                event.source,
                correlation,
                causation,
                event.sequence,
                chain,
                event.configuration,
                late,
                digest,
                value,
            )
        )
    insert_rows(connection, INTO_LOG, rows)
    return Head(seq, digest)


def write_head(connection: apsw.Connection, head: Head) -> None:
    connection.execute("UPDATE head SET seq = ?, digest = ?", (head.seq, head.digest))


def read_head(connection: apsw.Connection) -> Head:
    row: Any = connection.execute("SELECT seq, digest FROM head").fetchone()
    seq, digest = row
    return Head(seq, digest)


def read_rows(
    connection: apsw.Connection,
    names: Names,
    topics: Iterable[Topic],
    after: int,
    limit: int,
    key: str | None = None,
) -> list[Any]:
    """Rows of these topics after a place, in the order of the log: index scans of the topics, merged."""
    numbers = sorted({names.number[topic] for topic in topics})
    if key is not None:
        marks = ",".join("?" * len(numbers))
        sql = f"SELECT {READ} FROM log WHERE key_hash = ? AND seq > ? AND key = ? AND topic IN ({marks}) ORDER BY seq LIMIT ?"
        return connection.execute(sql, (key_hash(key), after, key, *numbers, limit)).fetchall()
    if len(numbers) == 1:
        sql = f"SELECT {READ} FROM log WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?"
        return connection.execute(sql, (numbers[0], after, limit)).fetchall()
    scans = [
        connection.execute(
            "SELECT seq FROM log WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ?", (number, after, limit)
        ).fetchall()
        for number in numbers
    ]
    seqs: list[Any] = [row[0] for row in heapq.merge(*scans)][:limit]
    if not seqs:
        return []
    sql = f"SELECT {READ} FROM carray(?) AS wanted CROSS JOIN log ON seq = wanted.value"
    return connection.execute(sql, (apsw.carray(_integers(seqs)),)).fetchall()


PUNCTUAL = (Topic.INTERACTIONS, Topic.CASES, Topic.DELIVERIES, Topic.AUDIT, Topic.CONFIGURATION)
"""Topics whose events have the time at which they are appended. What answers to others may have theirs."""


def seq_before(connection: apsw.Connection, names: Names, moment: int) -> int:
    """The last row that was appended before a moment (microseconds), as far as punctual rows tell; by halving, so in few looks."""
    low, high = 0, read_head(connection).seq
    while low < high:
        middle = (low + high + 1) // 2
        found = _punctual_from(connection, names, middle)
        if found is None or found[1] >= moment:
            high = middle - 1
        else:
            low = found[0]
    return low


def _punctual_from(connection: apsw.Connection, names: Names, seq: int) -> tuple[int, int] | None:
    """The first punctual row from a place on, with its time."""
    sql = "SELECT seq, time FROM log WHERE topic = ? AND seq >= ? AND late = 0 ORDER BY seq LIMIT 1"
    rows = [connection.execute(sql, (names.number[topic], seq)).fetchone() for topic in PUNCTUAL]
    return min([row for row in rows if row is not None], default=None)


def read_row(connection: apsw.Connection, seq: int) -> Any:
    return connection.execute(f"SELECT {READ} FROM log WHERE seq = ?", (seq,)).fetchone()


def count_beyond(connection: apsw.Connection, names: Names, topics: Iterable[Topic], after: int) -> int:
    """How many rows of these topics come after a place."""
    counts = [
        connection.execute(
            "SELECT count(*) FROM log WHERE topic = ? AND seq > ?", (names.number[topic], after)
        ).get
        for topic in set(topics)
    ]
    return sum(counts)


def to_record(names: Names, row: Any) -> Record:
    """The record of a row. An event that fits no schema is a record too, with the problem."""
    (
        seq,
        topic,
        type_number,
        id,
        key,
        time,
        source,
        correlation,
        causation,
        sequence,
        chain,
        configuration,
        late,
        value,
    ) = row[:14]
    type_name = names.name.get(type_number, "")
    uuid = from_bytes(id)
    event, problem = None, ""
    try:
        event = Event(
            uuid,
            key,
            moment(time),
            decode(type_name, value),
            source,
            uuid if correlation == id else from_bytes(correlation),
            from_bytes(causation) if causation else None,
            sequence,
            tuple(json.loads(chain)) if chain else (),
            configuration,
            bool(late),
        )
    except Undecodable as error:
        problem = str(error)
    position = to_position(seq)
    return Record(position, event, uuid, type_name, key, names.topic[topic], value, problem, seq, position)


def _integers(numbers: Sequence[int]) -> memoryview:
    return memoryview(struct.pack(f"{len(numbers)}q", *numbers)).cast("q")
