"""Where a connector that fetches stands in its source, kept durably beside the log."""

from schemas.documents import Cursor
from schemas.errors import Conflict
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.steps import References, Step

TRIES = 5


class Cursors:
    """Loads and saves cursors. Save one only after the log has acknowledged all that lies before it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def load(self, channel: str, account: str, stream: str, token: int = 0) -> Cursor:
        """The one that was saved, or one of revision 0 with an empty value.

        `token`: of the lease under which the source is read. The cursor is this reader's from now on: one with a lower token
        can save it no more. Raises Conflict where that is this reader, or Outage.
        """
        id = derive("cursor", channel, account, stream)
        for _ in range(TRIES):
            cursor = await self._load(Cursor(
                id=id, channel=channel, account=account, stream=stream, value="", saved_at=self._clock.now(), token=token
            ))  # fmt: skip
            if cursor.token == token:
                return cursor
            if cursor.token > token:
                raise Conflict(f"{channel} {account}: another process reads {stream} now")
            taken = cursor.model_copy(update={"token": token, "revision": cursor.revision + 1})
            try:
                await self._engine.commit(Step(documents=[(taken, cursor.revision)]))
            except Conflict:
                continue  # who read before has saved once more
            return taken
        raise Conflict(f"{channel} {account}: {stream} is saved by others all the time")

    async def save(self, cursor: Cursor, value: str) -> Cursor:
        """Durable when it returns; the cursor to save next. Raises Conflict when somebody else saved or took it meanwhile, or Outage."""
        saved = cursor.model_copy(
            update={"value": value, "saved_at": self._clock.now(), "revision": cursor.revision + 1}
        )
        await self._engine.commit(Step(documents=[(saved, cursor.revision)]))
        return saved

    async def _load(self, fresh: Cursor) -> Cursor:
        references = References()
        references.want(Cursor, fresh.id)
        found = (await self._engine.load(references)).documents.get(fresh.id)
        return found if isinstance(found, Cursor) else fresh
