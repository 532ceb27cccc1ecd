"""The engine port on one SQLite file. Opening it takes the data folder for this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import apsw

from schemas.collections import BY_DOCUMENT, COLLECTIONS
from schemas.documents import Document, Entry, EntryKind
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.ports import Clock
from schemas.steps import (
    Batch,
    Blob,
    Found,
    Hit,
    Outcome,
    Page,
    Place,
    Position,
    Query,
    QueueCount,
    Record,
    References,
    SearchText,
    Step,
)
from schemas.topics import Topic
from sinks.sqlite import queries
from sinks.sqlite.ahead import Ahead, Asked
from sinks.sqlite.backup import make_backup
from sinks.sqlite.blobs import (
    LARGEST_ROW_BYTES,
    PART_BYTES,
    BlobFiles,
    check_file,
    check_name,
    find_blob,
    read_blob,
    remove_blob_row,
)
from sinks.sqlite.check import faults
from sinks.sqlite.connection import open_reader, open_writer
from sinks.sqlite.consumers import all_positions, handled, load_claims, position_of, read_outcomes
from sinks.sqlite.copying import Copying
from sinks.sqlite.documents import Tables, case_numbers, load_documents
from sinks.sqlite.entries import Selection, load_entries, timeline
from sinks.sqlite.errors import outages
from sinks.sqlite.folders import make_folder, sync_folder
from sinks.sqlite.lock import FolderLock
from sinks.sqlite.log import Head, Names, count_beyond, read_head, read_row, read_rows, seq_before, to_record
from sinks.sqlite.readers import Readers
from sinks.sqlite.retention import expire
from sinks.sqlite.schema import migrate
from sinks.sqlite.search import search
from sinks.sqlite.search_index import forget_search, unlike
from sinks.sqlite.store import Store
from sinks.sqlite.tables import weigh
from sinks.sqlite.tail import Tail
from sinks.sqlite.tally import tally
from sinks.sqlite.values import micros, to_position, to_seq
from sinks.sqlite.writer import Writer

FAULTS_A_CHUNK = 100


class SqliteEngine:
    """Implements schemas.ports.Engine. Made by `open_engine`. A place is the position of who has just passed it."""

    is_one_order = True

    def __init__(self, folder: Path, clock: Clock, lock: FolderLock, store: Store, files: BlobFiles) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = lock
        self._names = store.names
        self._tables: Tables = store.tables
        self._files = files
        self._files_stay = asyncio.Lock()
        """Held while a file goes, and while a backup copies those that its rows tell of."""
        loop = asyncio.get_running_loop()
        self._tail = Tail(loop, store.head.seq)
        self.store = store
        self.readers = Readers(folder)
        self._ahead = Ahead(self._read_ahead)
        self._writer = Writer(store, Copying(folder), loop, self._on_head)
        self._writer.start()

    def _on_head(self, head: Head) -> None:
        self._tail.move(head.seq)

    async def commit(self, step: Step) -> None:
        for blob in step.blobs:
            check_name(blob)
        large = [blob for blob in step.blobs if len(blob.content) > LARGEST_ROW_BYTES]
        if large:
            await self.readers.do(self._write_files, large)
        try:
            await self.write(lambda store: self._apply(store, step))
        except BaseException:
            self._ahead.forget(step)
            raise

    def _apply(self, store: Store, step: Step) -> None:
        store.apply(step)
        self._ahead.begin(step)

    async def write(self, write: Callable[[Store], object]) -> None:
        """Runs a function in the thread that writes, in a savepoint; returns when it is durable.

        It may run a second time, after what the first run wrote was taken back.
        """
        await self._writer.write(write)

    def _write_files(self, blobs: Sequence[Blob]) -> None:
        with outages():
            for blob in blobs:
                self._files.write(blob.ref.sha256, blob.content)

    async def read(self, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
        asked = Asked(consumer, tuple(topics), limit)
        batch = await self._ahead.take(asked)
        if batch is None:
            batch = await self.readers.run(self._read, asked)
        self._ahead.was_read(asked, batch)
        return batch

    def _read(self, connection: apsw.Connection, asked: Asked) -> Batch:
        return self._read_from(connection, asked, position_of(connection, asked.consumer))

    def _read_ahead(self, asked: Asked, position: Position) -> Future[Batch] | None:
        return self.readers.begin(self._read_from, asked, to_seq(position))

    def _read_from(self, connection: apsw.Connection, asked: Asked, before: int) -> Batch:
        rows = read_rows(connection, self._names, asked.topics, before, asked.limit)
        records = [to_record(self._names, row) for row in rows]
        position = records[-1].position if records else to_position(before)
        return Batch(records, to_position(before), position)

    async def load(self, references: References) -> Found:
        return await self.readers.run(self._load, references)

    def _load(self, connection: apsw.Connection, references: References) -> Found:
        documents: dict[UUID, Document] = {}
        for kind, ids in references.documents.items():
            documents |= load_documents(connection, self._tables[kind], ids)
        return Found(
            handled=handled(connection, references.handled),
            threads=load_claims(connection, references.threads),
            documents=documents,
            entries=load_entries(connection, references.entries),
            numbers=case_numbers(connection, references.numbers),
        )

    async def scan(
        self, topics: Sequence[Topic], after: Position, limit: int, key: str | None = None
    ) -> list[Record]:
        return await self.readers.run(self._scan, topics, to_seq(after), limit, key)

    def _scan(
        self, connection: apsw.Connection, topics: Sequence[Topic], after: int, limit: int, key: str | None
    ) -> list[Record]:
        return [
            to_record(self._names, row)
            for row in read_rows(connection, self._names, topics, after, limit, key)
        ]

    async def position_at(self, moment: datetime) -> Position:
        return to_position(await self.readers.run(self._seq_before, micros(moment)))

    def _seq_before(self, connection: apsw.Connection, moment: int) -> int:
        return seq_before(connection, self._names, moment)

    async def record(self, place: Place) -> Record | None:
        return await self.readers.run(self._record, to_seq(place))

    def covers(self, position: Position, other: Place | Position) -> bool:
        return to_seq(position) >= to_seq(other)

    def _record(self, connection: apsw.Connection, seq: int) -> Record | None:
        row = read_row(connection, seq)
        return None if row is None else to_record(self._names, row)

    async def tail(self) -> Position:
        return to_position(self._tail.seq)

    async def wait(self, after: Position, timeout_seconds: float) -> bool:
        return await self._tail.wait(to_seq(after), timeout_seconds)

    async def positions(self) -> Mapping[str, Position]:
        return await self.readers.run(all_positions)

    async def lag(self, consumer: str, topics: Sequence[Topic]) -> int:
        return await self.readers.run(
            lambda connection: count_beyond(
                connection, self._names, topics, position_of(connection, consumer)
            )
        )

    async def find(self, query: Query) -> Page[Document]:
        return await self.readers.run(queries.find, self._tables[query.collection.document], query)

    async def count(self, query: Query) -> int:
        return await self.readers.run(queries.count, self._tables[query.collection.document], query)

    async def tally(self, queues: Sequence[str] | None, now: datetime) -> list[QueueCount]:
        return await self.readers.run(tally, queues, now)

    async def timeline(
        self,
        cases: Sequence[UUID] = (),
        handles: Sequence[UUID] = (),
        queues: Sequence[str] | None = None,
        channel: str | None = None,
        kinds: Sequence[EntryKind] = (),
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Entry]:
        selection = Selection(cases, handles, queues, channel, kinds)
        return await self.readers.run(timeline, selection, limit, after)

    async def search(
        self, words: str, queues: Sequence[str] | None = None, limit: int = 20, after: str | None = None
    ) -> Page[Hit]:
        return await self.readers.run(search, words, queues, limit, after)

    async def unlike(self, texts: Sequence[SearchText]) -> list[UUID]:
        return await self.readers.run(unlike, texts)

    async def forget_search(self) -> None:
        left: list[int] = [1]
        while left[0]:  # a part at a time, so that others write between
            await self._writer.write(lambda store: left.__setitem__(0, forget_search(store.connection)))

    async def outcomes(self, consumer: str, after: Place, limit: int) -> list[Outcome]:
        return await self.readers.run(read_outcomes, consumer, after, limit)

    async def blob(self, ref: BlobRef) -> bytes:
        return await self.readers.run(read_blob, self._files, ref)

    async def blob_parts(self, ref: BlobRef) -> AsyncIterator[bytes]:
        found = await self.readers.run(find_blob, self._files, ref)
        if isinstance(found, bytes):
            yield found
            return
        await self.readers.do(check_file, found, ref)
        with await self.readers.do(found.open, "rb") as file:
            while part := await self.readers.do(file.read, PART_BYTES):
                yield part

    async def put_blob(self, content: bytes, media_type: str) -> BlobRef:
        name = await self.readers.do(sha256, content)
        ref = BlobRef(sha256=name, size=len(content), media_type=media_type)
        await self.commit(Step(blobs=[Blob(ref, content)]))
        return ref

    async def remove_blob(self, ref: BlobRef) -> None:
        async with self._files_stay:
            await self.write(lambda store: remove_blob_row(store.connection, ref))
            await self.readers.do(self._files.remove, ref.sha256)

    async def backup(self, folder: str) -> None:
        async with self._files_stay:
            await asyncio.to_thread(make_backup, self.folder, Path(folder), self._clock.now())

    async def check(self) -> AsyncIterator[str]:
        with outages():
            connection = await asyncio.to_thread(open_reader, self.folder)
        try:
            connection.execute("BEGIN")
            found = faults(connection, self._names, self._tables, self._files)
            while chunk := await asyncio.to_thread(lambda: list(islice(found, FAULTS_A_CHUNK))):
                for fault in chunk:
                    yield fault
        finally:
            connection.close(True)

    async def expire(self) -> int:
        """Removes events that are past their topic's retention, a few at a time between other steps. Returns how many.

        Also looks anew at what the tables hold, by which SQLite chooses among their indexes.
        """
        await self.write(lambda store: weigh(store.connection, store.tables.values()))
        total, now = 0, self._clock.now()
        counts: list[int] = []
        while True:
            await self.write(lambda store: counts.append(expire(store.connection, store.names, now)))
            if not counts[-1]:
                return total
            total += counts[-1]

    async def close(self) -> None:
        """Writes what waits, then gives the folder free. Calling it again does nothing."""
        self._tail.close()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.readers.close()
        self._writer.close()
        self._lock.release()


async def open_engine(folder: Path, *, clock: Clock) -> SqliteEngine:
    """Opens the data folder, makes it when it is not there, and brings an older file up to date.

    Raises FolderInUse when another process has it, NewerFile or Damaged when the file cannot be used, else Outage.
    """
    lock = FolderLock(folder)
    files = BlobFiles(folder)
    try:
        store = await asyncio.to_thread(_open_store, folder, lock, files)
    except BaseException:
        lock.release()
        raise
    return SqliteEngine(folder, clock, lock, store, files)


def _open_store(folder: Path, lock: FolderLock, files: BlobFiles) -> Store:
    with outages():
        make_folder(folder)  # it holds what customers write
        lock.acquire()
        files.prepare()
        connection = open_writer(folder)
        try:
            by_name = migrate(connection, COLLECTIONS)
            tables = {document: by_name[collection.name] for document, collection in BY_DOCUMENT.items()}
            weigh(connection, by_name.values())
            sync_folder(folder)  # the name of a new file is durable before anything in it is
            return Store(connection, tables, Names(connection), read_head(connection))
        except BaseException:
            connection.close()
            raise
