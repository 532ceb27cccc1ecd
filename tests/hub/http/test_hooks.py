"""Webhooks at the intake: bounded, found by channel and account, answered by the channel's own rules."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from connectors.kit.example.rig import ExampleRig
from connectors.kit.rigs import Clock, House
from hub.http.hooks import HookServer
from tests.connectors.engines import sqlite

ADDRESS = "/hooks/example/main"


class Served:
    """An intake with one hook, and everything that came through it."""

    def __init__(self, house: House, rig: ExampleRig) -> None:
        self.house, self.rig = house, rig
        self.paused: set[tuple[str, str]] = set()
        hooks = {("example", "main"): rig.hook}
        app = HookServer(
            hooks, PlainTextResponse("a page"), house.clock, lambda: False, lambda *key: key in self.paused
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://intake.example")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    clock = Clock()
    async with sqlite(tmp_path / "data", clock) as engine:
        house, rig = House(engine, clock), ExampleRig()
        await rig.begin()
        await rig.open(house)
        served = Served(house, rig)
        yield served
        await served.client.aclose()
        await rig.close()
        await rig.end()
        await house.close()


async def test_a_proven_request_is_on_the_log_when_it_is_answered(served: Served) -> None:
    given = served.rig.message("one")
    answer = await served.client.post(ADDRESS, content=given.body, headers=dict(given.headers))
    assert answer.status_code == 200 and len(await served.house.received()) == 1
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unproven_request_is_refused_without_a_hint_of_the_secret(served: Served) -> None:
    answer = await served.client.post(ADDRESS, content=served.rig.message("one").body)
    assert answer.status_code == 401
    assert not any(secret in answer.text for secret in served.rig.secrets)


async def test_other_paths_are_those_of_the_pages(served: Served) -> None:
    assert (await served.client.get("/f/contact")).text == "a page"
    for path in ("/hooks/", "/hooks/example", "/hooks/example/other", "/hooks/fax/main"):
        assert (await served.client.post(path)).status_code == 404


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(served: Served) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(100_000)

    assert (await served.client.post(ADDRESS, content=endless())).status_code == 413
    assert (await served.client.post(ADDRESS, content=bytes(300_000))).status_code == 413
    assert (await served.client.put(ADDRESS)).status_code == 405


async def test_who_sends_slowly_takes_no_place_from_others(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.http.hooks.AT_ONCE", 1)
    given, held = served.rig.message("one"), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield given.body[:10]
        await held.wait()
        yield given.body[10:]

    slowly = asyncio.create_task(served.client.post(ADDRESS, content=slow(), headers=dict(given.headers)))
    other = served.rig.message("two")
    assert (
        await served.client.post(ADDRESS, content=other.body, headers=dict(other.headers))
    ).status_code == 200
    held.set()
    assert (await slowly).status_code == 200


async def test_bodies_together_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http.hooks.BYTES_IN_FLIGHT", 10)
    given = served.rig.message("one")
    assert (
        await served.client.post(ADDRESS, content=given.body, headers=dict(given.headers))
    ).status_code == 503
    monkeypatch.setattr("hub.http.hooks.BYTES_IN_FLIGHT", 10_000)
    assert (
        await served.client.post(ADDRESS, content=given.body, headers=dict(given.headers))
    ).status_code == 200


async def test_while_it_is_paused_the_source_is_asked_to_try_again(served: Served) -> None:
    given = served.rig.message("one")
    served.paused.add(("example", "main"))
    answer = await served.client.post(ADDRESS, content=given.body, headers=dict(given.headers))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    served.paused.clear()
    assert (
        await served.client.post(ADDRESS, content=given.body, headers=dict(given.headers))
    ).status_code == 200
