"""One move: looks, copies, compares, proves, and says where the company is now."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.moving.checkpoint import FILE, Checkpoint, forget
from hub.moving.comparing import Comparing
from hub.moving.copying import Consumers, Copying
from hub.moving.moved import say_moved
from hub.verify import Verification
from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as CASES_TOPICS
from schemas.crash import crash_point
from schemas.errors import Refused, Unknown
from schemas.ports import Clock, Engine
from schemas.topics import Topic
from sinks.distributed.engine import Access, DistributedEngine, open_distributed
from sinks.distributed.importing import DONE, Importer
from sinks.kafka.address import parse_address
from sinks.kafka.topics import Change, Planned, TopicAdmin
from sinks.outbound import CONSUMER as OUTBOUND
from sinks.sqlite.connection import FILE as HUB_FILE
from sinks.sqlite.engine import open_engine

CONSUMERS: Consumers = {
    CASES: CASES_TOPICS,
    "automation": (Topic.CASES,),
    OUTBOUND: (Topic.OUTBOUND,),
    "search": (Topic.CASES,),
}
"""What each consumer reads; of one that is not in here all topics count."""
MOST_FAULTS = 20


@dataclass(frozen=True)
class Where:
    """From a data folder to a log and a store."""

    folder: Path
    log: str
    store: str
    access: Access


@dataclass(frozen=True)
class Looked:
    """What a move would do."""

    topics: list[Planned]
    is_resumed: bool
    held: list[str]


class Failed(Refused):
    """What was moved is not what it was; `faults` says where."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            f"{len(faults)} faults: what was moved is not whole; the old data folder is as it was"
        )
        self.faults = faults


class Move:
    """Of one company. The source is held by this process from `opened` on, so that no hub runs on it."""

    def __init__(
        self, where: Where, clock: Clock, told: Callable[[str, int], None], keep_sessions: bool
    ) -> None:
        self._where = where
        self._clock = clock
        self._told = told
        self._keep_sessions = keep_sessions

    async def look(self) -> Looked:
        """What would be done; nothing is changed. Raises Refused where it cannot be: a target that is not empty, a hub that runs."""
        where = self._where
        if not (where.folder / HUB_FILE).is_file():
            raise Unknown(f"{where.folder} holds no company: there is no {HUB_FILE}")
        async with TopicAdmin(parse_address(where.log, where.access.kafka)) as admin:
            planned = await admin.plan()
        missing = [each for each in planned if each.change is Change.CREATE]
        is_resumed = (where.folder / FILE).exists()
        async with self._source():
            pass  # nobody else has it
        if len(missing) == len(Topic):
            return Looked(planned, is_resumed, [])
        if missing:
            names = ", ".join(each.name for each in missing)
            raise Refused(
                f"some topics are there and some are not ({names}): run `hubbub topics apply` first"
            )
        async with self._target() as target:
            importer = Importer(target)
            mark = await importer.mark()
            if mark is not None and mark["state"] == DONE:
                raise Refused("a company was moved to this store before; name another database and prefix")
            held = [] if mark is not None and is_resumed else await importer.what_is_there()
        if held:
            told = "; ".join(held[:5])
            raise Refused(
                f"the target is not empty ({told}): name another prefix and database, or empty them"
            )
        return Looked(planned, is_resumed, held)

    async def run(self) -> list[str]:
        """Copies, compares and proves; may be run again where it was cut off. Returns what the source has no more.

        Raises Failed with all that is not as it was.
        """
        where = self._where
        looked = await self.look()
        async with TopicAdmin(parse_address(where.log, where.access.kafka)) as admin:
            await admin.apply([each for each in looked.topics if each.change is Change.CREATE])
        async with self._source() as source, self._target() as target:
            importer = Importer(target)
            if await importer.mark() is None:
                forget(where.folder)  # of a move to somewhere else
            checkpoint = Checkpoint(where.folder)
            try:
                await importer.begin(checkpoint.move, self._clock.now())
                crash_point("move.after-mark")
                copying = Copying(source, importer, checkpoint, CONSUMERS, self._keep_sessions, self._told)
                await copying.run()
                faults = [
                    each
                    async for each in self._faults(
                        Comparing(source, target, importer, checkpoint, copying, self._told), target
                    )
                ]
                if faults:
                    raise Failed(faults)
                # First: from here on no hub starts on the old folder by mistake.
                say_moved(where.folder, where.log, _text(self._clock.now()))
                crash_point("move.before-end")
                await importer.end(self._clock.now())
            finally:
                checkpoint.close()
            return copying.missing_blobs

    async def _faults(self, comparing: Comparing, target: Engine) -> AsyncIterator[str]:
        count = 0
        async for fault in comparing.faults():
            yield fault
            count += 1
            if count == MOST_FAULTS:
                return
        async for found in Verification(target).faults():
            yield f"{found.promise}: {found.subject or '-'}: {found.what}"

    @asynccontextmanager
    async def _source(self) -> AsyncIterator[Engine]:
        engine = await open_engine(self._where.folder, clock=self._clock)
        try:
            yield engine
        finally:
            await engine.close()

    @asynccontextmanager
    async def _target(self) -> AsyncIterator[DistributedEngine]:
        where = self._where
        engine = await open_distributed(
            where.log, where.store, clock=self._clock, access=where.access, is_moving=True
        )
        try:
            yield engine
        finally:
            await engine.close()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
