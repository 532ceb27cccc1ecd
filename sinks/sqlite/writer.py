"""The one thread that writes. What waits is written as a group: one transaction, one fsync, a savepoint for each job.

A group starts at once when the thread is idle; while it is written, the next one gathers. So nothing waits for a timer,
and a group is as large as the fsync of the one before was slow. All jobs of a group are written in one savepoint; only where
one of them fails is each written again in its own. The loop is woken once a group, not once a job.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import apsw

from schemas.crash import crash_point
from schemas.errors import Outage
from sinks.sqlite.connection import CHECKPOINT_PAGES
from sinks.sqlite.copying import Copying
from sinks.sqlite.errors import as_outage
from sinks.sqlite.log import Head
from sinks.sqlite.store import Store

MOST_IN_A_GROUP = 1000
FATAL = (
    apsw.FullError,
    apsw.IOError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.ProtocolError,
)
"""Faults of the disk, not of one step: the whole group is taken back."""
IMPATIENT_PAGES = 8 * CHECKPOINT_PAGES
IMPATIENT_MILLISECONDS = 100


@dataclass(slots=True)
class Job:
    """Something to be written. `done` is resolved after the fsync, with an error when nothing of it was written.

    `write` may be called a second time, after what the first call wrote was taken back.
    """

    write: Callable[[Store], object]
    done: "asyncio.Future[None]"


class Writer:
    """Owns the store. `told` is called on the loop with each new durable head, before those who wrote it are answered."""

    def __init__(
        self, store: Store, copying: Copying, loop: asyncio.AbstractEventLoop, told: Callable[[Head], None]
    ) -> None:
        self._store = store
        self._copying = copying
        self._loop = loop
        self._told = told
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._broken: BaseException | None = None
        self._gate = threading.Lock()
        """Between looking whether it is closed and queueing, so that no job is left behind the last one."""
        self._closed = False
        self._wal_pages = 0
        self._thread = threading.Thread(target=self._run, name="hubbub-sqlite-writer", daemon=True)
        store.connection.set_wal_hook(self._on_wal)

    def start(self) -> None:
        self._thread.start()

    async def write(self, write: Callable[[Store], object]) -> None:
        """Returns when it is durable. Who is cancelled does not know whether it was written."""
        job = Job(write, self._loop.create_future())
        with self._gate:
            if self._closed:
                raise Outage(
                    f"the engine stopped, restart the hub: {self._broken!r}"
                    if self._broken
                    else "the engine is closed"
                )
            self._jobs.put(job)
        await job.done

    def close(self) -> None:
        """Writes what waits, copies the write-ahead log into the file, and ends. Blocks; call it off the loop."""
        with self._gate:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _on_wal(self, connection: apsw.Connection, database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _run(self) -> None:
        closing = False
        while not closing:
            jobs, closing = self._take()
            try:
                if jobs:
                    self._write_group(jobs)
                self._checkpoint()
            except BaseException as error:  # noqa: BLE001  the thread ends as a process would; everybody is told
                self._broken = error
                self._end(jobs)
                return
        self._close()

    def _close(self, force: bool = False) -> None:
        self._copying.close()
        self._store.connection.close(force)
        self._copying.release()

    def _take(self) -> tuple[list[Job], bool]:
        """The jobs that wait, at least one; and whether this is the end."""
        jobs: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == MOST_IN_A_GROUP:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return jobs, False
        return jobs, True

    def _write_group(self, jobs: list[Job]) -> None:
        crash_point("engine.before-transaction")
        store, before = self._store, self._store.head
        jobs = [job for job in jobs if not job.done.cancelled()]
        try:
            store.connection.execute("BEGIN IMMEDIATE")
            failures = self._write_all(jobs)
            store.finish(before)
            crash_point("engine.before-commit")
            store.connection.execute("COMMIT")
        except FATAL as error:
            # SQLite may have rolled back by itself. A commit whose fsync failed is overwritten by the next one, unless the
            # process ends first: then it may be there after all, and derived ids make doing it again harmless.
            if store.connection.in_transaction:
                store.connection.execute("ROLLBACK")
            store.roll_back_to(before)
            outage = as_outage(error)
            self._answer(jobs, [outage or error] * len(jobs))
            return
        crash_point("engine.after-commit")
        self._answer(jobs, failures, store.head if store.head != before else None)

    def _write_all(self, jobs: Sequence[Job]) -> Sequence[Exception | None]:
        """What became of each job: written, or why nothing of it is."""
        failure = self._written(jobs)
        if failure is None or len(jobs) == 1:
            return [failure] * len(jobs)
        return [self._written([job]) for job in jobs]

    def _written(self, jobs: Sequence[Job]) -> Exception | None:
        """Writes these jobs, or nothing of them and returns why."""
        store, before = self._store, self._store.head
        store.connection.execute("SAVEPOINT step")
        try:
            for job in jobs:
                job.write(store)
        except FATAL:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to who asked, and the others go on
            store.connection.execute("ROLLBACK TO step")
            store.connection.execute("RELEASE step")
            store.roll_back_to(before)
            return error
        store.connection.execute("RELEASE step")
        return None

    def _answer(
        self, jobs: Sequence[Job], failures: Sequence[BaseException | None], head: Head | None = None
    ) -> None:
        if not self._loop.is_closed():  # nobody waits on it any more
            self._loop.call_soon_threadsafe(self._answered, jobs, failures, head)

    def _answered(
        self, jobs: Sequence[Job], failures: Sequence[BaseException | None], head: Head | None
    ) -> None:
        if head is not None:
            self._told(head)
        for job, failure in zip(jobs, failures, strict=True):
            if job.done.done():  # who waited was cancelled
                continue
            if failure is None:
                job.done.set_result(None)
            else:
                job.done.set_exception(failure)

    def _checkpoint(self) -> None:
        """What came while the rest was copied, after the answers. Readers that never pause make it insist for a moment."""
        if self._wal_pages < CHECKPOINT_PAGES or not self._copying.is_done():
            return
        crash_point("engine.before-checkpoint")
        connection = self._store.connection
        try:
            if self._wal_pages < IMPATIENT_PAGES:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            else:
                connection.set_busy_timeout(IMPATIENT_MILLISECONDS)
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        except FATAL:
            return  # what is in the write-ahead log is durable; the next checkpoint tries again
        self._wal_pages = 0
        self._copying.forget()

    def _end(self, jobs: list[Job]) -> None:
        """The thread died: take back what is open and fail everything that waits or comes."""
        with self._gate:
            self._closed = True
        self._close(force=True)
        left = list(jobs)
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is not None:
                left.append(job)
        broken = self._broken or Outage("the engine is closed")
        self._answer(left, [broken] * len(left))
