"""What an automation sets a timer for follows from it when the time comes, so that a loop over timers ends as any other."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.company import Company
from hub.verify import Verification
from schemas.automation import AutomationFired, AutomationSuppressed
from schemas.commands import TransferCase
from schemas.configuration import Configuration
from schemas.documents import Case
from schemas.events import SYSTEM
from schemas.ids import derive
from schemas.steps import START
from schemas.topics import Topic
from sinks.sqlite.engine import open_engine
from tests.hub.test_flow import OPERATOR, Flow
from tests.support.clock import StandingClock


def moved_when_overdue(here: str, there: str) -> dict[str, object]:
    when = {"field": "case.queue", "operator": "is", "value": here}
    return {
        "name": f"{here}-to-{there}",
        "event": "overdue",
        "when": when,
        "actions": [{"action": "move", "queue": there}],
    }


CONFIGURATION = Configuration.model_validate(
    {
        "queues": [
            {"name": name, "title": name.title(), "first_response_minutes": 60}
            for name in ("inbox", "billing")
        ],
        "automations": [
            moved_when_overdue("inbox", "billing"),
            moved_when_overdue("billing", "inbox"),
            {
                "name": "look-again",
                "event": "scheduled",
                "actions": [
                    {"action": "tag", "add": ["looked"]},
                    {"action": "schedule", "minutes": 10, "automation": "look-again"},
                ],
            },
            {
                "name": "begin",
                "event": "opened",
                "actions": [{"action": "schedule", "minutes": 10, "automation": "look-again"}],
            },
        ],
    }
)


@pytest.fixture
async def flow(tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await open_engine(tmp_path, clock=clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    try:
        yield Flow(engine, clock, company)
    finally:
        await engine.close()


async def pass_hours(flow: Flow, hours: int) -> None:
    for _ in range(hours * 12):
        flow.clock.time += timedelta(minutes=5)
        await flow.timers.tick()
        await flow.settle()


async def told(flow: Flow) -> list[tuple[str, str]]:
    records = await flow.engine.scan((Topic.AUTOMATION,), START, 1000)
    found = [each.event.data for each in records if each.event is not None]
    return [
        (each.automation, each.reason if isinstance(each, AutomationSuppressed) else "fired")
        for each in found
        if isinstance(each, AutomationFired | AutomationSuppressed)
    ]


async def only_case(flow: Flow) -> Case:
    (case,) = await flow.cases()
    return case


async def test_two_queues_that_send_each_other_what_is_late_do_so_once_each(flow: Flow) -> None:
    await flow.receive("one")
    await flow.settle()
    await pass_hours(flow, 12)
    moves = [each for each in await told(flow) if "-to-" in each[0]]
    loop = "loop: the event follows from this automation itself (inbox-to-billing → billing-to-inbox)"
    assert moves == [
        ("inbox-to-billing", "fired"),
        ("billing-to-inbox", "fired"),
        ("inbox-to-billing", loop),
    ]
    assert [fault async for fault in Verification(flow.engine).faults()] == []


async def test_after_somebody_moved_the_case_it_begins_anew(flow: Flow) -> None:
    await flow.receive("one")
    await flow.settle()
    await pass_hours(flow, 12)
    case = await only_case(flow)
    moved = TransferCase(case=case.id, actor=SYSTEM, queue="billing")
    await flow.service.command(OPERATOR, moved, derive("moved by hand"))
    await pass_hours(flow, 1)
    assert [each for each in await told(flow) if "-to-" in each[0]][3:] == [("billing-to-inbox", "fired")]


async def test_an_automation_that_schedules_itself_runs_once(flow: Flow) -> None:
    await flow.receive("one")
    await flow.settle()
    await pass_hours(flow, 2)
    looked = [each for each in await told(flow) if each[0] in ("begin", "look-again")]
    assert looked == [
        ("begin", "fired"),
        ("look-again", "fired"),
        ("look-again", "loop: the event follows from this automation itself (begin → look-again)"),
    ]
