"""Where a connector that fetches stands: kept durably, and never moved by two; and what the intake knows already."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.email.envelope import Envelope
from connectors.email.reader import MailReader
from connectors.email.receiver import MailReceiver
from connectors.kit.cursors import Cursors
from connectors.kit.intake import Intake
from schemas.errors import Conflict
from schemas.parking import Quarantined
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.connectors.email.house import CONTEXT, FixedClock, mail
from tests.support.clock import MONDAY_MORNING


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    opened = await open_engine(tmp_path / "data", clock=FixedClock())
    yield opened
    await opened.close()


async def test_a_cursor_is_kept_for_each_stream(engine: SqliteEngine) -> None:
    cursors = Cursors(engine, FixedClock())
    first = await cursors.load("email", "box", "INBOX")
    assert (first.revision, first.value) == (0, "")
    saved = await cursors.save(first, "one")
    saved = await cursors.save(saved, "two")
    assert await Cursors(engine, FixedClock()).load("email", "box", "INBOX") == saved
    assert (saved.revision, saved.value, saved.saved_at) == (2, "two", MONDAY_MORNING)
    assert (await cursors.load("email", "box", "Spam")).revision == 0


async def test_of_two_who_save_the_same_cursor_one_is_told(engine: SqliteEngine) -> None:
    cursors = Cursors(engine, FixedClock())
    first = await cursors.load("email", "box", "INBOX")
    await cursors.save(first, "mine")
    with pytest.raises(Conflict):
        await cursors.save(first, "yours")
    assert (await cursors.load("email", "box", "INBOX")).value == "mine"


async def test_a_quarantined_item_is_known_and_one_that_waits_to_be_applied_is_not(
    engine: SqliteEngine,
) -> None:
    reader = MailReader()
    receiver = MailReceiver(Intake(engine, FixedClock()), reader, CONTEXT)
    refused = receiver.refused(b"cut", Envelope(mailbox="box"), MONDAY_MORNING, "limits", "too large")
    assert isinstance(refused.quarantined, Quarantined)
    assert not await receiver.knows(refused)
    await receiver.keep(refused)
    assert await receiver.knows(refused)
    understood = await receiver.understand(mail(), Envelope(), MONDAY_MORNING)
    await receiver.keep(understood)
    assert not await receiver.knows(understood), "rather twice on the log than lost"
    await reader.close()
