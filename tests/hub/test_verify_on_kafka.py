"""Conservation on a log of many partitions, where events may stand twice and effects before their causes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.company import Company
from hub.verify import Verification
from schemas.commands import ReplyToCase
from schemas.events import SYSTEM
from schemas.ids import derive
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.codec import to_message
from tests.contracts.engines import ENGINES
from tests.hub.test_flow import CONFIGURATION, MIA, Flow
from tests.support.clock import StandingClock

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
]


FORGED = derive("test", "forged")


class Backwards:
    """A clock of a process whose every event looks older than the one before."""

    def __init__(self) -> None:
        self.micros = 2_000_000_000_000_000

    def next(self) -> int:
        self.micros -= 1000
        return self.micros

    def observe(self, stamp: int) -> None:
        return


@pytest.fixture
async def flow(tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await ENGINES["nx-27017"](tmp_path / "data", clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    yield Flow(engine, clock, company)
    await engine.close()


async def work(flow: Flow) -> None:
    for name in ("a", "b", "c"):
        await flow.receive(name)
    await flow.settle()
    await flow.do(MIA, ReplyToCase, (await flow.cases())[0], text="Here it is.")
    await flow.settle()


async def test_events_that_were_published_twice_are_no_fault(flow: Flow) -> None:
    await work(flow)
    records = await flow.engine.scan(list(Topic), START, 1000)
    again = [each.event for each in records if each.event and each.topic is not Topic.CONFIGURATION]
    await flow.engine.commit(Step(events=again))
    await flow.settle()
    assert len(flow.relay.sent) == 4
    run = Verification(flow.engine)
    assert [fault async for fault in run.faults()] == []
    assert run.counts["repeated"] > 0
    assert run.counts["cases:duplicate"] > 0


async def test_effects_that_are_read_before_their_causes_are_no_fault(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(flow.engine, DistributedEngine)
    monkeypatch.setattr(flow.engine.events._publisher, "_stamps", Backwards())
    await work(flow)
    records = await flow.engine.scan([Topic.INTERACTIONS, Topic.CASES], START, 1000)
    assert records[0].topic is Topic.CASES, "the clock did not go backwards"
    assert await flow.faults() == []


async def test_a_case_event_that_nobody_received_a_message_for_is_found(flow: Flow) -> None:
    await work(flow)
    (record, *_) = [
        each
        for each in await flow.engine.scan([Topic.CASES], START, 100)
        if each.type == "hubbub.case.opened"
    ]
    assert record.event is not None
    assert isinstance(flow.engine, DistributedEngine)
    other = record.event.data.model_copy(update={"case": FORGED, "interaction": FORGED})
    forged = to_message(replace(record.event, id=FORGED, key=str(FORGED), data=other), 1)
    await flow.engine.events.publish([forged])
    assert any("not on the log before it" in fault for fault in await flow.faults())
