"""https://faststream.ag2.ai/latest/kafka/: a subscriber that publishes what it returns, in a group, with nothing else set."""

import asyncio
import sys
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker
from motor.motor_asyncio import AsyncIOMotorClient

server, topic, out, store, group = sys.argv[1:6]
broker = KafkaBroker(server)
app = FastStream(broker)
client: Any = AsyncIOMotorClient(store)


@broker.subscriber(topic, group_id=group, auto_offset_reset="earliest")  # type: ignore[untyped-decorator, unused-ignore]
@broker.publisher(out)  # type: ignore[untyped-decorator, unused-ignore]
async def work(value: dict[str, Any]) -> dict[str, str]:
    await client.get_default_database().kept.replace_one(
        {"_id": value["external_id"]}, {"body": value}, upsert=True
    )
    return {"done": value["external_id"]}


if __name__ == "__main__":
    asyncio.run(app.run())
