"""What fetches runs while its lease is held, and under the token of each holding."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.leases import Leases
from hub.members import Members
from hub.pulling import Leased, leased
from schemas.ports import Connector, Engine, Health, HealthState
from sinks.sqlite.engine import open_engine
from tests.hub.http.company import FixedClock
from tests.support.waiting import eventually

SECONDS = 10.0


class Source:
    """A connector that fetches; `started` holds the tokens under which it ran, with None for each end."""

    channel = "mail"
    account = "box"

    def __init__(self) -> None:
        self.started: list[int | None] = []
        self.fails = False

    async def start(self) -> None:
        await self.start_as(0)

    async def start_as(self, token: int) -> None:
        if self.fails:
            raise ValueError("a defect")
        self.started.append(token)

    async def stop(self, grace_seconds: float) -> None:
        self.started.append(None)

    def health(self) -> Health:
        return Health(HealthState.OK, "fetches")


class Server:
    """A connector that is spoken to."""

    channel = "web"
    account = "form"

    async def start(self) -> None:
        return

    async def stop(self, grace_seconds: float) -> None:
        return

    def health(self) -> Health:
        return Health(HealthState.OK)


class Process:
    def __init__(self, engine: Engine) -> None:
        self.at = 0.0
        self.members = Members(engine, FixedClock(), seconds=SECONDS, monotonic=lambda: self.at, place="")
        self.leases = Leases(engine, FixedClock(), self.members, monotonic=lambda: self.at)
        self.source = Source()
        self.leased = Leased(self.source, self.leases)

    async def go_on(self, seconds: float) -> None:
        while seconds > 0:
            self.at += (step := min(seconds, SECONDS / 5))
            await self.members.beat()
            await self.leases.look()
            seconds -= step


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    opened = await open_engine(tmp_path, clock=FixedClock())
    yield opened
    await opened.close()


async def started(engine: Engine) -> Process:
    process = Process(engine)
    await process.leases.start()
    await process.leased.start()
    await process.leases.look()
    return process


async def test_it_runs_in_one_process_and_goes_to_the_next_when_that_is_silent(engine: Engine) -> None:
    first = await started(engine)
    second = await started(engine)
    try:
        await eventually(lambda: first.source.started)
        await second.go_on(1)
        assert second.source.started == []
        assert second.leased.health().detail.startswith("another process fetches")
        assert first.leased.health().detail == "fetches"
        await second.go_on(SECONDS + 1)
        await eventually(lambda: second.source.started)
        first.at += SECONDS  # it did not notice the time go by until now
        await eventually(lambda: first.source.started[-1] is None)
        tokens = [*first.source.started, *second.source.started]
        assert tokens == [1, None, 2]
        assert first.leased.health().state is HealthState.DEGRADED
    finally:
        await first.leased.stop(0)
        await second.leased.stop(0)
    assert second.source.started == [2, None]
    assert second.leased.health().state is HealthState.STOPPED


async def test_a_source_that_cannot_be_started_says_so(engine: Engine) -> None:
    process = Process(engine)
    process.source.fails = True
    await process.leases.start()
    await process.leased.start()
    await process.leases.look()
    await eventually(lambda: "cannot be started" in process.leased.health().detail)
    assert process.leased.health().state is HealthState.DEGRADED
    await process.leased.stop(0)


async def test_alone_in_a_process_it_runs_at_once(engine: Engine) -> None:
    leases = Leases(engine, FixedClock(), None)
    source = Source()
    alone = leased(source, leases)
    await leases.start()
    await alone.start()
    await eventually(lambda: source.started == [0])
    await alone.stop(0)
    await leases.stop()


async def test_what_is_spoken_to_needs_no_lease(engine: Engine) -> None:
    server: Connector = Server()
    await server.start()
    assert leased(server, Leases(engine, FixedClock(), None)) is server
