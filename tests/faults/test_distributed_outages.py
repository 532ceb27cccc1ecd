"""Broker and database killed, stalled and cut off under load: the hub waits or says no, goes on by itself, and loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from tests.faults.fleet import FRONT, WHOLE, WORKER, Fleet, concluded, fleet
from tests.faults.machines import BROKER, DATABASE

pytestmark = [
    pytest.mark.faults,
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.timeout(3600),
]
FAULTS_AN_OUTAGE = 8
"""An outage takes as long as so many kills."""
STALL_SECONDS = 30.0
LONGEST_OUTAGE_SECONDS = 6.0
SPLIT = {"front": FRONT, "one": (*WORKER, "one"), "two": (*WORKER, "two")}

Fault = Callable[[Fleet, Random], Awaitable[None]]


async def kill(made: Fleet, chance: Random) -> None:
    name = chance.choice([BROKER, DATABASE])
    made.machines.kill(name)
    made.tell(f"kill -9 of {name}")
    await asyncio.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
    await asyncio.to_thread(made.machines.start, name)
    made.tell(f"{name} started again")


async def stall(made: Fleet, chance: Random) -> None:
    """The process stands still, its connections stay."""
    name = chance.choice([BROKER, DATABASE])
    made.machines.stall(name)
    made.tell(f"{name} stands still")
    await asyncio.sleep(chance.uniform(1, LONGEST_OUTAGE_SECONDS))
    made.machines.go_on(name)
    made.tell(f"{name} goes on")


async def cut(made: Fleet, chance: Random) -> None:
    name = chance.choice([BROKER, DATABASE])
    made.machines.proxies[name].cut()
    made.tell(f"the network to {name} is cut")
    await asyncio.sleep(chance.uniform(0, LONGEST_OUTAGE_SECONDS))
    made.machines.proxies[name].mend()
    made.tell(f"the network to {name} is mended")


async def stall_of_the_network(made: Fleet, name: str, seconds: float) -> None:
    made.machines.proxies[name].stall()
    made.tell(f"nothing passes to {name} for {seconds:.0f} s")
    await asyncio.sleep(seconds)
    made.machines.proxies[name].flow()


async def slow(made: Fleet, chance: Random) -> None:
    """Every piece of the network's takes its time."""
    name = chance.choice([BROKER, DATABASE])
    made.machines.proxies[name].delay_seconds = 0.2
    made.tell(f"the network to {name} is slow")
    await asyncio.sleep(chance.uniform(1, LONGEST_OUTAGE_SECONDS))
    made.machines.proxies[name].delay_seconds = 0.0


@pytest.mark.parametrize("processes", [{"hub": WHOLE}, SPLIT], ids=["one process", "front and workers"])
async def test_nothing_is_lost_or_doubled_by_kills_and_stalls_of_the_servers(
    tmp_path: Path, seed: int, fault_count: int, processes: dict[str, tuple[str, ...]]
) -> None:
    chance = Random(seed)
    async with fleet(tmp_path, seed, processes) as made:
        for _ in range(max(2, fault_count // FAULTS_AN_OUTAGE)):
            await made.loaded()
            await chance.choice([kill, stall])(made, chance)
            if chance.random() < 0.5:  # and a process of the hub with it
                made.kill_one(chance)
        await concluded(made)


async def test_nothing_is_lost_or_doubled_where_the_network_is_cut_or_stands_still(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    chance = Random(seed)
    async with fleet(tmp_path, seed, SPLIT, behind_proxies=True) as made:
        for _ in range(max(2, fault_count // FAULTS_AN_OUTAGE)):
            await made.loaded()
            await chance.choice([cut, slow])(made, chance)
        for name in (BROKER, DATABASE):
            await made.loaded()
            await stall_of_the_network(made, name, STALL_SECONDS)
        await made.loaded()
        await concluded(made)
