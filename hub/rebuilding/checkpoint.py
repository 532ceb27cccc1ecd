"""Where a rebuild is, moved in the same step as what it writes."""

import json
from dataclasses import dataclass
from typing import Self

from connectors.kit.cursors import Cursors
from schemas.documents import Cursor
from schemas.errors import Conflict
from schemas.ports import Clock, Engine
from schemas.steps import START, Position, Step

OWNER = "hub"
REBUILD = "rebuild"


@dataclass(frozen=True, slots=True)
class Page:
    """What was looked at and what of it was written anew."""

    looked_at: int
    written: int


class Checkpoint:
    """Of one projection. `after` is where the log is read on, START for one that begins."""

    def __init__(self, engine: Engine, clock: Clock, cursor: Cursor) -> None:
        self._engine = engine
        self._clock = clock
        self._cursor = cursor
        told = json.loads(cursor.value) if cursor.value else {}
        self.after: Position = told.get("after", START)
        self.is_begun: bool = bool(told)

    @classmethod
    async def open(cls, engine: Engine, clock: Clock, projection: str) -> Self:
        return cls(engine, clock, await Cursors(engine, clock).load(OWNER, REBUILD, projection))

    async def commit(self, step: Step, after: Position) -> None:
        """Write a page and that it is written. Raises Conflict where somebody else rebuilds the same."""
        before = self._cursor
        moved = before.model_copy(
            update={
                "value": json.dumps({"after": after}),
                "saved_at": self._clock.now(),
                "revision": before.revision + 1,
            }
        )
        step.documents.append((moved, before.revision))
        try:
            await self._engine.commit(step)
        except Conflict as conflict:
            raise Conflict(f"another rebuild of {before.stream} goes on: let it end") from conflict
        self._cursor, self.after, self.is_begun = moved, after, True

    async def forget(self) -> None:
        """The next rebuild begins anew."""
        if self._cursor.revision:
            await self._engine.commit(Step(deletions=[(Cursor, self._cursor.id)]))
