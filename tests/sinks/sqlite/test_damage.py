"""Damage on purpose, each kind found by `check` and said in words."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from schemas.ids import sha256
from schemas.steps import Step
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock, case, entry, name, noted, received

LARGE = b"large" * 20_000
SMALL = b"small"
LARGE_NAME, SMALL_NAME = sha256(LARGE), sha256(SMALL)

AGAIN = """
INSERT INTO log SELECT (SELECT max(seq) + 1 FROM log), topic, type, id, key_hash, key, time, source, correlation, causation,
                       sequence, chain, configuration, late, digest, value FROM log WHERE seq = 2
"""


def sql(*statements: str) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        connection = apsw.Connection(str(folder / FILE))
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return damage


def blob_file(change: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: change(folder / "blobs" / LARGE_NAME[:2] / LARGE_NAME[2:4] / LARGE_NAME)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "an event deleted": (sql("DELETE FROM log WHERE seq = 2"), "log: event 2 is missing"),
    "the first event deleted": (sql("DELETE FROM log WHERE seq = 1"), "log: event 1 is missing"),
    "events deleted": (sql("DELETE FROM log WHERE seq IN (2, 3)"), "log: events 2 to 3 are missing"),
    "the last event deleted": (sql("DELETE FROM log WHERE seq = 5"), "log: event 5 is missing"),
    "the last events deleted, and the head moved": (
        sql("DELETE FROM log WHERE seq > 3", "UPDATE head SET seq = 3"),
        "log: the end is not what was written",
    ),
    "all events deleted": (sql("DELETE FROM log"), "log: events 1 to 5 are missing"),
    "an event doubled": (sql(AGAIN), "log: events 6 to 6 were added behind the end"),
    "an event doubled, and the head moved": (
        sql(AGAIN, "UPDATE head SET seq = 6"),
        "log: event 6 was altered",
    ),
    "the bytes of an event altered": (
        sql(
            "UPDATE log SET value = CAST(replace(CAST(value AS TEXT), 'order', 'Order') AS BLOB) WHERE seq = 3"
        ),
        "log: event 3 was altered",
    ),
    "the key of an event altered": (
        sql("UPDATE log SET key = 'other' WHERE seq = 3"),
        "log: event 3 was altered",
    ),
    "the time of an event altered": (
        sql("UPDATE log SET time = time + 1 WHERE seq = 3"),
        "log: event 3 was altered",
    ),
    "the cause of an event altered": (
        sql("UPDATE log SET causation = id WHERE seq = 3"),
        "log: event 3 was altered",
    ),
    "the type of an event altered": (
        sql("UPDATE log SET type = 1 WHERE seq = 3"),
        "log: event 3 was altered",
    ),
    "two events exchanged": (
        sql(
            "UPDATE log SET seq = -1 WHERE seq = 2",
            "UPDATE log SET seq = 2 WHERE seq = 3",
            "UPDATE log SET seq = 3 WHERE seq = -1",
        ),
        "log: event 2 was altered",
    ),
    "a traced removal from a topic that is kept": (
        sql(
            "INSERT INTO removed SELECT seq, topic, digest FROM log WHERE seq = 2",
            "DELETE FROM log WHERE seq = 2",
        ),
        "log: event 2 was removed, but its topic keeps events for ever",
    ),
    "a column of a case altered": (sql("UPDATE cases SET queue = 'other'"), "is not what its columns say"),
    "a case that does not decode": (sql("UPDATE cases SET document = x'7b7d'"), "fits no schema"),
    "a case deleted": (sql("DELETE FROM cases"), "which is missing"),
    "an entry that does not decode": (sql("UPDATE entries SET document = x'78'"), "fits no schema"),
    "an entry of another case": (
        sql("UPDATE entries SET case_ref = handle_ref"),
        "is not what its columns say",
    ),
    "a small blob altered": (
        sql("UPDATE blobs SET content = CAST('smaLl' AS BLOB) WHERE size = 5"),
        f"blob: {SMALL_NAME} was altered",
    ),
    "the file of a blob deleted": (blob_file(lambda path: path.unlink()), f"blob: {LARGE_NAME} is missing"),
    "the file of a blob altered": (
        blob_file(lambda path: path.write_bytes(LARGE[1:])),
        f"blob: {LARGE_NAME} was altered",
    ),
    "an index that was not told of a change": (
        sql(
            "PRAGMA writable_schema = ON",
            "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'log_key'",
            "DELETE FROM sqlite_schema WHERE name = 'log_key'",
            "PRAGMA writable_schema = RESET",
            "UPDATE log SET key_hash = key_hash + 1 WHERE seq = 2",
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_schema SELECT * FROM kept",
        ),
        "file: row 2 missing from index log_key",
    ),
}


@pytest.mark.parametrize("kind", DAMAGES)
async def test_damage_is_found(engine: SqliteEngine, folder: Path, kind: str) -> None:
    await engine.commit(
        Step(events=[received(1), received(2), received(3)], documents=[(case(), 0)], entries=[entry(1)])
    )
    await engine.commit(Step(events=[noted(name("case", "one"), 1), received(4)]))
    await engine.put_blob(LARGE, "text/plain")
    await engine.put_blob(SMALL, "text/plain")
    assert [fault async for fault in engine.check()] == []
    await engine.close()
    damage, expected = DAMAGES[kind]
    damage(folder)
    engine = await open_engine(folder, clock=FixedClock())
    try:
        faults = [fault async for fault in engine.check()]
    finally:
        await engine.close()
    assert any(expected in fault for fault in faults), faults
