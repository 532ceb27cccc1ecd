"""What an operator meets: a stop under load, a full disk, a folder in use, a damaged file. A clear word, and nothing lost."""

import asyncio
import os
import resource
import shutil
import signal
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.outbound import DeliveryState
from schemas.steps import Query
from sinks.sqlite.engine import open_engine
from tests.e2e.engines import BOTH, EMBEDDED, settings_of
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, send_mail, write_settings
from tests.faults.fleet import WHOLE, concluded, fleet
from tests.faults.lives import Clock, world
from tests.support.ports import free_port
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(120)
ENTRY = {"email": "kim@customer.example", "message": "Hello"}
ENOUGH_ITEMS = 30
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def mail(number: int) -> bytes:
    return (
        f"From: ann@customer.example\r\nTo: support@shop.example\r\nMessage-ID: <{number}@customer.example>\r\n"
        f"Subject: Number {number}\r\n\r\nHello\r\n"
    ).encode()


async def send(hub: HubProcess, number: int) -> str:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=20) as client:
        return await send_mail(client, mail(number))


async def post(hub: HubProcess, key: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        return await client.post(f"{hub.intake}/f/contact", json=ENTRY, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
async def test_a_stop_under_load_loses_nothing_and_leaves_nothing_unknown(
    tmp_path: Path, seed: int, with_signal: signal.Signals
) -> None:
    """SIGINT goes to the whole process group, as a terminal sends it."""
    async with world(tmp_path / "hub", seed) as made:
        async with hub_process(made.settings) as hub:
            made.target.is_at(hub)
            await eventually(lambda: len(made.load.ledger.items) >= ENOUGH_ITEMS, 60)
            if with_signal is signal.SIGINT:
                os.killpg(hub.run.process.pid, with_signal)
                assert await asyncio.wait_for(hub.run.process.wait(), 30) == 0, hub.run.lines
            else:
                assert await hub.run.stop(with_signal, 30) == 0, hub.run.lines
            made.target.is_gone()
        engine = await open_engine(hub.data, clock=Clock())
        deliveries = (await engine.find(Query(DELIVERIES, limit=1000))).items
        await engine.close()
        states = {each.state for each in deliveries if isinstance(each, Delivery)}
        assert DeliveryState.SENT in states
        assert states.isdisjoint({DeliveryState.UNKNOWN, DeliveryState.SENDING})
        assert await made.conclude() == [], made.report()


@pytest.mark.server("kafka")
@pytest.mark.server("nx-27017")
@pytest.mark.xdist_group("servers")
@pytest.mark.timeout(300)
@pytest.mark.slow
async def test_a_stop_under_load_on_servers_loses_nothing_and_leaves_nothing_unknown(
    tmp_path: Path, seed: int
) -> None:
    async with fleet(tmp_path, seed, {"hub": WHOLE}) as made:
        await made.loaded(ENOUGH_ITEMS // 2)
        stopped = made.kept["hub"].run
        assert stopped is not None
        assert await stopped.stop(signal.SIGTERM, 30) == 0, stopped.lines
        await made.loaded()
        await concluded(made)
        assert made.counts["verified outbound:sent"] > 0
        assert made.counts["verified outbound:unknown"] == 0


async def test_a_full_disk_puts_off_what_comes_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """No file may grow any more: what a full disk does, without filling one."""
    async with hub_process(write_settings(tmp_path, company(free_port()))) as hub:
        items = [await send(hub, 1)]
        first = await post(hub, "the-first-key")
        resource.prlimit(hub.run.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        with pytest.raises(aiosmtplib.SMTPDataError) as put_off:
            await send(hub, 2)
        assert put_off.value.code == 451
        refused = await post(hub, "the-second-key")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True), refused.text
        async with hub.operator() as api:
            ready = await api.get("http://hub/health/ready")
            assert ready.status_code == 503
            assert "does not accept" in ready.text
            assert (await api.get("http://hub/health/live")).status_code == 200
            assert (await api.get("/cases")).status_code == 200

        resource.prlimit(hub.run.process.pid, resource.RLIMIT_FSIZE, NO_LIMIT)
        items.append(await send(hub, 2))
        second = await post(hub, "the-second-key")
        async with hub.operator() as api:
            await eventually(lambda: _is_ready(api), 20)
        items += [first.json()["item"], second.json()["item"]]
        (tmp_path / "ledger").write_text("\n".join(items))
        await eventually(lambda: _has_cases(hub, 4), 30)
        code, said = await hubbub(
            "verify", "--config", str(hub.settings), "--ledger", str(tmp_path / "ledger")
        )
        assert code == 0, said
        assert not [line for line in hub.run.lines if "Traceback" in line]
        assert await hub.run.stop() == 0


async def _is_ready(api: httpx.AsyncClient) -> bool:
    return (await api.get("http://hub/health/ready")).status_code == 200


async def _has_cases(hub: HubProcess, count: int) -> bool:
    return len(await hub.everything("/cases")) == count


async def test_a_second_hub_is_told_who_has_the_folder(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, company(free_port()))
    async with hub_process(settings) as hub:
        code, said = await hubbub("up", "--config", str(settings))
        assert code == 4
        assert f"in use by process {hub.run.process.pid}" in said
        assert "Traceback" not in said
        await send(hub, 1)
        await eventually(lambda: _has_cases(hub, 1), 20)  # the socket of the first still answers
        assert await hub.run.stop() == 0


async def used_folder(tmp_path: Path, engine: str = EMBEDDED) -> Path:
    """Settings whose data folder was used by a hub."""
    settings = write_settings(tmp_path, company(free_port()) | await settings_of(engine))
    async with hub_process(settings) as hub:
        await send(hub, 1)
        await eventually(lambda: _has_cases(hub, 1), 20)
        assert await hub.run.stop() == 0
    return settings


@pytest.mark.slow
async def test_a_damaged_file_is_told_at_the_start_and_left_as_it_is(tmp_path: Path) -> None:
    settings = await used_folder(tmp_path)
    file = tmp_path / "data" / "hub.sqlite"
    whole = file.read_bytes()
    damages = {
        "is not a SQLite database": b"not a database".ljust(4096, b"!") + whole[4096:],
        "damaged": whole[: len(whole) // 2],
    }
    for what, damaged in damages.items():
        file.write_bytes(damaged)
        code, said = await hubbub("up", "--config", str(settings))
        assert (code, file.read_bytes()) == (4, damaged), said
        assert what in said
        assert "restore a backup" in said
        assert "Traceback" not in said
    file.write_bytes(whole)
    code, said = await hubbub("verify", "--config", str(settings))
    assert code == 0, said


@pytest.mark.parametrize("engine", BOTH)
async def test_a_lost_secret_is_not_replaced_in_silence(tmp_path: Path, engine: str) -> None:
    settings = await used_folder(tmp_path, engine)
    secret = tmp_path / "data" / "secret.key"
    shutil.move(secret, tmp_path / "kept")
    code, said = await hubbub("up", "--config", str(settings))
    assert code == 4
    assert "secret.key is missing: restore it from a backup" in said
    assert not secret.exists()
