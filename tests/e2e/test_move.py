"""`hubbub move` as an operator runs it: a hub in its data folder, a move that is killed, the same hub on the servers."""

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, send_mail, write_settings
from tests.support.process import HUBBUB, running
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
    pytest.mark.slow,
]
KILLED_AFTER_SECONDS = (1.2, 2.0, 2.5)


def mail(number: int, about: int | None = None) -> bytes:
    reply = "" if about is None else f"In-Reply-To: <{about}@customer.example>\r\n"
    return (
        f"From: ann@customer.example\r\nTo: support@shop.example\r\nMessage-ID: <{number}@customer.example>\r\n{reply}"
        f"Subject: invoice {about or number}\r\n\r\nThis is mail {number}.\r\n"
    ).encode()


async def send(hub: HubProcess, *mails: bytes) -> list[str]:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=30) as client:
        return [await send_mail(client, each) for each in mails]


async def test_a_hub_is_moved_through_kills_and_goes_on(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    relay = StandinServer(mailbox, SystemClock())
    await relay.start()
    try:
        settings = write_settings(tmp_path, company(relay.port))
        async with hub_process(settings) as hub:
            items = await send(hub, *(mail(number) for number in range(1, 40)))
            await hub.settled()
            answered = await mailbox.count()
            name = uuid4().hex[:8]
            log = f"{server('kafka').url}?prefix=moved-{name}.&partitions=2"
            store = f"{server('nx-27017').url}moved_{name}"
            command = ("move", "--from", f"sqlite:{hub.data}", "--to", log, store, "--config", str(settings))
            code, said = await hubbub(*command, "--yes")
            assert (code, "is in use by process" in said) == (4, True), said
            assert await hub.run.stop() == 0
        code, said = await hubbub(*command, "--dry-run")
        assert code == 0, said
        for seconds in KILLED_AFTER_SECONDS:
            async with running(HUBBUB, *command, "--yes") as moving:
                with suppress(TimeoutError):
                    await asyncio.wait_for(moving.process.wait(), seconds)
                await moving.stop(signal.SIGKILL)
        code, said = await hubbub(*command, "--yes")
        if "moved to this store before" not in said:  # the last kill came when all was done
            assert code == 0, said
            assert "moved, compared and verified" in said
        code, said = await hubbub("up", "--config", str(settings))
        assert (code, "set `log` and `store`" in said) == (3, True), said
        settings = write_settings(tmp_path, company(relay.port) | {"log": log, "store": store})
        async with hub_process(settings) as hub:
            items += await send(hub, mail(40, about=7), mail(3))
            await hub.settled(120)
            assert len(await hub.everything("/cases")) == 39
            assert await mailbox.count() == answered, "an answer was sent twice"
            assert await hub.run.stop() == 0
        ledger = tmp_path / "ledger"
        ledger.write_text("\n".join(items))
        code, said = await hubbub("verify", "--json", "--ledger", str(ledger), "--config", str(settings))
        assert code == 0, said
        assert json.loads(said.splitlines()[-1])["result"] == "whole"
    finally:
        await relay.stop()
        await mailbox.close()
