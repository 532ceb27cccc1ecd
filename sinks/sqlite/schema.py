"""The tables, and how an older file becomes a file of today. The number of the last migration is `PRAGMA user_version`.

Rows have integer keys, so that what is written together lies together; ids are looked up by 16 bytes.
"""

from collections.abc import Sequence

import apsw

from schemas.collections import COLLECTIONS
from schemas.columns import Collection
from sinks.sqlite.errors import NewerFile
from sinks.sqlite.tables import Table, adapt

FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, zeroblob(16));

CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    topic INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id BLOB NOT NULL,
    key_hash INTEGER NOT NULL,
    key TEXT NOT NULL,
    time INTEGER NOT NULL,
    source TEXT NOT NULL,
    correlation BLOB NOT NULL,
    causation BLOB,
    sequence INTEGER,
    chain TEXT,
    configuration INTEGER,
    late INTEGER NOT NULL,
    digest BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT;
CREATE INDEX log_topic ON log (topic);
CREATE INDEX log_key ON log (key_hash);
CREATE TABLE removed (seq INTEGER PRIMARY KEY, topic INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;

CREATE TABLE positions (consumer TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE outcomes (
    number INTEGER PRIMARY KEY,
    consumer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (consumer, seq, event, kind)
) STRICT;
CREATE INDEX outcomes_ignored ON outcomes (event) WHERE kind = 'ignored';
CREATE TABLE claims (reference BLOB PRIMARY KEY, owner BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE refs (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    case_ref INTEGER NOT NULL,
    handle_ref INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    changed INTEGER NOT NULL DEFAULT 0,
    delivery TEXT,
    delivery_reason TEXT,
    document BLOB NOT NULL
) STRICT;
CREATE INDEX entries_case ON entries (case_ref, occurred_at, sequence);
CREATE INDEX entries_handle ON entries (handle_ref, occurred_at, sequence);

CREATE TABLE blobs (number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, content BLOB) STRICT;

CREATE TABLE found (
    number INTEGER PRIMARY KEY,
    entry BLOB NOT NULL UNIQUE,
    case_id BLOB NOT NULL,
    case_number TEXT NOT NULL,
    occurred_at INTEGER NOT NULL
) STRICT;
CREATE INDEX found_case ON found (case_id);
CREATE INDEX found_number ON found (case_number);
CREATE VIRTUAL TABLE heads USING fts5 (number, names, subject, prefix = '2 3', tokenize = "unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE words USING fts5 (text, head, prefix = '2 3', tokenize = "unicode61 remove_diacritics 2");
"""

MIGRATIONS: tuple[str, ...] = (FIRST,)
"""Forward only. A migration that was released is never changed; the next one is added below it."""


def migrate(connection: apsw.Connection, collections: Sequence[Collection] = COLLECTIONS) -> dict[str, Table]:
    """Brings the file to this version, wholly or not at all. Raises NewerFile for one that a later version wrote."""
    found = int(connection.pragma("user_version"))
    if found > len(MIGRATIONS):
        raise NewerFile(
            f"hub.sqlite has format {found}, this version knows {len(MIGRATIONS)}; start the version that wrote it"
        )
    tables = {collection.name: Table(collection) for collection in collections}
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, statements in enumerate(MIGRATIONS[found:], start=found + 1):
            connection.execute(statements)
            connection.pragma("user_version", number)
        for table in tables.values():
            adapt(connection, table)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return tables
