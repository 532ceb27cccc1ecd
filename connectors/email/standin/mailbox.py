"""Mails that arrived, kept in one SQLite file: durable before they are acknowledged, and counted by Message-ID."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

TABLE = """
create table if not exists mails (
    number integer primary key,
    message_id text not null,
    sender text not null,
    recipients text not null,
    received_at text not null,
    content blob not null
)
"""
INDEX = "create index if not exists mails_by_message_id on mails (message_id)"
COLUMNS = "number, message_id, sender, recipients, received_at, content"
MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*<([^<>\r\n]{1,998})>")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One arrival. The same mail arriving twice is two of them."""

    number: int
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    received_at: datetime
    content: bytes


class Mailbox:
    """All mails of all recipients. The file is opened at the first use; `:memory:` keeps nothing."""

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        self._connection: sqlite3.Connection | None = None
        self._arrived = asyncio.Condition()

    async def keep(
        self, sender: str, recipients: Sequence[str], content: bytes, received_at: datetime
    ) -> int:
        """Durable when it returns the mail's number."""
        found = MESSAGE_ID.search(content[:100_000])
        row = (
            found.group(1).decode("utf-8", "replace") if found else "",
            sender,
            "\n".join(recipients),
            received_at.isoformat(),
            content,
        )
        statement = (
            "insert into mails (message_id, sender, recipients, received_at, content) values (?, ?, ?, ?, ?)"
        )

        def insert(connection: sqlite3.Connection) -> int:
            with connection, closing(connection.execute(statement, row)) as cursor:
                return cursor.lastrowid or 0

        number = await self._run(insert)
        async with self._arrived:
            self._arrived.notify_all()
        return number

    async def list(self, recipient: str | None = None, limit: int = 50) -> Sequence[StoredMail]:
        """The latest mails, newest first; of one recipient, or of all."""
        pattern = f"%\n{_escaped(recipient)}\n%" if recipient else "%"
        statement = (
            f"select {COLUMNS} from mails where char(10) || recipients || char(10) like ? escape '\\' "  # noqa: S608 constant
            "order by number desc limit ?"
        )
        return await self._run(lambda connection: _mails(connection, statement, (pattern, limit)))

    async def get(self, number: int) -> StoredMail | None:
        statement = f"select {COLUMNS} from mails where number = ?"  # noqa: S608 constant
        found = await self._run(lambda connection: _mails(connection, statement, (number,)))
        return found[0] if found else None

    async def counts(self) -> Mapping[str, int]:
        """How often each Message-ID arrived."""
        return await self._run(
            lambda connection: dict(
                connection.execute("select message_id, count(*) from mails group by message_id")
            )
        )

    async def count(self) -> int:
        return sum((await self.counts()).values())

    async def until(self, count: int, within_seconds: float = 10) -> Sequence[StoredMail]:
        """All mails, oldest first, once there are at least `count`. Raises TimeoutError."""
        async with asyncio.timeout(within_seconds), self._arrived:
            while await self.count() < count:
                await self._arrived.wait()
        return list(reversed(await self.list(limit=10**9)))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, connection.close)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(self._opened()))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(TABLE)
            self._connection.execute(INDEX)
            self._connection.commit()
        return self._connection


def _mails(
    connection: sqlite3.Connection, statement: str, parameters: tuple[object, ...]
) -> Sequence[StoredMail]:
    with closing(connection.execute(statement, parameters)) as cursor:
        return [
            StoredMail(
                number, message_id, sender, tuple(recipients.split("\n")), datetime.fromisoformat(at), content
            )
            for number, message_id, sender, recipients, at, content in cursor
        ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
