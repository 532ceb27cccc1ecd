"""Live, ready and measured."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from schemas.errors import Outage
from schemas.ports import Health, HealthState
from schemas.steps import Batch, Step
from schemas.topics import Topic
from sinks.mongo.values import micros
from sinks.spool.file import Figures
from tests.hub.http.company import House, house

READY = "/health/ready"


async def take(home: House, consumer: str, topics: Sequence[Topic], limit: int) -> Batch:
    """The consumer goes on by so many events."""
    batch = await home.engine.read(consumer, topics, limit)
    await home.engine.commit(Step(consumer=consumer, before=batch.before, position=batch.position))
    return batch


async def test_a_hub_without_work_is_ready(home: House) -> None:
    async with home.client() as client:
        live, ready = await client.get("/health/live"), await client.get(READY)
    assert live.json() == {"status": "live", "version": "0.1.0"}
    assert (ready.status_code, ready.json()["reasons"]) == (200, [])


async def test_ready_means_that_consumers_move_not_that_they_are_up(home: House) -> None:
    home = home.rebuilt(consumers={"cases": [Topic.CASES]})
    case = await home.case("ann")
    for index in range(4):
        await home.note(case, f"note {index}")
    async with home.client() as client:
        behind = await client.get(READY)
        home.clock.advance(seconds=29)
        await take(home, "cases", [Topic.CASES], 1)
        moved = await client.get(READY)
        home.clock.advance(seconds=31)
        stalled = await client.get(READY)
        await take(home, "cases", [Topic.CASES], 10)
        done = await client.get(READY)
        home.clock.advance(hours=1)
        idle = await client.get(READY)
    assert [each.status_code for each in (behind, moved, stalled, done, idle)] == [200, 200, 503, 200, 200]
    assert behind.json()["consumers"] == {"cases": 4}
    assert "cases has 3 events to do and has not moved for 31 s" in stalled.json()["reasons"][0]


async def test_connectors_that_do_not_run_and_a_log_that_does_not_answer_are_named(home: House) -> None:
    states = {"email:support": HealthState.STOPPED, "webform:forms": HealthState.DEGRADED}
    connectors = {name: (lambda state=state: Health(state)) for name, state in states.items()}
    home = home.rebuilt(connectors=connectors)
    async with home.client() as client:
        stopped = await client.get(READY)
        home.breakable.outage = Outage("the disk is full")
        broken = await client.get(READY)
        metrics = await client.get("/metrics")
        home.breakable.outage = None
    assert stopped.json()["reasons"] == ["connector email:support is stopped"]
    assert broken.status_code == 503
    assert "Outage" in broken.json()["reasons"][0]
    assert metrics.status_code == 503


async def test_a_hub_that_stops_is_not_ready(home: House) -> None:
    async with home.rebuilt(is_stopping=lambda: True).client() as client:
        assert (await client.get(READY)).json()["reasons"] == ["the hub is stopping"]


async def test_metrics_say_how_it_stands_without_customers_in_them(home: House) -> None:
    home = home.rebuilt(consumers={"cases": [Topic.CASES]})
    case = await home.case("ann")
    await home.note(case, "one")
    home.clock.advance(minutes=10)
    async with home.client() as client:
        await client.get(f"/api/v1/cases/{case.id}")
        await client.get("/nowhere/ann@example.net")
        text = (await client.get("/metrics")).text
    lines = set(text.splitlines())
    assert 'hubbub_queue_open_cases{queue="orders"} 1.0' in lines
    assert 'hubbub_queue_oldest_waiting_seconds{queue="orders"} 600.0' in lines
    assert 'hubbub_consumer_lag_events{consumer="cases"} 1.0' in lines
    assert "hubbub_quarantine_open_items 0.0" in lines
    assert 'hubbub_http_requests_total{method="GET",route="/api/v1/cases/{case}",status="401"} 1.0' in lines
    assert 'hubbub_http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in lines
    assert "example.net" not in text
    assert str(case.id) not in text


async def test_metrics_may_need_a_token(tmp_path: Path) -> None:
    async with (
        house(tmp_path / "data", metrics_token=SecretStr("scrape me")) as home,
        home.client() as client,
    ):
        without = await client.get("/metrics")
        wrong = await client.get("/metrics", headers={"Authorization": "Bearer scrape"})
        right = await client.get("/metrics", headers={"Authorization": "Bearer scrape me"})
    assert (without.status_code, wrong.status_code, right.status_code) == (401, 401, 200)


async def test_what_waits_in_a_spool_is_told_and_a_process_that_only_takes_in_stays_ready(
    home: House,
) -> None:
    since = home.clock.now()
    figures = Figures(items=3, size=1000, oldest_at=micros(since), stuck=1)
    taking_in = home.rebuilt(spool=lambda: figures, decides=False)
    all_of_it = home.rebuilt(spool=lambda: figures)
    home.clock.advance(minutes=2)
    home.breakable.outage = Outage("kafka: down")
    async with taking_in.client() as client:
        ready, metrics = await client.get(READY), await client.get("/metrics")
    async with all_of_it.client() as client:
        unready = await client.get(READY)
    home.breakable.outage = None
    spool = {"items": 3, "stuck": 1, "bytes": 1000, "oldest_at": since.isoformat().replace("+00:00", "Z")}
    assert (ready.status_code, ready.json()["spool"]) == (200, spool)
    assert unready.status_code == 503
    assert "the log does not accept" in unready.json()["reasons"][0]
    assert metrics.status_code == 200
    for line in (
        "hubbub_spool_items 3.0",
        "hubbub_spool_stuck_items 1.0",
        "hubbub_spool_bytes 1000.0",
        "hubbub_spool_oldest_seconds 120.0",
    ):
        assert line in metrics.text
    assert "hubbub_consumer_lag_events{" not in metrics.text, "nobody knows it now"
