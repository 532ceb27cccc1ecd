"""Where a connector that fetches stands in its source, kept durably beside the log."""

from schemas.documents import Cursor
from schemas.ids import derive
from schemas.ports import Clock, Engine, References, Step


class Cursors:
    """Loads and saves cursors. Save one only after the log has acknowledged all that lies before it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def load(self, channel: str, account: str, stream: str) -> Cursor:
        """The one that was saved, or one of revision 0 with an empty value. May raise Outage."""
        id = derive("cursor", channel, account, stream)
        references = References()
        references.want(Cursor, id)
        found = (await self._engine.load(references)).documents.get(id)
        if isinstance(found, Cursor):
            return found
        return Cursor(
            id=id, channel=channel, account=account, stream=stream, value="", saved_at=self._clock.now()
        )

    async def save(self, cursor: Cursor, value: str) -> Cursor:
        """Durable when it returns; the cursor to save next. Raises Conflict when somebody else saved it meanwhile, or Outage."""
        saved = cursor.model_copy(
            update={"value": value, "saved_at": self._clock.now(), "revision": cursor.revision + 1}
        )
        await self._engine.commit(Step(documents=[(saved, cursor.revision)]))
        return saved
