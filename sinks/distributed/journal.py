"""Steps that are decided and not finished. Putting one in is the moment at which the step is decided.

A step that holds documents and is not in here is undecided. Whoever finds it so for too long puts a mark of abandonment in
its place: then it can never be decided.
"""

from collections.abc import Iterable
from enum import StrEnum

from schemas.errors import Never
from sinks.distributed.plan import Redo
from sinks.mongo.layout import STEP_PARTS, STEPS
from sinks.mongo.port import DocumentDatabase

PART_BYTES = 8 * 1024 * 1024
"""A document may have 16 MB; a step of many long messages may have more."""

MOST_REMEMBERED = 1000


class State(StrEnum):
    UNDECIDED = "undecided"  # or over: neither is in the journal
    DECIDED = "decided"
    ABANDONED = "abandoned"


class Journal:
    def __init__(self, database: DocumentDatabase) -> None:
        self._steps = database.collection(STEPS)
        self._parts = database.collection(STEP_PARTS)
        self._undivided: set[str] = set()
        """Steps of this process that have no further parts to be forgotten."""

    async def decide(self, step: str, redo: Redo, at: int) -> bool:
        """False when somebody abandoned it: then nothing of it will ever happen."""
        kept = redo.to_bytes()
        parts = [kept[first : first + PART_BYTES] for first in range(0, len(kept), PART_BYTES)]
        if len(parts) > 1:
            await self._parts.insert_new(
                [
                    {"_id": f"{step}:{number}", "step": step, "number": number, "content": part, "at": at}
                    for number, part in enumerate(parts[1:], start=1)
                ]
            )
        written = {
            "_id": step,
            "state": str(State.DECIDED),
            "at": at,
            "parts": len(parts),
            "content": parts[0],
        }
        if len(parts) == 1:
            if len(self._undivided) > MOST_REMEMBERED:  # of steps that others finished
                self._undivided.clear()
            self._undivided.add(step)
        return not await self._steps.insert_new([written])

    async def abandon(self, step: str, at: int) -> bool:
        """False when it was decided meanwhile."""
        mark = {"_id": step, "state": str(State.ABANDONED), "at": at}
        if not await self._steps.insert_new([mark]):
            return True
        return await self.state(step) is State.ABANDONED

    async def state(self, step: str) -> State:
        rows = await self._steps.find({"_id": step}, ("state",))
        return State(rows[0]["state"]) if rows else State.UNDECIDED

    async def wait(self, step: str) -> None:
        """All of a decided step is written, and only the log is missing."""
        await self._steps.update_each(
            [({"_id": step, "state": str(State.DECIDED)}, {"$set": {"waits": True}})]
        )

    async def waits(self, step: str) -> bool:
        return bool(
            await self._steps.find({"_id": step, "state": str(State.DECIDED), "waits": True}, ("_id",))
        )

    async def read(self, step: str) -> Redo | None:
        """What a decided step writes; None when it is over."""
        rows = await self._steps.find({"_id": step, "state": str(State.DECIDED)})
        if not rows:
            return None
        content: bytes = rows[0]["content"]
        if rows[0]["parts"] > 1:
            others = await self._parts.find({"step": step}, order=(("number", 1),))
            content = b"".join([content, *(each["content"] for each in others)])
            if len(others) != rows[0]["parts"] - 1:
                if await self.state(step) is State.UNDECIDED:
                    return None  # somebody has just finished it
                raise Never(f"parts of the decided step {step} are missing")
        return Redo.from_bytes(content)

    async def forget(self, steps: Iterable[str]) -> None:
        ids = list(steps)
        await self._steps.delete_all({"_id": {"$in": ids}})
        divided = [each for each in ids if each not in self._undivided]
        self._undivided.difference_update(ids)
        if divided:
            await self._parts.delete_all({"step": {"$in": divided}})

    async def older(self, than: int, state: State, limit: int = 100) -> list[str]:
        """Steps that are in here since before then, oldest first."""
        wanted = {"at": {"$lt": than}, "state": str(state)}
        return [row["_id"] for row in await self._steps.find(wanted, ("_id",), (("at", 1),), limit)]

    async def remove_parts(self, than: int) -> int:
        """Parts of steps that were never decided."""
        rows = await self._parts.find({"at": {"$lt": than}}, ("step",))
        orphans = {row["step"] for row in rows}
        known = await self._steps.find({"_id": {"$in": sorted(orphans)}}, ("_id",)) if orphans else []
        orphans -= {row["_id"] for row in known}
        return await self._parts.delete_all({"step": {"$in": sorted(orphans)}}) if orphans else 0
