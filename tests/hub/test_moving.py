"""A company that ran in its data folder goes on, on Kafka and a store of MongoDB's protocol, as if nothing had happened."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from connectors.kit.intake import Accepted
from hub.company import Company
from hub.moving.move import Failed, Move, Where
from hub.moving.moved import FILE as MOVED
from hub.moving.moved import refuse_moved
from schemas.accounts import SESSIONS, USERS, Session, User
from schemas.cases import CaseState
from schemas.collections import DEAD_LETTERS
from schemas.commands import MergeCase, NoteCase, ReplyToCase, SnoozeCase
from schemas.crash import MOVE_CRASH_POINTS, Crashed, arm, set_hook
from schemas.documents import Case
from schemas.errors import Refused
from schemas.events import SYSTEM
from schemas.ids import derive, item_id, sha256
from schemas.interactions import BlobRef, Content, InteractionReceived, Kind, Part
from schemas.letters import DeadLetter
from schemas.ports import Engine
from schemas.steps import START, Blob, Query, Step
from schemas.topics import Topic
from sinks.distributed.engine import Access, DistributedEngine, open_distributed
from sinks.mongo.layout import ENTRIES
from sinks.s3.settings import S3Settings
from sinks.sqlite.engine import open_engine
from sinks.sqlite.errors import FolderInUse
from tests.hub.test_flow import CONFIGURATION, MIA, OPERATOR, Flow
from tests.support.clock import StandingClock
from tests.support.s3 import s3_server
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.server("ferretdb"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
]
LARGE = bytes(range(256)) * 512


def new_where(folder: Path, database: str = "nx-27017") -> Where:
    name = uuid4().hex[:10]
    log = f"{server('kafka').url}?prefix=move-{name}.&partitions=2"
    return Where(folder, log, f"{server(database).url}move_{name}", Access())


async def ran(folder: Path) -> StandingClock:
    """A company that has worked for a while, and stopped with a mail that nobody had looked at."""
    clock = StandingClock()
    engine = await open_engine(folder, clock=clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    flow = Flow(engine, clock, company)
    for name in ("a", "b", "c", "d"):
        await flow.receive(name, subject=f"Invoice {name}")
        clock.time += timedelta(minutes=1)
    await receive_large(flow)
    await flow.settle()
    a, b, c = [await case_about(flow, f"Invoice {name}") for name in ("a", "b", "c")]
    await flow.do(MIA, ReplyToCase, a, text="Here it is, a zebra.")
    await flow.do(MIA, NoteCase, b, text="Ask the bookkeeper.")
    await flow.do(MIA, SnoozeCase, b, until=clock.now() + timedelta(hours=1))
    await flow.settle()
    await flow.do(MIA, MergeCase, c, into=a.id)
    await flow.receive("a", subject="Invoice a")
    await flow.settle()
    await keep_others(flow)
    await flow.receive("unseen", subject="Invoice unseen")
    assert await flow.faults() == []
    await engine.close()
    return clock


async def receive_large(flow: Flow) -> None:
    original = Blob(BlobRef(sha256=sha256(LARGE), size=len(LARGE)), LARGE)
    received = InteractionReceived(
        part=Part(item=item_id("email", "support", "large")),
        channel="email",
        account="support",
        brand="default",
        conversation="mail:large",
        occurred_at=flow.clock.now(),
        received_at=flow.clock.now(),
        original=original.ref,
        kind=Kind.MESSAGE,
        external_id="mail:large",
        content=Content(subject="Large", text="Much"),
    )
    await flow.intake.accept(Accepted(received.part.item, original, (received,)))


async def keep_others(flow: Flow) -> None:
    now = flow.clock.now()
    (first, *_) = await flow.engine.scan([Topic.INTERACTIONS], START, 1)
    letter = DeadLetter(
        id=derive("letter"),
        consumer="cases",
        event=first.id,
        event_type=first.type,
        key=first.key,
        position=first.place,
        attributes={},
        value=first.value,
        stage="decide",
        reason="odd",
        added_at=now,
    )
    user = User(id=derive("user"), name="mia", password_hash="secret", created_at=now)
    session = Session(
        id=derive("session"),
        user="mia",
        csrf="x",
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(days=1),
    )
    await flow.engine.commit(Step(documents=[(letter, 0), (user, 0), (session, 0)]))


async def case_about(flow: Flow, subject: str) -> Case:
    (case,) = [each for each in await flow.cases() if each.subject == subject]
    return case


def move(where: Where, clock: StandingClock, keep_sessions: bool = False) -> Move:
    return Move(where, clock, lambda part, count: None, keep_sessions)


async def opened(where: Where, clock: StandingClock) -> DistributedEngine:
    return await open_distributed(where.log, where.store, clock=clock)


async def goes_on(where: Where, clock: StandingClock) -> None:
    """The company works on the new engine with all that it knew."""
    engine = await opened(where, clock)
    try:
        flow = Flow(engine, clock, await Company.open(engine, clock))
        assert flow.company.current.number == 1
        await flow.settle()
        unseen = await case_about(flow, "Invoice unseen")
        assert unseen.queue == "billing"
        await flow.receive(
            "e", subject="Re: Invoice a", text="Thanks", parents=("mail:a",), conversation="mail:a"
        )
        await flow.receive("b", subject="Invoice b")
        clock.time += timedelta(hours=2)
        assert await flow.timers.tick() == 1
        await flow.settle()
        a, b = await case_about(flow, "Invoice a"), await case_about(flow, "Invoice b")
        assert b.state is CaseState.OPEN
        texts = [entry.text for entry in (await flow.service.timeline(OPERATOR, a)).items]
        assert {"Thanks", "Here it is, a zebra."} <= set(texts)
        assert [hit.case for hit in (await flow.service.search(OPERATOR, "zebra")).items] == [a.id]
        assert len(await flow.cases()) == 6
        assert await engine.blob(BlobRef(sha256=sha256(LARGE), size=len(LARGE))) == LARGE
        await letter_names_its_event(engine)
        assert await flow.faults() == []
    finally:
        await engine.close()


async def letter_names_its_event(engine: Engine) -> None:
    (letter,) = (await engine.find(Query(DEAD_LETTERS))).items
    assert isinstance(letter, DeadLetter)
    record = await engine.record(letter.position)
    assert record is not None
    assert record.id == letter.event


@pytest.mark.parametrize("database", ["nx-27017", "ferretdb"])
async def test_a_company_goes_on_where_it_was(tmp_path: Path, database: str) -> None:
    clock = await ran(tmp_path)
    where = new_where(tmp_path, database)
    assert await move(where, clock).run() == []
    await goes_on(where, clock)
    with pytest.raises(Refused, match="was moved to kafka"):
        refuse_moved(tmp_path)


async def test_users_are_carried_and_sessions_only_where_asked(tmp_path: Path) -> None:
    clock = await ran(tmp_path)
    for keep_sessions in (False, True):
        where = new_where(tmp_path)
        await move(where, clock, keep_sessions).run()
        engine = await opened(where, clock)
        assert await engine.count(Query(USERS)) == 1
        assert await engine.count(Query(SESSIONS)) == keep_sessions
        await engine.close()


@pytest.mark.parametrize("passage", [1, 2])
@pytest.mark.parametrize("point", MOVE_CRASH_POINTS)
async def test_a_move_that_was_cut_off_goes_on(
    tmp_path: Path, point: str, passage: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.moving.log.EVENTS_AT_ONCE", 7)
    monkeypatch.setattr("hub.moving.copying.EVENTS_AT_ONCE", 7)
    monkeypatch.setattr("hub.moving.copying.DOCUMENTS_AT_ONCE", 2)
    monkeypatch.setattr("hub.moving.copying.CASES_AT_ONCE", 2)
    clock = await ran(tmp_path)
    where = new_where(tmp_path)
    arm(point, passage)
    try:
        await move(where, clock).run()
    except Crashed:
        set_hook(None)
        with pytest.raises(Refused, match="being moved"):
            await opened(where, clock)
        await move(where, clock).run()
    else:
        assert passage == 2, "the point was not passed"
    finally:
        set_hook(None)
    await goes_on(where, clock)


async def test_nothing_is_moved_onto_what_is_there(tmp_path: Path) -> None:
    clock = await ran(tmp_path)
    where = new_where(tmp_path)
    await move(where, clock).run()
    with pytest.raises(Refused, match="moved to this store before"):
        await move(where, clock).run()
    elsewhere = new_where(tmp_path)
    await move(elsewhere, clock).look()  # changes nothing
    await move(elsewhere, clock).run()
    await goes_on(elsewhere, clock)


async def test_a_log_with_events_on_it_is_no_target(tmp_path: Path) -> None:
    clock = await ran(tmp_path / "one")
    await ran(tmp_path / "two")
    taken = new_where(tmp_path / "one")
    await move(taken, clock).run()
    other = new_where(tmp_path / "two")
    with pytest.raises(Refused, match="not empty \\(events on"):
        await move(Where(other.folder, taken.log, other.store, Access()), clock).look()


async def test_nothing_is_moved_while_a_hub_runs(tmp_path: Path) -> None:
    clock = await ran(tmp_path)
    hub = await open_engine(tmp_path, clock=clock)
    try:
        with pytest.raises(FolderInUse):
            await move(new_where(tmp_path), clock).look()
    finally:
        await hub.close()


async def lose_an_entry(engine: DistributedEngine) -> None:
    rows = await engine.database.collection(ENTRIES).find({}, ("_id",), limit=1)
    await engine.database.collection(ENTRIES).delete_all({"_id": rows[0]["_id"]})


async def double_an_event(engine: DistributedEngine) -> None:
    records = await engine.scan([Topic.CASES], START, 1)
    assert records[0].event is not None
    await engine.commit(Step(events=[records[0].event]))


@pytest.mark.parametrize("damage", [lose_an_entry, double_an_event])
async def test_what_is_not_as_it_was_is_told_and_the_folder_stays_as_it_is(
    tmp_path: Path, damage: Callable[[DistributedEngine], Awaitable[None]]
) -> None:
    clock = await ran(tmp_path)
    where = new_where(tmp_path)
    arm("move.before-positions")
    with pytest.raises(Crashed):
        await move(where, clock).run()
    set_hook(None)
    engine = await open_distributed(where.log, where.store, clock=clock, is_moving=True)
    await damage(engine)
    await engine.close()
    with pytest.raises(Failed) as failed:
        await move(where, clock).run()
    assert failed.value.faults
    assert not (tmp_path / MOVED).exists()
    again = await open_engine(tmp_path, clock=clock)
    await again.close()


async def test_large_originals_go_to_the_bucket_that_the_target_names(tmp_path: Path) -> None:
    clock = await ran(tmp_path)
    with s3_server("moved") as url:
        keys = S3Settings(access_key_id="hubbub", secret_access_key=SecretStr("secret"))
        access = Access(blobs=f"s3://moved/originals?endpoint={url}", s3=keys)
        where = replace(new_where(tmp_path), access=access)
        assert await move(where, clock).run() == []
        engine = await open_distributed(where.log, where.store, clock=clock, access=access)
        try:
            name = sha256(LARGE)
            assert await engine.database.get_file(name) is None
            assert engine.files is not None
            assert await engine.files.get_file(name) == LARGE
        finally:
            await engine.close()
