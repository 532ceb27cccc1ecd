"""What the tests of fetching share: a mailbox of ours on a real server and a real engine, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from connectors.email.imap.cursor import FolderCursor
from connectors.email.imap.mailbox import Mailbox
from connectors.email.imap.settings import ImapSettings
from connectors.kit.cursors import Cursors
from connectors.kit.intake import Intake
from schemas.documents import Cursor, Entry, EntryKind
from schemas.events import SYSTEM, Event
from schemas.ids import derive
from schemas.interactions import InteractionReceived
from schemas.parking import Quarantined
from schemas.ports import Health, HealthState
from schemas.steps import START, References, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.connectors.email.house import CONTEXT
from tests.connectors.email.house import mail as any_mail
from tests.connectors.email.imap.dovecot import PASSWORD
from tests.support.waiting import eventually

USER = "support@shop.example"
T = TypeVar("T")


@dataclass
class RealClock:
    """The machine's, moved by what a test asks for."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def mail(number: int, text: str = "Where is my order?") -> bytes:
    return any_mail(text, Message_ID=f"<{number}@customer.example>", Subject=f"Order {number}")


def settings(port: int, **changes: Any) -> ImapSettings:
    """Everything is taken, at once, by short waits."""
    fields: dict[str, Any] = {
        "name": "box",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": USER,
        "password": PASSWORD,
        "first_run": "all",
        "timeout_seconds": 10,
        "poll_seconds": 0.2,
    }
    fields |= changes
    if fields.get("oauth"):
        del fields["password"]
    return ImapSettings.model_validate(fields)


@dataclass
class House:
    """An engine that outlives the mailboxes that are read into it."""

    engine: SqliteEngine
    clock: RealClock = field(default_factory=RealClock)

    def mailbox(self, chosen: ImapSettings) -> Mailbox:
        """Waits a two hundredth of the usual time between tries."""
        cursors = Cursors(self.engine, self.clock)
        trusted = frozenset(chosen.trusted_authserv_ids)
        context = replace(CONTEXT, trusted_authserv_ids=trusted)
        return Mailbox(chosen, Intake(self.engine, self.clock), context, cursors, jitter=lambda: 0.005)

    @asynccontextmanager
    async def reading(self, chosen: ImapSettings) -> AsyncIterator[Mailbox]:
        mailbox = self.mailbox(chosen)
        await mailbox.start()
        try:
            yield mailbox
        finally:
            await mailbox.stop(5)

    async def events(self) -> list[Any]:
        """What is on the log, in its order, doubles too."""
        records = await self.engine.scan([Topic.INTERACTIONS, Topic.QUARANTINE], START, 100_000)
        return [each.event.data for each in records if each.event is not None]

    async def subjects(self) -> list[str]:
        return [each.content.subject for each in await self.events() if isinstance(each, InteractionReceived)]

    async def quarantined(self) -> list[Quarantined]:
        return [each for each in await self.events() if isinstance(each, Quarantined)]

    async def until(self, count: int, within_seconds: float = 20) -> list[str]:
        """The subjects, once there are so many."""

        async def look() -> list[str] | None:
            subjects = await self.subjects()
            return subjects if len(subjects) >= count else None

        found = await eventually(look, within_seconds)
        assert found
        return found

    async def apply(self) -> None:
        """What the consumers of a hub do: the timeline holds every message of the log."""
        records = await self.engine.scan([Topic.INTERACTIONS], START, 100_000)
        events = [each.event for each in records if each.event is not None]
        await self.engine.commit(Step(entries=[_entry(each) for each in events]))

    async def cursor(self, folder: str = "INBOX", mailbox: str = "box") -> FolderCursor:
        cursor = await self._cursor(folder, mailbox)
        assert cursor is not None
        return cursor

    async def _cursor(self, folder: str, mailbox: str) -> FolderCursor | None:
        """As it lies there, whoever reads the mailbox."""
        id = derive("cursor", "email", mailbox, folder)
        document = (await self.engine.load(References(documents={Cursor: {id}}))).documents.get(id)
        if not isinstance(document, Cursor) or not document.value:
            return None
        return FolderCursor.model_validate_json(document.value)

    async def until_at(self, uid: int, folder: str = "INBOX", mailbox: str = "box") -> FolderCursor:
        """The cursor, once it is saved at this UID with nothing left to be done in the mailbox."""

        async def look() -> FolderCursor | None:
            cursor = await self._cursor(folder, mailbox)
            return cursor if cursor is not None and cursor.uid == uid and not cursor.unsettled else None

        found = await eventually(look, 20)
        assert found
        return found


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    clock = RealClock()
    engine = await open_engine(folder / "data", clock=clock)
    try:
        yield House(engine, clock)
    finally:
        await engine.close()


def _entry(event: Event) -> Entry:
    received = event.data
    assert isinstance(received, InteractionReceived)
    return Entry(
        id=event.id,
        case=event.id,
        handle=event.id,
        conversation=received.conversation,
        channel="email",
        kind=EntryKind.MESSAGE,
        step="received",
        sequence=1,
        occurred_at=received.occurred_at,
        received_at=received.received_at,
        actor=SYSTEM,
    )


async def healthy(mailbox: Mailbox, told: str = "", state: HealthState = HealthState.OK) -> Health:
    """The health, once it is in that state and says that."""

    def look() -> Health | None:
        health = mailbox.health()
        return health if health.state is state and told in health.detail else None

    try:
        found = await eventually(look, 20)
    except TimeoutError:
        raise AssertionError(f"{state} {told!r} never came: {mailbox.health()}") from None
    assert found
    return found


async def in_thread(do: Callable[[], T]) -> T:
    return await asyncio.to_thread(do)
