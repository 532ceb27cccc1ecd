"""Makes what is derived from the log anew, while the hub works: what cases are found by, and timelines.

Where a rebuild is, is kept beside what it writes, so that one that was cut off goes on.
"""

from collections.abc import AsyncIterator, Mapping

from hub.rebuilding.checkpoint import Checkpoint
from hub.rebuilding.search import rebuild_search
from hub.rebuilding.timeline import TimelineRebuild
from schemas.errors import Invalid
from schemas.ports import Clock, Engine

PROJECTIONS = ("search", "timeline")


async def rebuild(
    engine: Engine, clock: Clock, projection: str, *, drop: bool = False
) -> AsyncIterator[Mapping[str, object]]:
    """What was done so far, page by page; the last has `result`. `drop`: first nothing is found any more (search only).

    Raises Invalid for what cannot be rebuilt, Conflict where another rebuild of the same goes on.
    """
    if projection not in PROJECTIONS:
        raise Invalid(f"{projection[:40]!r} cannot be rebuilt; it is one of {', '.join(PROJECTIONS)}")
    if drop and projection != "search":
        raise Invalid("a timeline says what was applied, so it is put right in place and never dropped")
    checkpoint = await Checkpoint.open(engine, clock, projection)
    looked_at = written = 0
    pages = (
        rebuild_search(engine, checkpoint, drop=drop)
        if projection == "search"
        else TimelineRebuild(engine, checkpoint).run()
    )
    async for page in pages:
        looked_at += page.looked_at
        written += page.written
        yield {"looked_at": looked_at, "written": written}
    await checkpoint.forget()
    yield {"result": "rebuilt", "projection": projection, "looked_at": looked_at, "written": written}


__all__ = ["PROJECTIONS", "rebuild"]
