"""`hubbub up` on real Kafka and a server of MongoDB's protocol: the same company, the same commands, and killed once."""

import json
import signal
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, send_mail, write_settings
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(180),
]


def on_servers(folder: Path, relay_port: int) -> Path:
    name = uuid4().hex[:8]
    settings = company(relay_port) | {
        "log": f"{server('kafka').url}?prefix=up-{name}.&partitions=2",
        "store": f"{server('nx-27017').url}up_{name}",
    }
    return write_settings(folder, settings)


async def send(hub: HubProcess, *numbers: int) -> list[str]:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=30) as client:
        return [await send_mail(client, mail(number)) for number in numbers]


def mail(number: int) -> bytes:
    return (
        f"From: ann@customer.example\r\nTo: support@shop.example\r\nMessage-ID: <{number}@customer.example>\r\n"
        f"Subject: invoice {number}\r\n\r\nWhere is it?\r\n"
    ).encode()


@pytest.mark.slow
async def test_a_company_runs_on_the_servers_and_nothing_is_lost_by_a_kill(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    relay = StandinServer(mailbox, SystemClock())
    await relay.start()
    try:
        settings = on_servers(tmp_path, relay.port)
        code, said = await hubbub("up", "--config", str(settings))
        assert code == 4, said
        assert "run `hubbub topics apply`" in said
        code, said = await hubbub("topics", "plan", "--config", str(settings))
        assert code == 0, said
        assert said.count("+ create") == 11
        code, said = await hubbub("topics", "apply", "--yes", "--config", str(settings))
        assert code == 0, said
        code, said = await hubbub("topics", "plan", "--config", str(settings))
        assert (code, said) == (0, "as the settings say\n")
        async with hub_process(settings) as hub:
            items = await send(hub, 1, 2, 3)
            await hub.run.stop(signal.SIGKILL)
        async with hub_process(settings) as hub:
            items += await send(hub, 3, 4)
            await hub.settled(120)
            cases = await hub.everything("/cases")
            assert sorted(each["subject"] for each in cases) == [
                f"invoice {number}" for number in (1, 2, 3, 4)
            ]
            assert {each["queue"] for each in cases} == {"billing"}
            assert await mailbox.count() == 4
            assert await hub.run.stop() == 0
        ledger = tmp_path / "ledger"
        ledger.write_text("\n".join(items))
        code, said = await hubbub("verify", "--json", "--ledger", str(ledger), "--config", str(settings))
        assert code == 0, said
        assert json.loads(said.splitlines()[-1])["result"] == "whole"
    finally:
        await relay.stop()
        await mailbox.close()
