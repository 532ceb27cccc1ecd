"""What an account's customers wrote and is shown still: for channels that have to ask now and then whether it may be."""

from datetime import datetime

from schemas.interactions import InteractionReceived
from schemas.message_changes import MessageChanges, changes_id
from schemas.ports import Engine
from schemas.steps import References
from schemas.topics import Topic

PAGE = 500
MOST_SCANNED = 5_000
"""Events of one look, of all channels together."""


class Kept:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def after(
        self, channel: str, account: str, place: str, since: datetime, most: int
    ) -> tuple[list[str], str]:
        """Names of up to `most` messages behind a place, the oldest first, and the place behind them.

        An empty place begins at `since`; it is what comes back where nothing is left. What was deleted or withheld is left out.
        None may be found though more is left: a look reads so many events at most. Raises Outage.
        """
        position = place or await self._engine.position_at(since)
        found: dict[str, None] = {}
        for _ in range(MOST_SCANNED // PAGE):
            records = await self._engine.scan((Topic.INTERACTIONS,), position, PAGE)
            for record in records:
                position = record.position
                data = record.event.data if record.event is not None else None
                if not isinstance(data, InteractionReceived) or not data.may_change:
                    continue
                if (data.channel, data.account) == (channel, account):
                    found[data.external_id] = None
                if len(found) >= most:
                    return await self._shown(list(found)), position
            if len(records) < PAGE:
                return await self._shown(list(found)), ""
        return await self._shown(list(found)), position

    async def _shown(self, names: list[str]) -> list[str]:
        if not names:
            return []
        wanted = {changes_id(each) for each in names}
        known = (await self._engine.load(References(documents={MessageChanges: wanted}))).documents
        gone = {
            each.external_id
            for each in known.values()
            if isinstance(each, MessageChanges) and each.deleted_at is not None
        }
        return [each for each in names if each not in gone]
