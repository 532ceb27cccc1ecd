"""Until when events of a workspace are known to have come through, and what was missed for good: kept beside the log."""

import json
from datetime import datetime
from typing import Any

from connectors.kit.cursors import Cursors
from connectors.kit.gaps import noted, still_told
from connectors.slack.names import CHANNEL
from schemas.documents import Cursor
from schemas.errors import Conflict
from schemas.ports import Clock

STREAM = "events"


class Coverage:
    """Of one workspace of one account. Another process may keep the same: then what that one says counts."""

    def __init__(self, cursors: Cursors, clock: Clock, account: str, stream: str) -> None:
        self._cursors = cursors
        self._clock = clock
        self._account = account
        self._stream = STREAM + stream
        self.gap = ""
        """What was missed for good in the last days, as of the last look."""

    async def until(self) -> datetime | None:
        """None: nothing is known. Raises Outage."""
        _, told = await self._load()
        return datetime.fromisoformat(told["covered"]) if told else None

    async def mark(self, until: datetime) -> None:
        """Raises Outage."""
        cursor, told = await self._load()
        gap = still_told(told.get("gap"), self._clock.now())
        self.gap = str(gap["words"]) if gap is not None else ""
        await self._save(cursor, {"covered": until.isoformat(), **({"gap": gap} if gap is not None else {})})

    async def note(self, gap: str, until: datetime) -> None:
        """A gap is told for some days. Raises Outage."""
        cursor, told = await self._load()
        self.gap = gap
        kept = noted(self._clock.now(), words=gap)
        await self._save(cursor, {"covered": until.isoformat(), **told, "gap": kept})

    async def _load(self) -> tuple[Cursor, dict[str, Any]]:
        cursor = await self._cursors.load(CHANNEL, self._account, self._stream)
        return cursor, json.loads(cursor.value) if cursor.value else {}

    async def _save(self, cursor: Cursor, told: dict[str, Any]) -> None:
        try:
            await self._cursors.save(cursor, json.dumps(told))
        except Conflict:
            return
