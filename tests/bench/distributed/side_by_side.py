"""Beside other frameworks on the same topic: events a second, and events lost when the process is killed and started again.

The frameworks come from PyPI into an environment that is thrown away. They do the small work of `peers`; the hub does all that it
does: identity, routing, cases, timelines, automations, search.
"""

import asyncio
import re
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from schemas.topics import Topic
from tests.bench.distributed.ground import PARTITIONS, Ground, ground
from tests.bench.distributed.workers import prepared, settings
from tests.bench.measuring import Figure
from tests.support.paths import ROOT
from tests.support.process import HUBBUB, running

PACKAGES = ("faust-streaming", "faststream[kafka]", "quixstreams", "motor", "pymongo")
PEERS = {"faust": "faust_way", "faststream": "faststream_way", "quix": "quix_way"}
KILLS = 3
FIRST_SECONDS, STILL_SECONDS, LOOK_SECONDS = 90.0, 90.0, 0.1
"""So long nothing may happen before the first event, and after one. A group waits for a member that was killed: 45 s as librdkafka
is set, 60 s as Faust is; what comes after that is not lost."""

Count = Callable[[], Awaitable[int]]


async def environment(folder: Path) -> Path:
    """An interpreter with the frameworks."""
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *PACKAGES],
    ):
        process = await asyncio.create_subprocess_exec(*command)
        if await process.wait():
            raise RuntimeError(f"{command} failed")
    return folder / "bin" / "python"


async def versions(python: Path) -> dict[str, str]:
    process = await asyncio.create_subprocess_exec(
        str(python), "-m", "pip", "freeze", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    wanted = {re.sub(r"\[.*", "", each) for each in PACKAGES}
    lines = [line.partition("==") for line in said.decode().splitlines()]
    return {name: version for name, _, version in lines if name.lower() in wanted}


class Life:
    """A process that is started, killed, and started again."""

    def __init__(self, command: Sequence[str], count: Count, kept: Count, expected: int) -> None:
        """`count` is quick, `kept` is right."""
        self._command = command
        self._count = count
        self._kept = kept
        self._expected = expected

    async def undisturbed(self) -> float:
        """Events a second, from the first to the last."""
        async with running(*self._command) as run:
            first = await self._until(1, FIRST_SECONDS)
            began = time.perf_counter()
            last = await self._until(self._expected, STILL_SECONDS)
            wall = time.perf_counter() - began
            assert last > first, run.lines[-6:]
        return (last - first) / wall

    async def killed(self, chance: Random) -> int:
        """How many are missing in the end."""
        for number in range(KILLS):
            async with running(*self._command):  # ends by SIGKILL
                await self._until(self._expected * (2 * number + 1) // (2 * KILLS), STILL_SECONDS)
                await asyncio.sleep(chance.uniform(0, 0.2))
        async with running(*self._command):
            done = await self._until(self._expected, STILL_SECONDS, self._kept)
        return self._expected - done

    async def _until(self, wanted: int, still_seconds: float, look: Count | None = None) -> int:
        """Until so many are done, or nothing is done any more."""
        count = look or self._count
        done, moved = await count(), time.perf_counter()
        while done < wanted and time.perf_counter() - moved < still_seconds:
            await asyncio.sleep(LOOK_SECONDS)
            now = await count()
            if now != done:
                done, moved = now, time.perf_counter()
        return done


async def _peer(on: Ground, python: Path, script: str, count: int, seed: int) -> Figure:
    path = ROOT / "tests" / "bench" / "distributed" / "peers" / f"{script}.py"
    figures: list[float] = []
    for is_killed in (False, True):
        installation = on.installation()
        await installation.make_topics()
        await installation.fill(count)
        out = f"{installation.prefix}out"
        admin = AIOKafkaAdminClient(bootstrap_servers=installation.servers)
        await admin.start()
        await admin.create_topics([NewTopic(out, PARTITIONS, 1)])
        await admin.close()
        topic = f"{installation.prefix}{Topic.INTERACTIONS}"
        command = (
            str(python),
            str(path),
            installation.servers[0],
            topic,
            out,
            installation.store,
            f"{installation.prefix}{script}",
        )
        client: MongoClient[Any] = MongoClient(installation.store)
        kept = client.get_default_database().kept

        async def counted(kept: Any = kept) -> int:
            return int(await asyncio.to_thread(kept.count_documents, {}))

        async def whole(kept: Any = kept) -> int:
            """By what is in them: nx-27017 now and then keeps a document twice, once under an id of its own."""
            found = await asyncio.to_thread(list, kept.find({}, {"body": 1}))
            return len({each["body"]["external_id"] for each in found})

        life = Life(command, counted, whole, count)
        figures.append(await (life.killed(Random(seed)) if is_killed else life.undisturbed()))
        client.close()
    return {
        "events_per_second": round(figures[0], 1),
        "lost": int(figures[1]),
        "kills": KILLS,
        "events": count,
    }


async def _ours(on: Ground, folder: Path, count: int, seed: int) -> Figure:
    figures: list[float] = []
    for is_killed in (False, True):
        installation = on.installation()
        path = settings(folder / f"ours-{is_killed}", installation)
        await prepared(path, installation, count)
        command = (HUBBUB, "worker", "--name", "ours", "--config", str(path))
        client: MongoClient[Any] = MongoClient(installation.store)
        entries = client.get_default_database().entries

        async def counted(entries: Any = entries) -> int:
            return int(await asyncio.to_thread(entries.count_documents, {"kind": "message"}))

        life = Life(command, counted, counted, count)
        figures.append(await (life.killed(Random(seed)) if is_killed else life.undisturbed()))
        client.close()
    return {
        "events_per_second": round(figures[0], 1),
        "lost": int(figures[1]),
        "kills": KILLS,
        "events": count,
    }


def measure(folder: Path, count: int, seed: int = 1) -> Figure:
    with ground(folder) as on:
        return asyncio.run(_measure(on, folder, count, seed))


async def _measure(on: Ground, folder: Path, count: int, seed: int) -> Figure:
    python = await environment(folder / "peers")
    figure: Figure = {"database": on.says, "versions": await versions(python)}
    figure["hubbub"] = await _ours(on, folder, count, seed)
    for name, script in PEERS.items():
        try:
            figure[name] = await _peer(on, python, script, count, seed)
        except AssertionError as failed:  # the others are worth telling
            figure[name] = f"did not work: {failed}"[-600:]
    return figure
