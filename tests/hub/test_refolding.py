"""Cases that an earlier version folded: compared under their version, folded again when decided on and in the background."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.company import Company
from hub.refolding import Refolding
from processors.cases.folds import FOLD, as_of
from schemas.case_messages import CaseNoted
from schemas.cases import CaseState
from schemas.commands import NoteCase
from schemas.configuration import Configuration
from schemas.documents import Case
from schemas.events import SYSTEM, Event
from schemas.ids import derive
from schemas.steps import References, Step
from tests.contracts.engines import ATOMIC, ENGINES
from tests.hub.test_flow import OPERATOR, Flow
from tests.support.clock import StandingClock

CONFIGURATION = Configuration.model_validate(
    {
        "queues": [{"name": "inbox", "title": "Inbox"}],
        "automations": [
            {
                "name": "later",
                "event": "opened",
                "actions": [{"action": "schedule", "minutes": 60, "automation": "look"}],
            },
            {"name": "look", "event": "scheduled", "actions": [{"action": "tag", "add": ["looked"]}]},
        ],
    }
)


@pytest.fixture(params=ATOMIC)
async def flow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await ENGINES[request.param](tmp_path / "data", clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    yield Flow(engine, clock, company)
    await engine.close()


async def written_before(flow: Flow) -> tuple[Case, Case]:
    """A case with a timer that an automation set, as it is and as the first version has stored it."""
    await flow.receive("one")
    await flow.settle()
    (case,) = await flow.cases()
    earlier = as_of(case, 1)
    assert earlier.timers != case.timers
    await flow.engine.commit(Step(remade=[earlier]))
    return case, earlier


async def stored(flow: Flow, case: Case) -> Case:
    found = (await flow.engine.load(References(documents={Case: {case.id}}))).documents[case.id]
    assert isinstance(found, Case)
    return found


async def test_a_case_of_an_earlier_version_is_whole_as_it_is(flow: Flow) -> None:
    case, earlier = await written_before(flow)
    assert await stored(flow, case) == earlier
    assert await flow.faults() == []


async def test_what_differs_for_another_reason_is_found_in_it_all_the_same(flow: Flow) -> None:
    case, earlier = await written_before(flow)
    await flow.engine.commit(Step(remade=[earlier.model_copy(update={"queue": "elsewhere"})]))
    assert await flow.faults() == [f"d: case {case.number} is not the fold of its events {case.id}"]


async def test_all_are_folded_again_in_the_background(flow: Flow) -> None:
    case, _ = await written_before(flow)
    assert await Refolding(flow.engine).run() == 1
    assert await stored(flow, case) == case
    assert await Refolding(flow.engine).run() == 0
    assert await flow.faults() == []


async def test_who_decides_on_one_decides_on_what_it_is_now(flow: Flow) -> None:
    case, _ = await written_before(flow)
    if not flow.engine.is_one_order:  # finding the events of one case there means reading the log: they wait
        await Refolding(flow.engine).run()
    await flow.do(OPERATOR, NoteCase, case, text="Called.")
    after = await stored(flow, case)
    assert (after.fold, after.timers, after.revision) == (FOLD, case.timers, case.revision + 1)
    flow.clock.time += timedelta(hours=2)
    await flow.timers.tick()
    await flow.settle()
    assert (await stored(flow, case)).tags == ("looked",)
    assert await flow.faults() == []


async def test_a_case_whose_events_are_gone_is_left_as_it_is(flow: Flow) -> None:
    case, earlier = await written_before(flow)
    ahead = earlier.model_copy(update={"revision": earlier.revision + 1, "state": CaseState.RESOLVED})
    await flow.engine.commit(Step(documents=[(ahead, earlier.revision)]))
    assert await Refolding(flow.engine).run() == 0
    assert await stored(flow, case) == ahead
    assert await flow.faults() == [f"d: case {case.number} is not the fold of its events {case.id}"]


async def test_a_case_whose_opening_is_not_on_the_log_is_decided_on_as_it_is(flow: Flow) -> None:
    case, _ = await written_before(flow)
    stray = case.model_copy(update={"id": derive("stray"), "number": "stray", "revision": 1, "fold": 1})
    data = CaseNoted(case=stray.id, actor=SYSTEM, text="Out of nowhere.")
    noted = Event(
        derive("noted"), str(stray.id), flow.clock.now(), data, "/tests", derive("noted"), sequence=1
    )
    await flow.engine.commit(Step(events=[noted], documents=[(stray, 0)]))
    await flow.do(OPERATOR, NoteCase, stray, text="Called.")
    assert (await stored(flow, stray)).revision == 2


async def test_a_case_of_a_later_version_is_told_apart_and_no_fault(flow: Flow) -> None:
    case, _ = await written_before(flow)
    await flow.engine.commit(Step(remade=[case.model_copy(update={"fold": FOLD + 1, "messages": 99})]))
    assert await flow.faults() == []
