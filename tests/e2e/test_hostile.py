"""A hub among hostile peers: others are served, memory and files stay bounded, and each item ends with a reason."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.engines import BOTH, SERVERS, settings_of
from tests.e2e.hostile_hub import (
    Bystanders,
    Deed,
    Process,
    Said,
    attacked_hub,
    bystanders,
    fates,
    files_address,
    port_of,
    send_mail,
    send_small,
    slowest,
    verified,
)
from tests.e2e.hostile_items import large_mails
from tests.e2e.hostile_peers import at_work, flooded, slow_ones
from tests.e2e.hubs import HubProcess
from tests.support.waiting import eventually

PEAK_MEGABYTES = 600
"""One mail of 50 MB at a time, besides 30 customers a second and all connections that the settings allow."""
PEAK_MEGABYTES_OF_SMALL_ITEMS = 250
FILES_AT_MOST = 2500
"""The console's 2,000 connections, 500 for SMTP, intake and files less: so many are held while one of them is flooded."""
SPARE_FILES = 20
"""More than before, for connections of the database and of those who look."""
BEARABLE_SECONDS = 3.0
BEARABLE_SECONDS_ON_SERVERS = 10.0
"""Two servers more share the processors."""
TIMES_SLOWER = 30
"""Two busy processors are shared by the hub, its attackers and its customers."""


@dataclass(frozen=True)
class Effort:
    connections: int
    seconds: float
    slow_ones: int
    is_large: bool
    bearable_seconds: float = BEARABLE_SECONDS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", BOTH)
async def test_hostile_peers_and_items_leave_others_served(tmp_path: Path, engine: str) -> None:
    """On the servers for less long: what is taken meanwhile costs them more."""
    effort = Effort(connections=1500, seconds=1, slow_ones=5, is_large=False)
    if engine == SERVERS:
        effort = Effort(600, 0.2, slow_ones=2, is_large=False, bearable_seconds=BEARABLE_SECONDS_ON_SERVERS)
    await attack(tmp_path, effort, await settings_of(engine))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", BOTH)
async def test_ten_thousand_connections_and_fifty_megabytes_leave_others_served(
    tmp_path: Path, engine: str
) -> None:
    effort = Effort(10_000, seconds=8, slow_ones=30, is_large=True)
    if engine == SERVERS:
        effort = Effort(
            10_000, 0.5, slow_ones=15, is_large=True, bearable_seconds=BEARABLE_SECONDS_ON_SERVERS
        )
    await attack(tmp_path, effort, await settings_of(engine))


async def attack(folder: Path, effort: Effort, settings: Mapping[str, Any] | None = None) -> None:
    async with attacked_hub(folder, settings) as hub:
        process = Process(hub.run.process.pid)
        async with bystanders(hub) as others:
            files = process.open_files()
            quiet = slowest(await others.watched(effort.seconds))
            for name, phase in phases(hub, effort).items():
                since = time.monotonic()
                await phase(others)
                served(name, quiet, await others.done(since, time.monotonic()), process, effort)
            said = Said()
            since = time.monotonic()
            await send_small(hub, said)
            if effort.is_large:
                for name, raw in large_mails():
                    await send_mail(hub, name, raw, said)
            served("items", quiet, await others.done(since, time.monotonic()), process, effort)
            taken = [each.item for each in others.deeds() if each.item]
        await eventually(lambda: process.open_files() <= files + SPARE_FILES, 60)
        await hub.settled(120)
        await explained(hub, said)
        print(await verified(hub, [*taken, *said.items.values()], folder))
        assert process.peak_megabytes() < (
            PEAK_MEGABYTES if effort.is_large else PEAK_MEGABYTES_OF_SMALL_ITEMS
        )
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{hub.console}/health/ready")).status_code == 200


def phases(hub: HubProcess, effort: Effort) -> dict[str, Callable[[Bystanders], Awaitable[object]]]:
    """What hostile peers do, one after the other."""
    addresses = {"console": hub.console, "intake": hub.intake, "files": files_address(hub)}
    ports = {name: port_of(address) for name, address in addresses.items()}

    def flood(port: int) -> Callable[[Bystanders], Awaitable[object]]:
        async def phase(others: Bystanders) -> None:
            async with flooded(port, effort.connections):
                await others.watched(effort.seconds)
                assert Process(hub.run.process.pid).open_files() < FILES_AT_MOST

        return phase

    async def slowness(others: Bystanders) -> None:
        async with at_work(slow_ones(hub.smtp_port, list(ports.values()), effort.slow_ones)):
            await others.watched(2 * effort.seconds)

    floods = {f"flood of {name}": flood(port) for name, port in {**ports, "smtp": hub.smtp_port}.items()}
    return {**floods, "slow ones": slowness}


def served(what: str, quiet: dict[str, float], deeds: list[Deed], process: Process, effort: Effort) -> None:
    """Everything that the bystanders did was done, and in bearable time."""
    assert {each.failed for each in deeds} == {""}, what
    slow = slowest(deeds)
    told = ", ".join(f"{kind} {seconds:.3f} s ({quiet[kind]:.3f})" for kind, seconds in slow.items())
    print(
        f"{what}: {len(deeds)} deeds, p99 (quiet): {told}; {process.peak_megabytes():.0f} MB, {process.open_files()} files"
    )
    for kind, seconds in slow.items():
        assert seconds < max(effort.bearable_seconds, TIMES_SLOWER * quiet[kind]), (
            what,
            kind,
            seconds,
            quiet[kind],
        )


async def explained(hub: HubProcess, said: Said) -> None:
    """Each item was refused with a reason, or is on the log as what it is."""
    known = await fates(hub)
    for name, answer in said.answers.items():
        fate = known.get(said.items.get(name, ""), "")
        print(f"{name:28} {fate or answer[:110]!r}")
        code = int(answer[:3])
        assert fate or 400 <= code < 500 or code == 552, (name, answer)
        assert len(answer) > 10, (name, answer)
