"""Topics that are kept for a while lose their old events and nothing of the chain."""

from datetime import timedelta

import apsw

from schemas.events import SYSTEM, Event
from schemas.parking import Audited
from schemas.steps import START, Step
from schemas.topics import TOPICS, Topic
from sinks.sqlite import retention
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.samples import NOON, FixedClock, name, received


def audited(number: int, days: float) -> Event:
    id = name("audit", number)
    return Event(
        id, "ada", NOON + timedelta(days=days), Audited(actor=SYSTEM, action="sign-in"), "hubbub/http", id
    )


async def test_old_events_of_finite_topics_go_and_the_log_stays_whole(
    engine: SqliteEngine, standing: FixedClock
) -> None:
    days = TOPICS[Topic.AUDIT].retention_days
    assert days
    count = retention.ROWS_A_STEP + 10
    await engine.commit(
        Step(events=[received(1), *(audited(number, 0) for number in range(count)), received(2)])
    )
    await engine.commit(Step(events=[audited(count, 20), received(3)]))
    standing.moment = NOON + timedelta(days=days + 10)
    tail = await engine.tail()
    assert await engine.expire() == count
    assert await engine.expire() == 0
    assert [record.id for record in await engine.scan([Topic.AUDIT], START, 10)] == [audited(count, 20).id]
    assert len(await engine.scan([Topic.INTERACTIONS], START, 10)) == 3
    assert await engine.tail() == tail
    assert [fault async for fault in engine.check()] == []
    await engine.commit(Step(events=[received(4)]))
    assert [fault async for fault in engine.check()] == []


async def test_a_consumer_goes_on_over_removed_events(engine: SqliteEngine, standing: FixedClock) -> None:
    await engine.commit(Step(events=[audited(1, 0), received(1), audited(2, 500)]))
    standing.moment = NOON + timedelta(days=500)
    await engine.expire()
    batch = await engine.read("audit", [Topic.AUDIT, Topic.INTERACTIONS], 10)
    assert [record.id for record in batch.records] == [received(1).id, audited(2, 500).id]
    assert await engine.record("1") is None


async def test_a_trace_that_was_altered_is_found(engine: SqliteEngine, standing: FixedClock) -> None:
    await engine.commit(Step(events=[audited(1, 0), received(1)]))
    standing.moment = NOON + timedelta(days=500)
    await engine.expire()

    def alter(connection: apsw.Connection) -> None:
        connection.execute("UPDATE removed SET digest = zeroblob(16)")

    await engine.write(lambda store: alter(store.connection))
    assert [fault async for fault in engine.check()] == ["log: event 2 was altered"]
