"""`console` on Kafka and MongoDB's protocol: what an agent waits for in a company of very many cases, and what the database looks
at for it.

The database's own time is in every figure, and what stands for MongoDB is not MongoDB: what was examined is told beside it, which
does not depend on the server as long as it chooses the same indexes.
"""

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pymongo
from pymongo.errors import OperationFailure

from schemas.collections import CASES
from schemas.events import SYSTEM
from schemas.steps import Query, Step
from sinks.mongo.layout import ENTRIES
from sinks.sqlite.engine import SqliteEngine
from tests.bench.console import _pages, _signed_in, look
from tests.bench.distributed.copies import multiply
from tests.bench.distributed.ground import Installation, ground
from tests.bench.measuring import Figure
from tests.bench.workload import EVENTS_A_STEP, FixedClock, configuration, interactions
from tests.hub.console.office import Office, _furnished

STREAM_PER_SECOND = 50
EXAMINED = ("keysExamined", "docsExamined", "nreturned")


def measure(folder: Path, count: int, cases: int, entries: int) -> Figure:
    """So many interactions are decided, and then copied until there are so many cases and entries."""
    with ground(folder) as on:
        measured = asyncio.run(_measure(on.installation(), count, cases, entries))
        return {"database": on.says, "interactions": count, **measured}


async def _measure(installation: Installation, count: int, cases: int, entries: int) -> Figure:
    await installation.make_topics()
    engine, clock, coming = await installation.open(), FixedClock(), interactions(2 * count)
    try:
        desk = await _furnished(cast(SqliteEngine, engine), clock)
        await desk.context.publisher.publish(configuration(), SYSTEM)
        while events := list(itertools.islice(coming, min(EVENTS_A_STEP, count))):
            await engine.commit(Step(events=events))
            count -= len(events)
        await desk.settle()
        began = time.perf_counter()
        await multiply(engine.database, cases, entries)
        copied = time.perf_counter() - began
        return {
            "cases": await engine.count(Query(CASES)),
            "entries": await engine.database.collection(ENTRIES).count({}),
            "seconds_to_copy": round(copied, 1),
            "looked_at_by_page": await _looked_at(desk, installation.store),
            **await look(desk, coming, STREAM_PER_SECOND),
        }
    finally:
        await engine.close()


async def _looked_at(desk: Office, store: str) -> Figure | str:
    """What the database did for each page, by its profiler."""
    client: pymongo.MongoClient[Any] = pymongo.MongoClient(store)
    database = client.get_default_database()
    try:
        database.command("profile", 2)
    except OperationFailure as error:
        client.close()
        return f"the database has no profiler: {error}"[:200]
    figure: Figure = {}
    async with desk.served() as url, _signed_in(url) as agent:
        for name, path in (await _pages(desk)).items():
            await agent.get(path)
            before = database["system.profile"].count_documents({})
            answer = await agent.get(path)
            assert answer.status_code == 200, path
            figure[name] = _told(list(database["system.profile"].find())[before:])
    database.command("profile", 0)
    client.close()
    return figure


def _told(notes: list[dict[str, Any]]) -> Figure:
    most = max(notes, key=lambda note: int(note["docsExamined"]), default=None)
    return {
        "commands": len(notes),
        **{name: sum(int(note.get(name, 0)) for note in notes) for name in EXAMINED},
        "by_collection": dict(Counter(str(note["ns"]).partition(".")[2] for note in notes)),
        "most": None if most is None else f"{most['ns'].partition('.')[2]}: {most['planSummary']}",
    }
