"""`faust -A hub.worker worker`, Faust's own command: it waits for servers as `hubbub worker` does, works, and ends when told."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.hubs import company, write_settings
from tests.e2e.several import Several, mail, make_topics, settings_on_servers, several
from tests.e2e.test_spool import relay
from tests.support.ports import LOOPBACK, free_port
from tests.support.process import running
from tests.support.proxy import proxy
from tests.support.servers import server
from tests.support.waiting import eventually

FAUST = str(Path(sys.executable).with_name("faust"))
COMMAND = (FAUST, "-A", "hub.worker", "worker", "--without-web")
WAITS = "the servers cannot be reached; waiting for them"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_a_worker_of_fausts_that_waits_for_its_servers_stops_at_once(tmp_path: Path) -> None:
    told = company(free_port()) | {
        "log": f"kafka://{LOOPBACK}:{free_port()}",
        "store": f"mongodb://{LOOPBACK}:{free_port()}/nowhere",
        "health": {"port": 0},
    }
    settings = write_settings(tmp_path, told)
    async with running(*COMMAND, environment={"HUBBUB_CONFIG": str(settings)}) as run:
        await run.said(WAITS, 60)
        assert await run.stop(signal.SIGTERM, 10) == 0, run.lines
    assert not any("Traceback" in line for line in run.lines), run.lines


@pytest.mark.server("kafka")
@pytest.mark.server("nx-27017")
@pytest.mark.xdist_group("servers")
async def test_a_worker_of_fausts_whose_store_hangs_up_works_when_that_answers_and_ends_when_it_is_silent(
    tmp_path: Path,
) -> None:
    async with relay(tmp_path) as relay_port, proxy(server("nx-27017").port) as network:
        settings = settings_on_servers(tmp_path, relay_port)
        await make_topics(settings)
        async with several(settings) as hub:
            network.cut()
            told = json.loads(settings.read_text())
            told["store"] = told["store"].replace(str(server("nx-27017").port), str(network.port))
            told["secret_file"] = str(hub.front.data / "secret.key")
            behind = write_settings(tmp_path / "behind", told)
            async with running(*COMMAND, environment={"HUBBUB_CONFIG": str(behind)}) as worker:
                await worker.said(WAITS, 60)
                items = await hub.send(mail("ann", 0), mail("ann", 1, reply_to=0), mail("bob", 0))
                network.mend()
                await hub.front.settled(120)
                await eventually(lambda: _subjects(hub), 30)
                network.stall()
                items += await hub.send(mail("ann", 2, reply_to=1))
                began = time.monotonic()
                assert await worker.stop(signal.SIGTERM, 30) == 0, worker.lines[-30:]
                assert time.monotonic() - began < 10
            network.flow()
            await hub.start_worker("one")
            await hub.front.settled(120)
            assert await hub.front.run.stop() == 0
            await hub.verified(items)
        assert not any("Traceback" in line for line in worker.lines), worker.lines


async def _subjects(hub: Several) -> bool:
    found = await hub.front.everything("/cases")
    return sorted(each["subject"] for each in found) == ["invoice ann", "invoice bob"]
