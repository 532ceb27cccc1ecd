"""`hubbub up` while Kafka and the database are down: it comes up, keeps or puts off what comes, and works when they are there."""

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, ready, write_settings
from tests.e2e.test_spool import Servers, mail, post, refused, relay, send, servers
from tests.support.hanging_up import hanging_up
from tests.support.ports import free_port
from tests.support.process import HUBBUB, running
from tests.support.waiting import eventually

__all__ = ["servers"]
pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(300),
    pytest.mark.slow,
]


def on_fixed_ports(settings: dict[str, Any]) -> dict[str, Any]:
    """So that a hub is where it was."""
    settings["email"]["smtp_in"]["port"] = free_port()
    return settings | {name: {"port": free_port()} for name in ("console", "intake", "files")}


@pytest.mark.parametrize("with_spool", [False, True])
async def test_a_hub_that_starts_without_its_servers_waits_for_them(
    servers: Servers, tmp_path: Path, with_spool: bool
) -> None:
    async with relay(tmp_path) as relay_port:
        told = on_fixed_ports(company(relay_port)) | servers.settings()
        if with_spool:
            told["spool"] = {"folder": "spool", "after_seconds": 1}
        settings = write_settings(tmp_path, told)
        assert (await hubbub("topics", "apply", "--yes", "--config", str(settings)))[0] == 0
        async with hub_process(settings) as hub:
            items = await send(hub, mail(1))
            await hub.settled(60)
            assert await hub.run.stop() == 0
        for name in servers.names:
            servers.kill(name)
        async with running(HUBBUB, "up", "--config", str(settings)) as run:
            await run.said("waiting for Kafka and MongoDB: ", 60)
            waiting = HubProcess(run, settings, hub.console, hub.intake, hub.smtp_port)
            await health(waiting)
            if with_spool:
                items += await send(waiting, mail(2), mail(3, about=2))
                assert (await post(waiting, "0123456789")).status_code == 200
            else:
                assert await refused(waiting, mail(2)) == 451
                answer = await post(waiting, "0123456789")
                assert (answer.status_code, "retry-after" in answer.headers) == (503, True), answer.text
            for name in servers.names:
                await servers.again(name)
            works = await ready(run, settings, 120)
            if not with_spool:
                items += await send(works, mail(2), mail(3, about=2))
            assert (await post(works, "0123456789")).status_code == 200
            await eventually(lambda: has_cases(works, "form", "order 1", "order 2"), 60, 0.5)
            await works.settled(60)
            assert await run.stop() == 0
        ledger = tmp_path / "ledger"
        ledger.write_text("\n".join(items))
        code, said = await hubbub("verify", "--ledger", str(ledger), "--config", str(settings))
        assert code == 0, said


async def health(hub: HubProcess) -> None:
    async with httpx.AsyncClient(base_url=hub.console, trust_env=False) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
        page = await client.get("/console")
        assert (page.status_code, "retry-after" in page.headers) == (503, True)


async def has_cases(hub: HubProcess, *subjects: str) -> bool:
    return sorted(each["subject"] for each in await hub.everything("/cases")) == sorted(subjects)


@pytest.mark.parametrize("servers_are", ["down", "hanging up"])
async def test_a_hub_that_waits_for_its_servers_stops_at_once(tmp_path: Path, servers_are: str) -> None:
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        if servers_are == "hanging up":
            ports = [stack.enter_context(hanging_up()) for _ in ports]
        settings = write_settings(
            tmp_path,
            company(free_port())
            | {"log": f"kafka://127.0.0.1:{ports[0]}", "store": f"mongodb://127.0.0.1:{ports[1]}/nowhere"},
        )
        async with running(HUBBUB, "up", "--config", str(settings)) as run:
            await run.said("waiting for Kafka and MongoDB: ", 60)
            assert await run.stop(signal.SIGTERM, 10) == 0
