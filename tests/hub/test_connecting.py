"""Connectors are paused, resumed, read again and reported, over restarts and from any process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.kit.rigs import MONDAY, Clock
from hub.connecting import Activity, Controls
from schemas.connecting import CONNECTOR_REPORTS, ConnectorOrder, ConnectorReport, order_id
from schemas.events import SYSTEM
from schemas.ports import Connector, Engine, Health, HealthState
from schemas.steps import Query, Step
from sinks.sqlite.engine import open_engine


@dataclass
class Source:
    """A connector that says what happened to it."""

    channel: str = "chat"
    account: str = "desk"
    told: list[str] = field(default_factory=list)
    state: HealthState = HealthState.OK

    async def start(self) -> None:
        self.told.append("start")

    async def stop(self, grace_seconds: float) -> None:
        self.told.append("stop")

    def health(self) -> Health:
        return Health(self.state, "listens")


@dataclass
class House:
    engine: Engine
    clock: Clock
    source: Source = field(default_factory=Source)
    replayed: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> Connector:
        """As after a restart."""

        async def replay(account: str, since: datetime) -> str:
            self.replayed.append(since)
            return f"{account} is read again"

        self.activity = Activity(self.clock)
        self.controls = Controls(self.engine, self.clock, self.activity, {"chat": 2}, {"chat": replay})
        self.connector = self.controls.controlled(self.source)
        return self.connector

    async def order(self, **changes: object) -> None:
        before = self.controls.order("chat", "desk")
        order = before or ConnectorOrder(
            id=order_id("chat", "desk"), channel="chat", account="desk", actor=SYSTEM, changed_at=MONDAY
        )
        made = order.model_copy(update={**changes, "revision": order.revision + 1})
        await self.engine.commit(Step(documents=[(made, order.revision)]))
        await self.controls.once()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = Clock()
    engine = await open_engine(tmp_path / "data", clock=clock)
    yield House(engine, clock)
    await engine.close()


async def test_a_paused_connector_stops_and_goes_on_when_it_is_resumed(house: House) -> None:
    await house.connector.start()
    await house.order(paused=True)
    assert house.source.told == ["start", "stop"] and house.controls.is_paused("chat", "desk")
    assert house.connector.health().detail == "paused by hubbub"
    await house.order(paused=False)
    assert house.source.told == ["start", "stop", "start"]
    assert house.connector.health().state is HealthState.OK


async def test_a_connector_that_cannot_be_resumed_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    await house.connector.start()
    await house.order(paused=True)
    starts = house.source.start

    async def is_taken() -> None:
        raise OSError("the port is taken")

    monkeypatch.setattr(house.source, "start", is_taken)
    await house.order(paused=False)
    monkeypatch.setattr(house.source, "start", starts)
    await house.controls.once()
    assert house.source.told == ["start", "stop", "start"]


async def test_looking_at_orders_while_it_starts_starts_it_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, starts = asyncio.Event(), house.source.start

    async def slow() -> None:
        await opened.wait()
        await starts()

    monkeypatch.setattr(house.source, "start", slow)
    starting = asyncio.create_task(house.connector.start())
    looking = asyncio.create_task(house.controls.once())
    await asyncio.sleep(0.05)
    opened.set()
    await asyncio.gather(starting, looking)
    assert house.source.told == ["start"]


async def test_a_pause_outlives_a_restart(house: House) -> None:
    await house.order(paused=True)
    await house.again().start()
    await house.controls.once()
    assert house.source.told == []
    await house.connector.stop(0)
    assert house.source.told == []


async def test_a_source_is_read_again_once(house: House) -> None:
    since = MONDAY - timedelta(days=1)
    await house.connector.start()
    await house.order(replay_since=since)
    await house.controls.once()
    assert house.replayed == [since]
    order = house.controls.order("chat", "desk")
    assert order is not None and order.replay_since is None and order.replayed == "desk is read again"


async def test_a_channel_without_a_past_says_so(house: House) -> None:
    house.controls._replays = {}
    await house.order(replay_since=MONDAY)
    order = house.controls.order("chat", "desk")
    assert order is not None and "cannot be asked" in order.replayed


async def test_a_connector_that_looks_well_and_brings_nothing_is_told_to_be_silent(house: House) -> None:
    health = house.source.health()
    assert house.controls.standing(health, "chat", "desk").silent_for is None
    house.clock.advance(3 * 3600)
    assert house.controls.standing(health, "chat", "desk").silent_for == timedelta(hours=3)
    house.activity.came("chat", "desk")
    assert house.controls.standing(health, "chat", "desk").silent_for is None
    assert house.controls.standing(health, "mail", "desk").silent_for is None  # no limit is set


async def test_each_connector_is_reported_and_reported_again_when_it_changes(house: House) -> None:
    async def reports() -> list[ConnectorReport]:
        page = await house.engine.find(Query(CONNECTOR_REPORTS))
        return [each for each in page.items if isinstance(each, ConnectorReport)]

    await house.controls.once()
    (first,) = await reports()
    assert (first.state, first.detail) == ("ok", "listens")
    house.clock.advance(15)
    await house.controls.once()
    assert await reports() == [first]
    house.source.state = HealthState.DEGRADED
    house.clock.advance(15)
    await house.controls.once()
    assert [each.state for each in await reports()] == ["degraded"]
