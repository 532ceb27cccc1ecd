"""`post_to_queue`, `forms` and `process`: what a running hub does for those outside of it, each in processes of their own."""

import asyncio
import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.load import Plan
from tests.bench.measuring import Figure, percentiles, spread
from tests.e2e.hubs import HubProcess, company, hub_process, write_settings
from tests.support.paths import ROOT
from tests.support.process import running

RATE = 200
CLIENTS = 16
FORM = "/f/contact"
CONNECTIONS = 2_000
PAGE = 50
LOOKS = 20


def post_to_queue(folder: Path, seconds: float) -> Figure:
    """From the beginning of a post to the arrival of its case's event at a client that follows the stream."""
    return asyncio.run(_post_to_queue(folder, seconds))


async def _post_to_queue(folder: Path, seconds: float) -> Figure:
    async with hub_process(_settings(folder)) as hub:
        plan = Plan(_port(hub.intake), FORM, seconds, rate=RATE)
        plan = dataclasses.replace(plan, stream_port=_port(hub.console), key=await _key(hub))
        told = await _load(plan)
    return {
        "rate_per_second": RATE,
        "seconds": seconds,
        "post_to_event": percentiles(told["seen"]),
        "post_to_answer": percentiles(told["answered"]),
        "failed": told["failed"],
        "reason": told["reason"],
        "unseen": told["unseen"],
        "aim_p99_ms": 100,
    }


def forms(folder: Path, seconds: float, runs: int) -> Figure:
    """Clients that post one form after another, each entry durable before its answer; beside a server that only keeps rows."""
    return asyncio.run(_forms(folder, seconds, runs))


async def _forms(folder: Path, seconds: float, runs: int) -> Figure:
    hubs, limits = [], []
    for number in range(runs):
        async with hub_process(_settings(folder / f"hub-{number}")) as hub:
            hubs.append(await _load(Plan(_port(hub.intake), FORM, seconds, clients=CLIENTS)))
        (folder / f"limit-{number}").mkdir()
        async with running(sys.executable, "-m", "tests.bench.echo", str(folder / f"limit-{number}")) as echo:
            port = int((await echo.said(r"port (\d+)"))[1])
            limits.append(await _load(Plan(port, FORM, seconds, clients=CLIENTS)))
    return {
        "clients": CLIENTS,
        "seconds": seconds,
        **_closed(hubs),
        "limit": _closed(limits),
        "aim_per_second": 1000,
        "aim_p99_ms": 50,
    }


def _closed(runs: list[dict[str, Any]]) -> Figure:
    return {
        "per_second": spread([len(each["answered"]) / each["seconds"] for each in runs], 0),
        "answer": percentiles([latency for each in runs for latency in each["answered"]]),
        "failed": sum(each["failed"] for each in runs),
        "reason": next((each["reason"] for each in runs if each["reason"]), ""),
    }


def process(folder: Path, seconds: float, runs: int) -> Figure:
    """How soon a hub is ready, what memory it holds at rest and after load, and what a list of cases costs."""
    return asyncio.run(_process(folder, seconds, runs))


async def _process(folder: Path, seconds: float, runs: int) -> Figure:
    starts, at_rest, after_load = [], [], []
    figure: Figure = {}
    for number in range(runs):
        began = time.perf_counter()
        async with hub_process(_settings(folder / str(number))) as hub:
            starts.append(time.perf_counter() - began)
            at_rest.append(resident_mib(hub.run.process.pid))
            await _load(Plan(_port(hub.intake), FORM, seconds, clients=CLIENTS))
            await hub.settled()
            after_load.append(resident_mib(hub.run.process.pid))
            if number == runs - 1:
                figure["cases_page"] = await _page(hub)
    return {
        "up_to_ready_seconds": spread(starts, 2),
        "resident_mib_at_rest": spread(at_rest),
        "resident_mib_after_load": spread(after_load),
        "aim_ready_seconds": 2,
        **figure,
    }


async def _page(hub: HubProcess) -> Figure:
    """A list of 50 cases as the API answers it over loopback."""
    times, size = [], 0
    async with hub.operator() as api:
        for _ in range(LOOKS):
            began = time.perf_counter()
            answer = await api.get("/cases", params={"limit": PAGE})
            times.append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text
            size = len(answer.content)
    return {"rows": PAGE, "bytes": size, **percentiles(times)}


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _settings(folder: Path) -> Path:
    """A company with a form and no automatic answers: what is measured is the way in. All load comes from one address."""
    settings = company(relay_port=9)
    intake = {"port": 0, "connections": CONNECTIONS, "connections_per_address": CONNECTIONS}
    return write_settings(folder, {**settings, "automations": [], "intake": intake})


async def _key(hub: HubProcess) -> str:
    async with hub.operator() as api:
        body = {"name": "bench", "scopes": ["read", "events"], "roles": {"*": "agent"}}
        answer = await api.post("/keys", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])


def _port(address: str) -> int:
    return int(address.rpartition(":")[2].rstrip("/"))


async def _load(plan: Plan) -> dict[str, Any]:
    """The load generator, in its own process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.load",
        json.dumps(dataclasses.asdict(plan)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said
    told: dict[str, Any] = json.loads(said)
    return told
