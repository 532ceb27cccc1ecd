"""Kafka and the database stand still or are gone: what senders are told, without a spool and with one."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.wiring import SystemClock
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, send_mail, write_settings
from tests.faults.machines import BROKER, DATABASE, Machines
from tests.support.ports import free_port
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(300),
    pytest.mark.slow,
]
STALL_SECONDS = 30.0
ANSWERED_WITHIN_SECONDS = 35.0
RECOVERED_WITHIN_SECONDS = 90.0


class Servers:
    """A broker and a database of the test's own, behind a network that can drop everything."""

    def __init__(self, folder: Path) -> None:
        self._on = Machines(folder / "servers", broker_told=free_port())
        self.names = (BROKER, DATABASE)

    async def start(self) -> None:
        for name in self.names:
            await asyncio.to_thread(self._on.start, name)
        await self._on.put_proxies_between()

    def stall(self, name: str) -> None:
        self._on.proxies[name].stall()

    def go_on(self, name: str) -> None:
        self._on.proxies[name].flow()

    def kill(self, name: str) -> None:
        """The network to it refuses, too."""
        self._on.kill(name)
        self._on.proxies[name].cut()

    async def again(self, name: str) -> None:
        await asyncio.to_thread(self._on.start, name)
        self._on.proxies[name].mend()

    def settings(self) -> dict[str, Any]:
        return dict(self._on.settings)

    async def end(self) -> None:
        for name in self.names:
            self._on.kill(name)
        for each in self._on.proxies.values():
            await each.stop()


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    made = Servers(tmp_path)
    await made.start()
    yield made
    await made.end()


@asynccontextmanager
async def relay(folder: Path) -> AsyncIterator[int]:
    mailbox = Mailbox(folder / "mailbox.sqlite")
    standin = StandinServer(mailbox, SystemClock())
    await standin.start()
    try:
        yield standin.port
    finally:
        await standin.stop()
        await mailbox.close()


def mail(number: int, about: int | None = None) -> bytes:
    """The first of a conversation, or one that answers the first."""
    reply = "" if about is None else f"In-Reply-To: <{about}@customer.example>\r\n"
    return (
        f"From: ann@customer.example\r\nTo: support@shop.example\r\nMessage-ID: <{number}@customer.example>\r\n{reply}"
        f"Subject: order {about or number}\r\n\r\nThis is mail {number}.\r\n"
    ).encode()


async def send(hub: HubProcess, *mails: bytes) -> list[str]:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=60) as client:
        return [await send_mail(client, each) for each in mails]


async def refused(hub: HubProcess, raw: bytes) -> int:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=60) as client:
        await client.mail("ann@customer.example")
        await client.rcpt("support@shop.example")
        with suppress(aiosmtplib.SMTPDataError):
            return (await client.data(raw)).code
        return 451


async def post(hub: HubProcess, key: str, text: str = "Where is it?") -> httpx.Response:
    async with httpx.AsyncClient(base_url=hub.intake, timeout=60) as client:
        fields = {"email": "eve@customer.example", "subject": "form", "message": text}
        headers = {"accept": "application/json", "idempotency-key": key}
        return await client.post("/f/contact", data=fields, headers=headers)


@pytest.mark.parametrize("way", ["stalled", "gone"])
@pytest.mark.parametrize("name", ["kafka", "nx-27017"])
async def test_without_a_spool_senders_are_put_off_honestly(
    servers: Servers, tmp_path: Path, name: str, way: str
) -> None:
    async with relay(tmp_path) as relay_port:
        settings = write_settings(tmp_path, company(relay_port) | servers.settings())
        assert (await hubbub("topics", "apply", "--yes", "--config", str(settings)))[0] == 0
        async with hub_process(settings) as hub:
            await send(hub, mail(1))
            (servers.stall if way == "stalled" else servers.kill)(name)
            since = began = time.monotonic()
            assert await refused(hub, mail(2)) == 451
            assert time.monotonic() - began < ANSWERED_WITHIN_SECONDS
            began = time.monotonic()
            answer = await post(hub, "0123456789")
            assert time.monotonic() - began < ANSWERED_WITHIN_SECONDS
            if name == "kafka":  # with its answer it is decided, durable in the store, and published later
                assert answer.status_code == 200, answer.text
            else:
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
            if way == "stalled":
                await asyncio.sleep(max(0.0, since + STALL_SECONDS - time.monotonic()))
                servers.go_on(name)
            else:
                await servers.again(name)
            await eventually(lambda: _is_taken(hub), RECOVERED_WITHIN_SECONDS, 1)
            await send(hub, mail(2))
            await hub.settled(RECOVERED_WITHIN_SECONDS)
            cases = await hub.everything("/cases")
            assert sorted(each["subject"] for each in cases) == ["form", "order 1", "order 2"]


async def _is_taken(hub: HubProcess) -> bool:
    return (await post(hub, "0123456789")).status_code == 200


async def test_with_a_spool_nothing_is_put_off_lost_or_doubled(servers: Servers, tmp_path: Path) -> None:
    async with relay(tmp_path) as relay_port:
        spool = {"spool": {"folder": "spool", "after_seconds": 1}}
        settings = write_settings(tmp_path, company(relay_port) | servers.settings() | spool)
        assert (await hubbub("topics", "apply", "--yes", "--config", str(settings)))[0] == 0
        async with hub_process(settings) as hub:
            items = await send(hub, mail(1))
            for each in servers.names:
                servers.stall(each)
            items += await send(hub, mail(2), mail(3, about=2), mail(4, about=2))
            taken = await post(hub, "0123456789")
            assert taken.status_code == 200, taken.text
            items.append(taken.json()["item"])
            again = await post(hub, "0123456789")
            assert again.json() == taken.json()
            other = await post(hub, "0123456789", "Something else")
            assert other.status_code == 409
            await hub.run.stop(signal.SIGKILL)
        for name in servers.names:
            servers.go_on(name)
        async with hub_process(settings) as hub:
            await send(hub, mail(4, about=2))  # the sender gives one again
            items += await send(hub, mail(5, about=2))
            await eventually(lambda: _is_empty(hub), RECOVERED_WITHIN_SECONDS, 0.2)
            await hub.settled(RECOVERED_WITHIN_SECONDS)
            cases = await hub.everything("/cases")
            assert sorted(each["subject"] for each in cases) == ["form", "order 1", "order 2"]
            (case,) = [each for each in cases if each["subject"] == "order 2"]
            entries = await hub.everything(f"/cases/{case['id']}/timeline")
            said = [each["text"] for each in entries if each["kind"] == "message" and each["text"]]
            said = [each for each in said if "This is mail" in each]
            assert [each.strip()[-2] for each in reversed(said)] == ["2", "3", "4", "5"]
            assert await hub.run.stop() == 0
        ledger = tmp_path / "ledger"
        ledger.write_text("\n".join(items))
        code, told = await hubbub("verify", "--json", "--ledger", str(ledger), "--config", str(settings))
        assert code == 0, told
        last = json.loads(told.splitlines()[-1])
        assert last["result"] == "whole"
        assert last["counts"]["spooled"] == 0


async def _is_empty(hub: HubProcess) -> bool:
    async with hub.operator() as api:
        spool = (await api.get("http://hub/health/ready")).json()["spool"]
        metrics = (await api.get("http://hub/metrics")).text
    assert f"hubbub_spool_items {float(spool['items'])}" in metrics
    return bool(spool["items"] == 0)
