"""Edits, deletions and reactions of messages that never came: forgotten after a while, so that they do not pile up."""

from datetime import timedelta

from schemas.collections import MESSAGE_CHANGES
from schemas.errors import Conflict
from schemas.message_changes import MessageChanges
from schemas.ports import Clock, Engine
from schemas.steps import Query, Step, Where

WAITS_FOR = timedelta(days=30)
"""The channels that tell of changes keep messages for longer; who reacts to an older one reacts to what we never had."""


class WaitingChanges:
    """Of messages from before the channel was connected, or of conversations that are not ours."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def purge(self, limit: int = 500) -> int:
        """Returns how many are gone; call it again while there are any. Raises Outage."""
        where = (Where("waits_from", "<", self._clock.now() - WAITS_FOR),)
        page = await self._engine.find(Query(MESSAGE_CHANGES, where, ("waits_from",), limit))
        if not page.items:
            return 0
        try:
            await self._engine.commit(Step(deletions=[(MessageChanges, each.id) for each in page.items]))
        except Conflict:  # its message came after all
            return 0
        return len(page.items)
