"""Writes to an engine while its writes are recorded, and acknowledges each step that was committed.

Arguments: the data folder, the number of steps, and what to weaken: nothing, or `synchronous=VALUE`, or `blobs`.
"""

import asyncio
import ctypes
import os
import sys
from pathlib import Path

from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import Blob, SearchText, Step
from sinks.sqlite import blobs, connection, writer
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.contracts.samples import FixedClock, case, entry, minutes, name, received

TASKS = 4
BLOB_EVERY = 5


def content(number: int) -> bytes:
    """A blob that is too large for a row."""
    return f"blob {number} ".encode() * 9000


def step(number: int) -> Step:
    label = str(number)
    step = Step(
        events=[received(number, f"thread-{number}", text="x" * (number * 37 % 1500))],
        claims={f"thread:{number}": name("case", label)},
        documents=[(case(label), 0)],
        entries=[entry(number, label)],
        search=[
            SearchText(entry(number).id, name("case", label), "", "", "", f"word{number}", minutes(number))
        ],
    )
    if number % BLOB_EVERY == 0:
        ref = BlobRef(sha256=sha256(content(number)), size=len(content(number)))
        step.blobs.append(Blob(ref, content(number)))
    return step


async def work(engine: SqliteEngine, first: int, steps: int) -> None:
    acknowledge = ctypes.CDLL(None).power_acknowledge
    acknowledge.argtypes = [ctypes.c_uint64]
    for number in range(first, steps, TASKS):
        await engine.commit(step(number))
        acknowledge(number)


async def main(folder: Path, steps: int, weakened: str) -> None:
    vars(writer)["CHECKPOINT_PAGES"] = 60  # so that a short run sees many
    if weakened.startswith("synchronous="):
        vars(connection)["SYNCHRONOUS"] = weakened.partition("=")[2]
    if weakened == "blobs":
        vars(blobs)["os"] = _Careless()
    engine = await open_engine(folder, clock=FixedClock())
    await asyncio.gather(*(work(engine, first, steps) for first in range(TASKS)))
    os._exit(0)  # without closing, as a power cut would


class _Careless:
    """The module os, but for fsync."""

    def fsync(self, descriptor: int) -> None:
        """Does nothing."""

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
