"""Entries with what happened to their messages since: the last text, reactions, and nothing of what is withheld."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.shown import shown, shown_entry
from hub.waiting_changes import WAITS_FOR, WaitingChanges
from hub.wiring import SystemClock
from schemas.documents import Delivery, Entry, EntryKind
from schemas.events import Actor
from schemas.ids import derive
from schemas.interactions import Attachment, BlobRef, Content
from schemas.message_changes import Edit, MessageChanges, OwnChange, Reaction, changes_id
from schemas.outbound import ChangeKind, DeliveryState, OutboundMessage
from schemas.steps import References, Step
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.processors.world import NOW
from tests.support.clock import StandingClock

MIA = Actor(kind="agent", id="mia", name="Mia")
ANN = Actor(kind="customer", id="a", name="Ann")
NAME = "slack:T1:C1:100.1"
ENTRY = Entry(
    id=derive("entry"),
    case=derive("case"),
    handle=derive("handle"),
    conversation=NAME,
    channel="slack",
    kind=EntryKind.MESSAGE,
    step="opened",
    sequence=1,
    occurred_at=NOW,
    received_at=NOW,
    actor=ANN,
    text="the first text",
    original=BlobRef(sha256="0" * 64, size=1),
    detail={"external_id": NAME},
)
CHANGES = MessageChanges(
    id=changes_id(NAME),
    external_id=NAME,
    noted_at=NOW,
    case=ENTRY.case,
    entry=ENTRY.id,
    edits=(Edit(at=NOW, by=ANN, content=Content(text="the last text")),),
    reactions=(
        Reaction(emoji="👍", by=ANN, at=NOW),
        Reaction(emoji="🎉", by=ANN, at=NOW, added=False),
    ),
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=SystemClock())
    yield made
    await made.close()


async def keep(engine: SqliteEngine, changes: MessageChanges) -> None:
    await engine.commit(Step(entries=[ENTRY], documents=[(changes, 0)]))


async def test_an_edited_message_is_shown_as_it_reads_now_with_who_reacted(engine: SqliteEngine) -> None:
    await keep(engine, CHANGES)
    found = await shown_entry(engine, ENTRY.id)
    assert found is not None
    assert found.text == "the last text"
    assert found.detail["reactions"] == [{"emoji": "👍", "by": ["Ann"]}]
    assert found.detail["edited_by"] == "Ann"


async def test_a_deleted_message_is_still_read_unless_the_channel_forbids_it(engine: SqliteEngine) -> None:
    await keep(engine, CHANGES.model_copy(update={"deleted_at": NOW, "deleted_by": ANN}))
    (found,) = await shown(engine, [ENTRY])
    assert found.text == "the last text" and found.detail["deleted_by"] == "Ann"


async def test_of_a_withheld_message_nothing_is_shown_not_even_its_original(engine: SqliteEngine) -> None:
    changes = {"deleted_at": NOW, "deleted_by": ANN, "withheld": True}
    await keep(engine, CHANGES.model_copy(update=changes))
    (found,) = await shown(engine, [ENTRY])
    assert (found.text, found.html, found.attachments, found.original) == ("", "", (), None)
    assert found.detail["withheld"] is True


async def test_a_message_that_nothing_happened_to_is_as_it_was(engine: SqliteEngine) -> None:
    assert await shown(engine, [ENTRY]) == [ENTRY]
    assert await shown_entry(engine, derive("none")) is None


async def test_changes_whose_message_never_came_are_forgotten_after_a_while(engine: SqliteEngine) -> None:
    waiting = MessageChanges(id=changes_id("slack:T1:C1:7.7"), external_id="slack:T1:C1:7.7", noted_at=NOW)
    await engine.commit(Step(documents=[(waiting, 0), (CHANGES, 0)]))
    clock = StandingClock(NOW)
    changes = WaitingChanges(engine, clock)
    assert await changes.purge() == 0
    clock.time += WAITS_FOR + timedelta(seconds=1)
    assert await changes.purge() == 1
    found = await engine.load(References(documents={MessageChanges: {waiting.id, CHANGES.id}}))
    assert set(found.documents) == {CHANGES.id}, "what is in its case stays"


async def test_an_answer_is_shown_as_it_reads_now_with_its_files_and_what_is_still_asked_of_it(
    engine: SqliteEngine,
) -> None:
    answer = derive("answer")
    message = OutboundMessage(
        message=answer,
        channel="slack",
        account="acme",
        brand="default",
        conversation=NAME,
        recipients=(),
        text="the first text",
        author=MIA,
        queued_at=NOW,
    )
    sent = Delivery(
        id=answer,
        message=message,
        state=DeliveryState.SENT,
        next_attempt_at=NOW,
        changed_at=NOW,
        external_id="slack:T1:C1:100.9",
    )
    file = Attachment(name="a.pdf", media_type="application/pdf", size=1)
    entry = ENTRY.model_copy(
        update={
            "id": answer,
            "kind": EntryKind.REPLY,
            "detail": {},
            "message": answer,
            "delivery": DeliveryState.SENT,
            "attachments": (file,),
        }
    )
    changes = MessageChanges(
        id=changes_id(sent.external_id),
        external_id=sent.external_id,
        noted_at=NOW,
        case=entry.case,
        entry=answer,
        edits=(Edit(at=NOW, by=MIA, content=Content(text="better words")),),
        asked=OwnChange(message=derive("asked"), kind=ChangeKind.DELETE, by=MIA),
    )
    await engine.commit(Step(entries=[entry], documents=[(sent, 0), (changes, 0)]))
    (found,) = await shown(engine, [entry])
    assert (found.text, found.attachments) == ("better words", (file,))
    assert found.detail["asked"] == {"kind": "delete", "message": str(derive("asked"))}
