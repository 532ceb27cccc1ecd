"""What changes while a hub of several processes works: workers come and go, clocks jump, a disk is full, a cluster loses its leader."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from sinks.kafka.address import parse_address
from tests.faults.fleet import FRONT, WORKER, Fleet, concluded, fleet
from tests.faults.machines import BROKER, DATABASE, Machines

pytestmark = [
    pytest.mark.faults,
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.timeout(3600),
]
CHANGES_A_FAULT = 5
LONGEST_PAUSE_SECONDS = 4.0
WORKERS = ("one", "two", "three", "four")
SPLIT = {"front": FRONT, "one": (*WORKER, "one"), "two": (*WORKER, "two")}
DISK_BYTES = 96 * 1024 * 1024
FULL_SECONDS = 8.0


async def test_nothing_is_lost_or_doubled_while_workers_come_and_go(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    """Each makes the group divide the partitions anew, in mid-batch."""
    chance = Random(seed)
    async with fleet(tmp_path, seed, SPLIT) as made:
        for _ in range(max(3, fault_count // CHANGES_A_FAULT)):
            await made.loaded()
            await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
            await come_or_go(made, chance)
        await concluded(made)


async def come_or_go(made: Fleet, chance: Random) -> None:
    there = [name for name, each in made.kept.items() if name in WORKERS and not each.is_over]
    away = [name for name in WORKERS if name not in there]
    if away and (len(there) == 1 or chance.random() < 0.5):
        name = chance.choice(away)
        made.keep(name, (*WORKER, name))
        made.tell(f"worker {name} comes")
        return
    name = chance.choice(there)
    await made.all_up()
    code = await made.dismiss(name)
    made.tell(f"worker {name} goes")
    assert code == 0, made.kept[name].said[-20:]


async def test_nothing_is_lost_or_doubled_where_clocks_jump(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    chance = Random(seed)
    async with fleet(tmp_path, seed, SPLIT) as made:
        for _ in range(max(3, fault_count // CHANGES_A_FAULT)):
            await made.loaded()
            await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
            made.turn_clock(chance.choice(("one", "two")), chance.choice((-45, -12, 12, 45)))
            if chance.random() < 0.3:
                made.kill_one(chance)
        for name in ("one", "two"):
            made.turn_clock(name, 0)
        await concluded(made)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own for this folder; skips where none can be mounted."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk takes the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all that is left."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65_536)
    return ballast


async def test_nothing_is_lost_or_doubled_while_the_databases_disk_is_full(tmp_path: Path, seed: int) -> None:
    with small_disk(tmp_path / "servers" / DATABASE) as disk:
        async with fleet(tmp_path, seed, SPLIT) as made:
            for _ in range(2):
                await made.loaded(3)
                ballast = await asyncio.to_thread(fill, disk)
                made.tell("the database's disk is full")
                await asyncio.sleep(FULL_SECONDS)
                await asyncio.to_thread(ballast.unlink)
                made.tell("there is room again")
            await made.loaded(3)
            await concluded(made)


async def test_nothing_is_lost_or_doubled_while_the_brokers_disk_is_full(tmp_path: Path, seed: int) -> None:
    """A broker whose disk is full ends; somebody makes room and starts it."""
    with small_disk(tmp_path / "servers" / BROKER) as disk:
        async with fleet(tmp_path, seed, SPLIT) as made:
            await made.loaded(3)
            ballast = await asyncio.to_thread(fill, disk)
            made.tell("the broker's disk is full")
            await asyncio.sleep(FULL_SECONDS)
            made.machines.kill(BROKER)
            await asyncio.to_thread(ballast.unlink)
            await asyncio.to_thread(made.machines.start, BROKER)
            made.tell("there is room again, and the broker is started")
            await made.loaded(3)
            await concluded(made)


async def leader(machines: Machines) -> int:
    """The broker that leads the partition of interactions that everybody writes to first."""
    address = parse_address(machines.settings["log"])
    admin = AIOKafkaAdminClient(bootstrap_servers=list(address.servers))
    await admin.start()
    try:
        (topic,) = await admin.describe_topics([f"{address.prefix}interactions"])
    finally:
        await admin.close()
    return int(topic["partitions"][0]["leader"])


async def test_nothing_is_lost_or_doubled_when_a_cluster_loses_its_leader(
    tmp_path: Path, seed: int, fault_count: int
) -> None:
    chance = Random(seed)
    async with fleet(tmp_path, seed, SPLIT, brokers=3) as made:
        cluster = made.machines.cluster
        assert cluster is not None
        for _ in range(max(2, fault_count // 8)):
            await made.loaded(2)
            node = await leader(made.machines)
            cluster.kill(node)
            made.tell("kill -9 of the leading broker")
            await made.loaded(2)  # two are enough
            await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_SECONDS))
            await asyncio.to_thread(cluster.start, node)
        await concluded(made)
