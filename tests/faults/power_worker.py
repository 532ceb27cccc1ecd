"""A whole hub at work while its writes are recorded (tests/sinks/sqlite/power): every answer and every arrival is marked.

Argument: the folder, in which `data` is recorded. Beside it: the mails that arrived, and the ledger after each answer.
"""

import asyncio
import ctypes
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from sinks.sqlite import writer
from tests.e2e.whole_hub import Clock, World, work

ARRIVAL = 1_000_000
"""Marks from here on are arrivals: this and the number of the mail."""


def recorder() -> Any:
    """Marks a moment in the recording."""
    mark = ctypes.CDLL(None).power_acknowledge
    mark.argtypes = [ctypes.c_uint64]
    return mark


class MarkedMailbox(Mailbox):
    async def keep(self, sender: str, recipients: Any, content: bytes, received_at: datetime) -> int:
        number = await super().keep(sender, recipients, content, received_at)
        recorder()(ARRIVAL + number)
        return number


async def main(folder: Path) -> None:
    vars(writer)["CHECKPOINT_PAGES"] = 30
    mark = recorder()
    relay = StandinServer(MarkedMailbox(folder / "mailbox.sqlite"), Clock())
    await relay.start()
    world, answers = World(folder, relay), 0

    def told() -> None:
        nonlocal answers
        answers += 1
        (folder / f"ledger-{answers}.json").write_text(world.ledger.to_json())
        mark(answers)

    async with world.hub() as hub:
        await work(hub, told)
        os._exit(0)  # without closing, as a power cut would


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
