"""Spools items while its writes are recorded (tests/sinks/sqlite/power): each is marked when its source is told that it is kept, and
when the log has it.

Arguments: the folder, the number of items, and what to weaken: nothing, or the value of SQLite's `synchronous`.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

from schemas.errors import Outage
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import Blob, Found, References, Step
from sinks.spool import file, spool
from sinks.spool.settings import SpoolSettings
from sinks.spool.spool import Spool
from tests.contracts.samples import FixedClock, received

CONVERSATIONS = 4
ON_THE_LOG = 1_000_000
"""Marks from here on say that the log has an item: this and its number."""
CHECKPOINT_PAGES = 30
SHRINK_BYTES = 200_000
PAUSE_SECONDS = 0.002
ITEMS_AN_OUTAGE = 5 * CONVERSATIONS


def item(number: int) -> Step:
    """The items of a conversation are CONVERSATIONS apart."""
    content = f"original {number} ".encode() * (number * 37 % 600)
    blobs = [Blob(BlobRef(sha256=sha256(content), size=len(content)), content)]
    return Step(events=[received(number, f"thread-{number % CONVERSATIONS}")], blobs=blobs)


class ComesAndGoes:
    """A log that is down, but for one batch each time that it comes."""

    def __init__(self, numbers: Mapping[UUID, int], mark: Callable[[int], None]) -> None:
        self._numbers = numbers
        self._mark = mark
        self._is_down = True
        self._took = asyncio.Event()

    async def commit(self, step: Step) -> None:
        await asyncio.sleep(0)
        if self._is_down:
            raise Outage("kafka: down")
        for each in step.events:
            self._mark(ON_THE_LOG + self._numbers[each.id])
        self._is_down = True
        self._took.set()

    async def load(self, references: References) -> Found:
        return Found(asked=references)

    async def comes(self) -> None:
        """Returns when it took something."""
        self._is_down = False
        self._took.clear()
        await self._took.wait()


async def main(folder: Path, items: int, weakened: str) -> None:
    mark = ctypes.CDLL(None).power_acknowledge
    mark.argtypes = [ctypes.c_uint64]
    numbers = {item(number).events[0].id: number for number in range(items)}
    vars(file)["SHRINK_BYTES"] = SHRINK_BYTES
    vars(spool)["FIRST_PAUSE_SECONDS"] = vars(spool)["LONGEST_PAUSE_SECONDS"] = PAUSE_SECONDS
    if weakened != "nothing":
        vars(file)["SYNCHRONOUS"] = weakened
    log = ComesAndGoes(numbers, mark)
    keeper = Spool(log, SpoolSettings(folder=folder / "spool", after_seconds=1), FixedClock())
    await keeper.start()
    opened = keeper._file
    assert opened
    await opened._run(lambda: opened._connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES))

    async def conversation(first: int) -> None:
        for number in range(first, items, CONVERSATIONS):
            await keeper.commit(item(number))
            mark(number)
            if first == 0 and number % ITEMS_AN_OUTAGE == 0:
                await log.comes()

    await asyncio.gather(*(conversation(first) for first in range(CONVERSATIONS)))
    os._exit(0)  # without closing, as a power cut would


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
