"""https://faust-streaming.github.io/faust/playbooks/quickstart.html: an agent that iterates over its stream."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import faust
from motor.motor_asyncio import AsyncIOMotorClient

server, topic, out, store, group = sys.argv[1:6]
app = faust.App(
    group, broker=f"kafka://{server}", value_serializer="json", topic_allow_declare=False, topic_disable_leader=True,
    consumer_auto_offset_reset="earliest", web_enabled=False, datadir=Path(tempfile.gettempdir(), group),
)  # fmt: skip
told = app.topic(out)


@app.agent(app.topic(topic))
async def work(stream: Any) -> None:
    database: Any = AsyncIOMotorClient(store).get_default_database()
    async for value in stream:
        await database.kept.replace_one({"_id": value["external_id"]}, {"body": value}, upsert=True)
        await told.send(value={"done": value["external_id"]})  # type: ignore[unused-awaitable]  # as the tutorial has it


if __name__ == "__main__":
    faust.Worker(app, loglevel="critical").execute_from_commandline()
