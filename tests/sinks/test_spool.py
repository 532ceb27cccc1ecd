"""Items that come while nothing takes them: kept, handed on in order, neither lost nor doubled."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from schemas.accounts import AnsweredRequest
from schemas.crash import SPOOL_CRASH_POINTS, Crashed, arm, set_hook
from schemas.errors import Conflict, Never, Outage
from schemas.events import Event
from schemas.ids import derive, sha256
from schemas.interactions import BlobRef
from schemas.letters import QuarantineItem
from schemas.parking import Quarantined
from schemas.steps import Blob, Found, References, Step
from sinks.spool import file
from sinks.spool.codec import from_bytes, to_bytes
from sinks.spool.file import FILE, Figures, SpoolFile
from sinks.spool.settings import SpoolSettings
from sinks.spool.spool import Spool, spooled_items
from sinks.sqlite.errors import FolderInUse
from tests.contracts.samples import FixedClock, received
from tests.support.waiting import eventually

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Log:
    """An engine that is down, slow, or takes everything."""

    is_down: bool = False
    is_stalled: bool = False
    too_large: set[UUID] = field(default_factory=set)
    taken: list[Step] = field(default_factory=list)
    answers: dict[UUID, AnsweredRequest] = field(default_factory=dict)

    async def commit(self, step: Step) -> None:
        if self.is_stalled:
            await asyncio.Event().wait()
        if self.is_down:
            raise Outage("kafka: down")
        documents = [each for each, _ in step.documents if isinstance(each, AnsweredRequest)]
        if any(each.id in self.answers for each in documents):
            raise Conflict("the answer is there")
        if any(each.id in self.too_large for each in step.events):
            raise Never("the log takes no event of that size")
        self.answers.update({each.id: each for each in documents})
        self.taken.append(step)

    async def load(self, references: References) -> Found:
        if self.is_down:
            raise Outage("mongodb: down")
        wanted = references.documents.get(AnsweredRequest, set())
        return Found(documents={id: self.answers[id] for id in wanted if id in self.answers})

    def events(self) -> list[UUID]:
        return [each.id for step in self.taken for each in step.events]


def settings(folder: Path, **given: int) -> SpoolSettings:
    return SpoolSettings.model_validate({"folder": folder / "spool", "after_seconds": 0.2, **given})


@pytest.fixture
def engine() -> Log:
    return Log()


@pytest.fixture
async def spool(engine: Log, tmp_path: Path) -> AsyncIterator[Spool]:
    made = Spool(engine, settings(tmp_path), FixedClock())
    await made.start()
    yield made
    await made.stop()


def item(number: int, size: int = 10) -> Step:
    content = bytes([number % 256]) * size
    return Step(events=[received(number)], blobs=[Blob(BlobRef(sha256=sha256(content), size=size), content)])


def answered(number: int, digest: str = "a") -> Step:
    answer = AnsweredRequest(
        id=derive("answer", str(number)),
        digest=digest,
        status=200,
        body=b"kept",
        expires_at=NOW + timedelta(days=1),
    )
    step = item(number)
    step.documents.append((answer, 0))
    return step


def quarantined(number: int) -> Step:
    original = item(number).blobs[0]
    told = Quarantined(
        item=derive("item", str(number)),
        channel="email",
        account="help",
        original=original.ref,
        stage="parse",
        reason="it is odd",
        received_at=NOW,
    )
    kept = QuarantineItem(
        id=told.item,
        channel="email",
        account="help",
        original=original.ref,
        stage="parse",
        reason="it is odd",
        received_at=NOW,
    )
    id = derive("quarantined", told.item.hex)
    event = Event(id=id, key=told.item.hex, time=NOW, data=told, source="/test", correlation=id)
    return Step(events=[event], blobs=[original], documents=[(kept, 0)])


def test_a_step_of_intake_is_the_same_after_it_was_bytes() -> None:
    for step in (item(1), answered(2), quarantined(3), Step(events=[received(4), received(5)])):
        assert from_bytes(to_bytes(step)) == step


async def test_what_the_engine_takes_does_not_touch_the_disk(spool: Spool, engine: Log) -> None:
    await spool.commit(item(1))
    assert engine.events() == [received(1).id]
    assert spool.spooled == 0


async def test_what_comes_in_an_outage_is_handed_on_in_order_when_it_is_over(
    spool: Spool, engine: Log
) -> None:
    engine.is_down = True
    for number in range(1, 8):
        await spool.commit(answered(number) if number % 3 == 0 else item(number))
    assert spool.figures().items == 7
    engine.is_down = False
    await eventually(lambda: spool.figures().items == 0)
    assert engine.events() == [received(number).id for number in range(1, 8)]
    assert [blob.content for step in engine.taken for blob in step.blobs] == [
        item(number).blobs[0].content for number in range(1, 8)
    ]


async def test_what_comes_while_anything_waits_goes_behind_it(spool: Spool, engine: Log) -> None:
    engine.is_stalled = True
    await spool.commit(item(1))
    await asyncio.gather(*(spool.commit(item(number)) for number in range(2, 6)))
    engine.is_stalled = False
    await spool.commit(item(6))
    await spool.stop()
    again = Spool(engine, SpoolSettings(folder=spool.folder), FixedClock())
    await again.start()
    await again.commit(item(7))
    await eventually(lambda: again.figures().items == 0)
    await again.stop()
    seen = list(dict.fromkeys(engine.events()))
    assert seen[0] == received(1).id
    assert seen[-2:] == [received(6).id, received(7).id]
    assert len(seen) == 7


async def test_an_item_that_comes_twice_in_an_outage_waits_once(spool: Spool, engine: Log) -> None:
    engine.is_down = True
    await spool.commit(item(1))
    await spool.commit(item(1))
    assert spool.figures().items == 1
    known = await spool.load(References(handled={received(1).id}))
    assert known.handled == {received(1).id}


async def test_the_answer_to_a_key_that_was_used_in_the_outage_stands(spool: Spool, engine: Log) -> None:
    engine.is_down = True
    await spool.commit(answered(1))
    with pytest.raises(Conflict):
        await spool.commit(answered(1, digest="b"))
    references = References()
    references.want(AnsweredRequest, derive("answer", "1"))
    (kept,) = (await spool.load(references)).documents.values()
    assert isinstance(kept, AnsweredRequest)
    assert kept.digest == "a"


async def test_a_key_that_was_used_before_the_outage_makes_no_second_answer(
    spool: Spool, engine: Log
) -> None:
    await spool.commit(answered(1))
    engine.is_down = True
    await spool.commit(answered(1))
    engine.is_down = False
    await eventually(lambda: spool.figures().items == 0)
    assert engine.events() == [received(1).id, received(1).id], "the log may hold an id twice"
    assert len(engine.answers) == 1


async def test_another_post_under_a_key_of_before_the_outage_goes_to_quarantine(
    spool: Spool, engine: Log
) -> None:
    await spool.commit(answered(1))
    engine.is_down = True
    await spool.commit(answered(1, digest="b"))
    engine.is_down = False
    await eventually(lambda: spool.figures().items == 0)
    (last,) = engine.taken[-1].events
    assert isinstance(last.data, Quarantined)
    assert "Idempotency-Key" in last.data.reason
    assert isinstance(engine.taken[-1].documents[0][0], QuarantineItem)


async def test_a_full_spool_puts_sources_off(engine: Log, tmp_path: Path) -> None:
    spool = Spool(engine, settings(tmp_path, max_bytes=1024**2), FixedClock())
    await spool.start()
    engine.is_down = True
    await spool.commit(item(1, 700_000))
    with pytest.raises(Outage, match="max_bytes"):
        await spool.commit(item(2, 700_000))
    await spool.commit(item(3, 10))
    assert spool.figures().items == 2
    await spool.stop()


async def test_a_full_disk_keeps_nothing_by_half_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """No page may be added to the file: what SQLite says then is what it says of a full disk."""
    file = await SpoolFile.open(tmp_path / "full")
    file._connection.pragma("max_page_count", file._connection.pragma("page_count"))
    with pytest.raises(Outage, match="disk"):
        await file.append(bytes(100_000), 1, {"a": b""})
    assert await file.first(10) == []
    file._connection.pragma("max_page_count", 2**30)
    await file.append(b"b", 2, {"b": b""})
    assert [each.body for each in await file.first(10)] == [b"b"]
    await file.close()


async def test_the_spool_of_another_process_is_not_taken(spool: Spool, engine: Log) -> None:
    other = Spool(engine, SpoolSettings(folder=spool.folder), FixedClock())
    with pytest.raises(FolderInUse):
        await other.start()


async def test_an_item_whose_bytes_were_altered_stays_and_is_told_and_others_go_on(
    engine: Log, tmp_path: Path
) -> None:
    engine.is_down = True
    spool = Spool(engine, settings(tmp_path), FixedClock())
    await spool.start()
    await spool.commit(item(1))
    await spool.commit(item(2))
    await spool.stop()
    with apsw.Connection(str(spool.folder / FILE)) as connection:
        connection.execute("UPDATE items SET body = zeroblob(10) WHERE number = 1")
    engine.is_down = False
    await spool.start()
    await eventually(lambda: engine.events() == [received(2).id])
    assert spool.figures().stuck == 1
    await spool.commit(item(3))
    assert engine.events() == [received(2).id, received(3).id], "what stays keeps nobody else waiting"
    assert spool.spooled == 2
    await spool.stop()
    items, faults = spooled_items(spool.folder)
    assert items == set()
    assert len(faults) == 1


async def test_an_item_that_is_never_taken_after_a_conflict_keeps_nobody_waiting(
    spool: Spool, engine: Log
) -> None:
    await spool.commit(answered(1))
    engine.is_down = True
    await spool.commit(answered(1))
    await spool.commit(item(2))
    engine.too_large = {received(1).id}
    engine.is_down = False
    await eventually(lambda: engine.events() == [received(1).id, received(2).id])
    await eventually(
        lambda: spool.figures() == Figures(1, spool.figures().size, spool.figures().oldest_at, 1)
    )


async def test_what_waits_can_be_seen_while_another_has_the_folder(spool: Spool, engine: Log) -> None:
    engine.is_down = True
    await spool.commit(item(1))
    await spool.commit(quarantined(2))
    items, faults = spooled_items(spool.folder)
    assert len(items) == 2
    assert derive("item", "2") in items
    assert faults == []


async def test_however_many_wait_few_are_in_memory_at_once(
    spool: Spool, engine: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.is_down = True
    for number in range(1, 8):
        await spool.commit(item(number))
    monkeypatch.setattr(file, "PAGE_ITEMS", 3)
    pages: list[int] = []
    paged = file._page

    def counted(connection: apsw.Connection, last: int) -> list[file.Seen]:
        page = paged(connection, last)
        pages.append(len(page))
        return page

    monkeypatch.setattr(file, "_page", counted)
    seen = file.look(spool.folder)
    first = next(seen)
    assert pages == [3], "the rest is not read before it is wanted"
    await spool.commit(item(8))
    assert [first.number, *[each.number for each in seen]] == list(range(1, 9))
    monkeypatch.setattr(file, "PAGE_BYTES", 1)
    assert [each.number for each in file.look(spool.folder)] == list(range(1, 9))
    assert pages[-2:] == [1, 0]
    assert list(file.look(spool.folder / "nowhere")) == []


async def lives(engine: Log, folder: Path, numbers: list[int]) -> None:
    """One life of a process: it takes items in an outage and hands them on, unless it crashes."""
    spool = Spool(engine, settings(folder), FixedClock())
    await spool.start()
    try:
        for number in numbers:
            await spool.commit(item(number))
        engine.is_down = False
        forwarding = spool._forwarding
        assert forwarding is not None
        empty = asyncio.ensure_future(eventually(lambda: spool.figures().items == 0))
        await asyncio.wait({forwarding, empty}, return_when=asyncio.FIRST_COMPLETED)
        empty.cancel()
        if forwarding.done():
            await forwarding
    finally:
        set_hook(None)
        file, spool._file = spool._file, None
        assert file is not None
        if spool._forwarding is not None:
            spool._forwarding.cancel()
        await file.close()


@pytest.mark.parametrize("point", SPOOL_CRASH_POINTS)
async def test_nothing_is_lost_where_the_process_ends(point: str, engine: Log, tmp_path: Path) -> None:
    engine.is_down = True
    arm(point, 1)
    with pytest.raises(Crashed):
        await lives(engine, tmp_path, [1, 2, 3])
    acknowledged = {"spool.before-commit": [], "spool.after-commit": []}.get(point, [1, 2, 3])
    engine.is_down = True
    await lives(engine, tmp_path, [1, 2, 3, 4])  # who was not told sends again
    assert list(dict.fromkeys(engine.events())) == [received(number).id for number in (1, 2, 3, 4)]
    assert set(acknowledged) <= {1, 2, 3}


async def test_a_file_that_was_large_gives_its_space_back(tmp_path: Path) -> None:
    file = await SpoolFile.open(tmp_path / "spool")
    for number in range(9):
        await file.append(bytes(8_000_000), number, {str(number): b""})
    waiting = await file.first(100)
    await file.remove(each.number for each in waiting)
    await file.close()
    assert (tmp_path / "spool" / FILE).stat().st_size < 1_000_000


async def test_no_more_is_read_at_once_than_memory_is_meant_for(tmp_path: Path) -> None:
    file = await SpoolFile.open(tmp_path / "spool")
    for number in range(6):
        await file.append(bytes(1000), number, {str(number): b""})
    waiting = await file.first(100, 2500)
    assert [each.number for each in waiting] == [1, 2, 3]
    await file.remove(each.number for each in waiting)
    assert [each.number for each in await file.first(100, 1)] == [4], "a large one goes alone"
    await file.close()


async def test_nobody_is_told_that_an_item_is_kept_which_another_kept_from_the_disk(tmp_path: Path) -> None:
    file = await SpoolFile.open(tmp_path / "spool")
    sent = [
        file.append(b"a", 1, {"a": b""}),
        file.append(b"b", 2**70, {"b": b""}),
        file.append(b"c", 3, {"c": b""}),
    ]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    kept = {each.body for each in await file.first(10)}
    told = {body for body, answer in zip((b"a", b"b", b"c"), answers, strict=True) if answer is None}
    assert told == kept
    await file.close()


async def test_what_waits_is_counted_as_it_comes_and_goes(tmp_path: Path) -> None:
    file = await SpoolFile.open(tmp_path / "spool")
    for number in range(1, 5):
        await file.append(bytes(number), number * 10, {str(number): b""})
    assert file.figures == Figures(4, 10, 10, 0)
    first, second, *_ = await file.first(10)
    await file.set_aside(first.number, "odd")
    await file.remove([second.number])
    await file.remove([second.number])
    counted = file.figures
    assert counted == Figures(3, 8, 10, 1)
    await file.close()
    again = await SpoolFile.open(tmp_path / "spool")
    assert again.figures == counted
    await again.close()
