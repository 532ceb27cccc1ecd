"""What cases are found by, written anew by the same consumer that writes it at first, where it is not as it should be.

It is over when nothing is left to read after the last page is written: what the hub wrote meanwhile has its event on the log, which is
then read too. So the last text of an entry stands in the end, whoever wrote in between.
"""

from collections.abc import AsyncIterator

from hub.consumers import SearchConsumer
from hub.rebuilding.checkpoint import Checkpoint, Page
from schemas.ports import Engine
from schemas.steps import Step

EVENTS_AT_ONCE = 500


async def rebuild_search(engine: Engine, checkpoint: Checkpoint, *, drop: bool) -> AsyncIterator[Page]:
    """With `drop` all is forgotten first, unless that was done by the one that was cut off."""
    if drop and not checkpoint.is_begun:
        await engine.forget_search()
        await checkpoint.commit(Step(), checkpoint.after)
    consumer = SearchConsumer(engine)
    while records := await engine.scan(consumer.topics, checkpoint.after, EVENTS_AT_ONCE):
        step, _ = await consumer.process(records)
        wrong = set(await engine.unlike(step.search)) if step.search else set()
        latest = {each.entry: each for each in step.search}
        step.search = [text for entry, text in latest.items() if entry in wrong]
        written = len(step.search)
        await checkpoint.commit(step, records[-1].position)
        yield Page(len(records), written)
