"""How many partitions each topic of the log has ever had, kept with the states: `{_id: "name:12", topic, count}`."""

from schemas.topics import Topic
from sinks.mongo.port import DocumentDatabase

COLLECTION = "partition_counts"


class StoredCounts:
    """Implements sinks.kafka.partitions.PartitionCounts. `prefix`: that of the topics."""

    def __init__(self, database: DocumentDatabase, prefix: str) -> None:
        self._collection = database.collection(COLLECTION)
        self._prefix = prefix

    async def load(self) -> dict[Topic, set[int]]:
        names = [self._prefix + each for each in Topic]
        found: dict[Topic, set[int]] = {}
        for row in await self._collection.find({"topic": {"$in": names}}):
            found.setdefault(Topic(row["topic"].removeprefix(self._prefix)), set()).add(row["count"])
        return found

    async def note(self, topic: Topic, count: int) -> None:
        name = self._prefix + topic
        await self._collection.insert_new([{"_id": f"{name}:{count}", "topic": name, "count": count}])
