"""`verify` finds what is damaged on purpose, each time, and finds nothing where nothing is wrong."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.intake import Accepted
from hub.company import Company
from hub.verify import Fault, Verification, Verifier
from hub.verify.following import Following
from schemas.commands import NoteCase, ReplyToCase
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.ids import item_id, sha256
from schemas.interactions import (
    Attachment,
    BlobRef,
    Content,
    InteractionEdited,
    InteractionIgnored,
    Part,
    Participant,
    Role,
)
from schemas.parking import Quarantined
from schemas.steps import Blob
from sinks.sqlite.engine import open_engine
from tests.hub.damages import DAMAGES
from tests.hub.test_flow import CONFIGURATION, MIA, Flow
from tests.hub.vandal import vandal
from tests.support.clock import StandingClock

LOAD = 40


async def open_flow(folder: Path) -> Flow:
    clock = StandingClock()
    engine = await open_engine(folder, clock=clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    return Flow(engine, clock, company)


async def fill(flow: Flow) -> None:
    """One of each: answered, given twice, with an attachment, ignored, in quarantine, impossible to process."""
    await flow.receive("answered")
    await flow.settle()
    (case,) = await flow.cases()
    await flow.do(MIA, NoteCase, case, text="She called.")
    await flow.do(MIA, ReplyToCase, case, text="Here it is.")
    await flow.settle()
    await flow.receive("answered")
    photo = Blob(BlobRef(sha256=sha256(b"photo"), size=5), b"photo")
    attached = Attachment(name="photo", media_type="image/png", size=5, blob=photo.ref)
    await flow.engine.put_blob(photo.content, "image/png")
    await flow.receive("attached", attachments=(attached,))
    await flow.receive("impossible", tokens=("case:no-uuid",))
    await flow.intake.accept(ignored(flow))
    await flow.intake.accept(quarantined(flow))
    await flow.settle()


def ignored(flow: Flow) -> Accepted:
    now, original = flow.clock.now(), Blob(BlobRef(sha256=sha256(b"own"), size=3), b"own")
    item = item_id("email", "support", "own")
    data = InteractionIgnored(
        part=Part(item=item),
        channel="email",
        account="support",
        brand="default",
        conversation="mail:own",
        occurred_at=now,
        received_at=now,
        original=original.ref,
        external_id="mail:own",
        reason="our own mail",
    )
    return Accepted(item, original, (data,))


def quarantined(flow: Flow) -> Accepted:
    original = Blob(BlobRef(sha256=sha256(b"\0"), size=1), b"\0")
    item = item_id("email", "support", "unreadable")
    data = Quarantined(
        item=item,
        channel="email",
        account="support",
        original=original.ref,
        stage="parse",
        reason="not a mail",
        received_at=flow.clock.now(),
    )
    return Accepted(item, original, quarantined=data)


def edited(flow: Flow, name: str, text: str) -> Accepted:
    now, original = (
        flow.clock.now(),
        Blob(BlobRef(sha256=sha256(text.encode()), size=len(text)), text.encode()),
    )
    data = InteractionEdited(
        part=Part(item=item_id("email", "support", text)),
        channel="email",
        account="support",
        brand="default",
        conversation=f"mail:{name}",
        occurred_at=now,
        received_at=now,
        original=original.ref,
        external_id=f"edit:{name}",
        target=f"mail:{name}",
        author=Participant(role=Role.FROM, scheme="email", value="ann@example.com", name="Ann"),
        content=Content(subject="Invoice 7", text=text),
    )
    return Accepted(data.part.item, original, (data,))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "data"

    async def make() -> None:
        flow = await open_flow(folder)
        await fill(flow)
        await flow.engine.close()

    asyncio.run(make())
    return folder


async def found_in(folder: Path) -> list[Fault]:
    engine = await open_engine(folder, clock=StandingClock())
    try:
        return [fault async for fault in Verification(engine).faults()]
    finally:
        await engine.close()


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found(filled: Path, tmp_path: Path, name: str) -> None:
    damage, promise, what = DAMAGES[name]
    folder = tmp_path / "data"
    shutil.copytree(filled, folder)
    with vandal(folder) as it:
        damage(it)
    with pytest.raises(AssertionError, match=what):
        raise AssertionError(
            "\n".join(each.what for each in await found_in(folder) if each.promise == promise)
        )


async def test_an_undamaged_store_is_whole(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "data")
    assert await found_in(tmp_path / "data") == []


async def test_an_event_that_was_passed_over_is_found(tmp_path: Path) -> None:
    flow = await open_flow(tmp_path)
    await flow.receive("passed over")
    await flow.engine.close()
    with vandal(tmp_path) as it:
        it.run("INSERT INTO positions SELECT 'cases', seq FROM head")
    (fault,) = await found_in(tmp_path)
    assert (fault.promise, fault.what) == (
        "c",
        "cases: hubbub.interaction.received was neither applied nor set aside",
    )


async def test_the_answer_says_what_was_looked_at(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "data")
    engine = await open_engine(tmp_path / "data", clock=StandingClock())
    known, lost = item_id("email", "support", "answered"), item_id("email", "support", "lost")
    records = [each async for each in Verifier(engine).verify(f"# mine\n{known}\n\n{lost}  # the second\n")]
    with pytest.raises(Invalid, match="ledger, line 1"):
        await anext(Verifier(engine).verify("nonsense"))
    await engine.close()
    assert [each.get("subject") for each in records[:-1]] == [str(lost)]
    assert records[-1]["result"] == "broken"
    counts: Any = records[-1]["counts"]
    expected = {"ledger": 2, "items": 4, "cases": 2, "cases:duplicate": 1, "cases:dead-lettered": 1}
    assert {name: counts[name] for name in expected} == expected


async def test_search_may_go_on_after_its_position_was_read(tmp_path: Path) -> None:
    flow = await open_flow(tmp_path)
    await flow.receive("a", may_change=True)
    await flow.settle()
    positions = await flow.engine.positions()
    await flow.intake.accept(edited(flow, "a", "Here it is!"))
    await flow.settle()
    following = Following(flow.engine, Counter())
    assert [fault async for fault in following.faults(positions)] == []
    await flow.engine.close()


async def test_nothing_is_found_while_the_hub_works(tmp_path: Path) -> None:
    flow = await open_flow(tmp_path)
    is_over = asyncio.Event()

    async def work() -> None:
        for number in range(LOAD):
            await flow.receive(f"mail {number}")
            await flow.receive(f"mail {number // 2}")
            await flow.settle()
            for case in (await flow.cases())[:2]:
                await flow.do(MIA, ReplyToCase, case, text=f"Answer {number}")
        await flow.settle()
        is_over.set()

    working = asyncio.create_task(work())
    runs, faults = 0, []
    while not is_over.is_set() and not working.done():
        faults += [fault async for fault in Verification(flow.engine).faults()]
        runs += 1
    await working
    await flow.engine.close()
    assert runs > 2
    assert faults == []
