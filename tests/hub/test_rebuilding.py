"""Search and timelines made anew on each engine: as they were, while others work, and on from where one was cut off."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from hub.company import Company
from hub.rebuilding import rebuild
from schemas.commands import NoteCase, ReplyToCase
from schemas.documents import Entry
from schemas.errors import Conflict, Invalid
from schemas.events import SYSTEM
from schemas.ports import Engine
from schemas.steps import Hit, Step
from sinks.distributed.engine import DistributedEngine
from sinks.mongo.layout import ENTRIES
from sinks.sqlite.connection import FILE
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.engines import CHOICES, ENGINES
from tests.hub.test_flow import CONFIGURATION, MIA, OPERATOR, Flow
from tests.support.clock import StandingClock

WORDS = ("invoice", "zebra", "bookkeeper", "ann@example.com")


@pytest.fixture(params=CHOICES)
async def flow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await ENGINES[request.param](tmp_path / "data", clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    flow = Flow(engine, clock, company)
    await work(flow, "a", "b", "c")
    yield flow
    await engine.close()


async def work(flow: Flow, *names: str) -> None:
    for name in names:
        await flow.receive(name, subject=f"Invoice {name}")
    await flow.settle()
    for case in await flow.cases():
        if case.subject[-1] in names:
            await flow.do(MIA, ReplyToCase, case, text="Here is your zebra.")
            await flow.do(MIA, NoteCase, case, text="Ask the bookkeeper.")
    await flow.settle()


async def done(engine: Engine, clock: StandingClock, projection: str, *, drop: bool = False) -> int:
    """Rebuilds; how much was written anew."""
    lines = [each async for each in rebuild(engine, clock, projection, drop=drop)]
    assert lines[-1]["result"] == "rebuilt"
    return int(str(lines[-1]["written"]))


async def found(flow: Flow) -> dict[str, list[Hit]]:
    return {
        word: sorted((await flow.service.search(OPERATOR, word)).items, key=lambda hit: hit.case)
        for word in WORDS
    }


async def timelines(flow: Flow) -> dict[UUID, list[Entry]]:
    return {case.id: list((await flow.service.timeline(OPERATOR, case)).items) for case in await flow.cases()}


async def damage(engine: Engine, kind: str, how: str) -> None:
    """One entry of a kind goes, or says something else."""
    if isinstance(engine, DistributedEngine):
        entries = engine.database.collection(ENTRIES)
        (row,) = await entries.find({"kind": kind}, limit=1)
        if how == "gone":
            await entries.delete_all({"_id": row["_id"]})
            return
        body = row["body"].replace('"text":"', '"text":"Not ')
        assert body != row["body"]
        await entries.update_each([({"_id": row["_id"]}, {"$set": {"body": body}})])
        return
    assert isinstance(engine, SqliteEngine)
    with apsw.Connection(str(engine.folder / FILE)) as connection:
        connection.set_busy_timeout(5000)
        (number,) = connection.execute("SELECT min(rowid) FROM entries WHERE kind = ?", (kind,)).fetchone()  # type: ignore[misc]
        connection.execute("DELETE FROM entries WHERE rowid = ?", (number,))


async def test_what_is_right_is_left(flow: Flow) -> None:
    for projection in ("search", "timeline"):
        assert await done(flow.engine, flow.clock, projection) == 0
    assert await flow.faults() == []


async def test_a_search_that_was_dropped_finds_all_again(flow: Flow) -> None:
    before = await found(flow)
    assert all(before.values()), before
    await flow.engine.forget_search()
    assert not any((await found(flow)).values())
    written = await done(flow.engine, flow.clock, "search")
    assert written > 0
    assert await found(flow) == before
    assert await done(flow.engine, flow.clock, "search", drop=True) == written
    assert await found(flow) == before
    assert await flow.faults() == []


@pytest.mark.parametrize("kind", ["message", "reply", "note", "step"])
async def test_an_entry_that_is_gone_is_made_again(flow: Flow, kind: str) -> None:
    before = await timelines(flow)
    await damage(flow.engine, kind, "gone")
    assert await timelines(flow) != before
    assert await done(flow.engine, flow.clock, "timeline") == 1
    assert await timelines(flow) == before
    assert await flow.faults() == []


@pytest.mark.parametrize("flow", CHOICES[1:], indirect=True)
@pytest.mark.parametrize("kind", ["message", "reply", "note"])
async def test_an_entry_that_says_something_else_is_made_again(flow: Flow, kind: str) -> None:
    before = await timelines(flow)
    await damage(flow.engine, kind, "altered")
    assert await timelines(flow) != before
    assert await done(flow.engine, flow.clock, "timeline") == 1
    assert await timelines(flow) == before
    assert await flow.faults() == []


async def cut_off(engine: Engine, clock: StandingClock, projection: str) -> None:
    """After its first page."""
    lines = rebuild(engine, clock, projection)
    await anext(lines)
    await lines.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("projection", ["search", "timeline"])
async def test_one_that_was_cut_off_goes_on_where_it_was(
    flow: Flow, projection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"hub.rebuilding.{projection}.EVENTS_AT_ONCE", 8)
    before = await timelines(flow), await found(flow)
    total = [each async for each in rebuild(flow.engine, flow.clock, projection)][-1]["looked_at"]
    if projection == "search":
        await flow.engine.forget_search()
    else:
        await damage(flow.engine, "note", "gone")
    await cut_off(flow.engine, flow.clock, projection)
    lines = [each async for each in rebuild(flow.engine, flow.clock, projection)]
    assert int(str(lines[-1]["looked_at"])) < int(str(total))
    assert (await timelines(flow), await found(flow)) == before
    assert await flow.faults() == []


class Meanwhile:
    """The engine, on which somebody works between what a rebuild reads and what it writes."""

    def __init__(self, engine: Engine, work: Callable[[], object]) -> None:
        self._engine = engine
        self._work = work

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    async def commit(self, step: Step) -> None:
        work, self._work = self._work, lambda: None
        result = work()
        if result is not None:
            await result  # type: ignore[misc]
        await self._engine.commit(step)


@pytest.mark.parametrize("projection", ["search", "timeline"])
async def test_what_comes_while_it_goes_on_is_there_in_the_end(flow: Flow, projection: str) -> None:
    await flow.engine.forget_search()
    busy = Meanwhile(flow.engine, lambda: work(flow, "d", "e"))
    await done(busy, flow.clock, projection)  # type: ignore[arg-type]
    await done(flow.engine, flow.clock, "search")
    assert {hit.case for hit in (await found(flow))["zebra"]} == {case.id for case in await flow.cases()}
    assert await flow.faults() == []


async def test_two_at_once_are_told_apart(flow: Flow) -> None:
    busy = Meanwhile(flow.engine, lambda: cut_off(flow.engine, flow.clock, "search"))
    with pytest.raises(Conflict, match="another rebuild"):
        await done(busy, flow.clock, "search")  # type: ignore[arg-type]


async def test_a_timeline_is_never_dropped(flow: Flow) -> None:
    with pytest.raises(Invalid, match="never dropped"):
        await done(flow.engine, flow.clock, "timeline", drop=True)
    with pytest.raises(Invalid, match="one of search, timeline"):
        await done(flow.engine, flow.clock, "cases")
