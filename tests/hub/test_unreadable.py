"""A stored document that fits no schema stops nobody but the events that need it, and these say which it is."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.company import Company
from schemas.collections import CASES, DEAD_LETTERS
from schemas.commands import NoteCase, SnoozeCase
from schemas.documents import Case, Entry
from schemas.events import SYSTEM, Actor, Event
from schemas.ids import derive
from schemas.letters import DeadLetter
from schemas.steps import Query, Step
from sinks.distributed.engine import DistributedEngine
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.engines import ATOMIC, ENGINES
from tests.hub.test_flow import CONFIGURATION, OPERATOR, Flow
from tests.support.clock import StandingClock

BROKEN = '{"id": 7, "of": "another world"}'


@pytest.fixture(params=ATOMIC)
async def flow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await ENGINES[request.param](tmp_path / "data", clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    yield Flow(engine, clock, company)
    await engine.close()


async def damage(flow: Flow, kind: type[Case] | type[Entry], of: Case) -> None:
    """Make what is stored of a case, or of all its entries, fit no schema."""
    engine = flow.engine
    if isinstance(engine, SqliteEngine):
        if kind is Case:
            sql, argument = "UPDATE cases SET document = ? WHERE id = ?", of.id.bytes
        else:
            sql = "UPDATE entries SET document = ? WHERE case_ref = (SELECT number FROM refs WHERE id = ?)"
            argument = of.id.bytes
        await engine.write(lambda store: store.connection.execute(sql, (BROKEN.encode(), argument)))
        return
    assert isinstance(engine, DistributedEngine)
    name, found = ("cases", {"_id": str(of.id)}) if kind is Case else ("entries", {"case": str(of.id)})
    await engine.database.collection(name).update_all(found, {"$set": {"body": BROKEN}})


async def two_cases(flow: Flow) -> tuple[Case, Case]:
    await flow.receive("one", conversation="one", external_id="<one>")
    await flow.receive("two", conversation="two", external_id="<two>")
    await flow.settle()
    one, two = sorted(await flow.cases(), key=lambda case: case.conversation)
    return one, two


def note(case: Case, text: str) -> Event:
    data = NoteCase(case=case.id, actor=Actor(kind="agent", id="mia"), text=text)
    id = derive("note", text)
    return Event(id, str(case.id), case.opened_at, data, "/tests", id)


async def letters(flow: Flow) -> list[DeadLetter]:
    page = await flow.engine.find(Query(DEAD_LETTERS))
    return [each for each in page.items if isinstance(each, DeadLetter)]


async def test_events_that_need_it_are_dead_letters_and_all_others_go_on(flow: Flow) -> None:
    broken, whole = await two_cases(flow)
    await damage(flow, Case, broken)
    notes = [note(broken, "first"), note(whole, "second"), note(broken, "third"), note(whole, "fourth")]
    await flow.engine.commit(Step(events=notes))
    await flow.settle()
    (after,) = await flow.cases()
    assert (after.id, after.revision) == (whole.id, whole.revision + 2)
    found = await letters(flow)
    assert {each.event for each in found} == {notes[0].id, notes[2].id}
    assert all(each.stage == "load" and f"cases: {broken.id} fits no schema" in each.reason for each in found)


async def test_an_entry_that_nobody_can_read_stops_no_consumer(flow: Flow) -> None:
    broken, whole = await two_cases(flow)
    await damage(flow, Entry, broken)
    await flow.receive("third", conversation="two", external_id="<three>")
    await flow.settle()
    assert [each.text for each in (await flow.service.timeline(OPERATOR, broken)).items] == []
    assert len((await flow.service.timeline(OPERATOR, whole)).items) > 0


async def test_lists_and_timers_leave_it_out(flow: Flow) -> None:
    broken, whole = await two_cases(flow)
    for case in (broken, whole):
        await flow.do(OPERATOR, SnoozeCase, case, until=flow.clock.now() + timedelta(hours=1))
    await damage(flow, Case, broken)
    flow.clock.time += timedelta(hours=2)
    assert await flow.timers.tick() == 1
    await flow.settle()
    page = await flow.engine.find(Query(CASES))
    assert [each.id for each in page.items] == [whole.id]


async def test_verify_names_it(flow: Flow) -> None:
    broken, _ = await two_cases(flow)
    await damage(flow, Case, broken)
    faults = await flow.faults()
    assert any(f"cases: {broken.id} fits no schema" in each for each in faults)
