"""https://quix.io/docs/quix-streams/quickstart.html: a streaming dataframe from topic to topic."""

import sys
from typing import Any

from pymongo import MongoClient
from quixstreams import Application

server, topic, out, store, group = sys.argv[1:6]
app = Application(
    broker_address=server, consumer_group=group, auto_offset_reset="earliest", auto_create_topics=False
)
client: MongoClient[Any] = MongoClient(store)


def work(value: dict[str, Any]) -> dict[str, str]:
    client.get_default_database().kept.replace_one(
        {"_id": value["external_id"]}, {"body": value}, upsert=True
    )
    return {"done": value["external_id"]}


if __name__ == "__main__":
    told = app.topic(out, value_serializer="json")
    app.dataframe(app.topic(topic, value_deserializer="json")).apply(work).to_topic(told)
    app.run()
