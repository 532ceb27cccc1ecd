"""Mail that is fetched keeps the contract of connectors as mail that is handed on does: a real Dovecot is the source."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors.email.imap.cursor import FolderCursor
from connectors.kit.contract import ConnectorContract
from connectors.kit.rigs import Clock, Given, House, Send, Told
from schemas.documents import Cursor
from schemas.ids import derive
from schemas.ports import Engine
from schemas.steps import References
from tests.connectors.email.imap.dovecot import PASSWORD, dovecot
from tests.connectors.email.test_contract import EmailRig
from tests.connectors.engines import sqlite

USER = "support@shop.example"
FETCHED_WITHIN_SECONDS = 4.0
pytestmark = [pytest.mark.server("dovecot"), pytest.mark.slow]


class ImapRig(EmailRig):
    """DONE: the cursor has passed it. AGAIN: it has not, and the mail lies in the mailbox."""

    secrets = (PASSWORD,)
    crash_points = ("intake.before-commit", "imap.before-cursor")

    async def begin(self) -> None:
        await super().begin()
        self.stack = AsyncExitStack()
        self.server = await self.stack.enter_async_context(dovecot(USER))
        self.delivered: list[str] = []
        self.owed: set[str] = set()

    async def end(self) -> None:
        await self.stack.aclose()
        await super().end()

    async def open(self, house: House) -> None:
        self.house = house
        await super().open(house)

    def settings(self) -> Mapping[str, Any]:
        box = {
            "name": "support",
            "host": "127.0.0.1",
            "port": self.server.port,
            "security": "none",
            "username": USER,
            "password": PASSWORD,
            "first_run": "all",
            "poll_seconds": 0.2,
        }
        return {**super().settings(), "smtp_in": None, "imap": [box]}

    async def give(self, given: Given) -> Told:
        if given.name not in self.owed:  # it lies there already: the source does not put it there again
            self._deliver(given)
        try:
            async with asyncio.timeout(FETCHED_WITHIN_SECONDS):
                while await self._taken() < len(self.delivered):  # noqa: ASYNC110  the cursor is a document
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.owed.add(given.name)
            return Told.AGAIN
        self.owed.clear()
        return Told.DONE

    async def leave(self, given: Given) -> None:
        self._deliver(given)
        self.owed.add(given.name)
        await super().leave(given)

    def malformed(self) -> None:  # type: ignore[override]  # a mailbox holds mails
        return None

    async def prepare(self, what: Send) -> bool:
        return False  # mail leaves by the relay, whichever way it comes in

    def _deliver(self, given: Given) -> None:
        self.delivered.append(given.name)
        self.server.deliver(USER, given.body, len(self.delivered))

    async def _taken(self) -> int:
        id = derive("cursor", "email", "support", "INBOX")
        references = References()
        references.want(Cursor, id)
        found = (await self.house.engine.load(references)).documents.get(id)
        if not isinstance(found, Cursor) or not found.value:
            return 0
        cursor = FolderCursor.model_validate_json(found.value)
        return cursor.uid - len(cursor.failed)


class TestContract(ConnectorContract):
    rig_type = ImapRig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
