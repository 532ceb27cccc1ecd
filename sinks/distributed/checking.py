"""What the engine can see by itself of whether all is whole: offsets and seals of the log, positions, documents, entries, blobs."""

from collections.abc import AsyncIterator

from schemas.errors import Never
from schemas.topics import TOPICS, Topic
from sinks.kafka.codec import is_sealed
from sinks.kafka.log import KafkaLog
from sinks.kafka.offsets import from_place
from sinks.mongo.blobs import blob_faults
from sinks.mongo.consumers import read_positions
from sinks.mongo.documents import document_faults
from sinks.mongo.entries import STORED, decode_entry
from sinks.mongo.layout import ENTRIES
from sinks.mongo.port import DocumentDatabase, Files

AT_ONCE = 1000


async def faults(
    events: KafkaLog, database: DocumentDatabase, files: Files | None = None
) -> AsyncIterator[str]:
    """Reads everything; takes minutes on a large log. What is written meanwhile may or may not be looked at."""
    async for fault in _log_faults(events):
        yield fault
    async for fault in _position_faults(events, database):
        yield fault
    async for fault in document_faults(database):
        yield fault
    async for fault in _entry_faults(database):
        yield fault
    async for fault in blob_faults(database, files):
        yield fault


async def _log_faults(events: KafkaLog) -> AsyncIterator[str]:
    """Every record from the first to the last of each partition is there, and as it was written."""
    async for (topic, partition), first, last, records in events.everything():
        expected = first
        for each in records:
            if each.offset != expected:
                yield f"log: {topic}:{partition} has nothing at {expected} to {each.offset - 1}"
            if not is_sealed(each.key, each.value, each.headers):
                yield f"log: {topic}:{partition}:{each.offset} was altered"
            expected = each.offset + 1
        if expected < last:
            yield f"log: {topic}:{partition} has nothing at {expected} to {last - 1}"


async def _position_faults(events: KafkaLog, database: DocumentDatabase) -> AsyncIterator[str]:
    """Nobody stands beyond the end, or before the start of what is kept for ever: then records are lost."""
    ends, starts = await events.ends(), await events.starts()
    for consumer, offsets in (await read_positions(database)).items():
        for name, offset in offsets.items():
            partition, _ = from_place(f"{name}:0")
            if offset > ends.get(partition, 0):
                yield f"log: {name} ends at {ends.get(partition, 0)}, and {consumer} has read up to {offset}"
            if offset < starts.get(partition, 0) and TOPICS[Topic(partition[0])].retention_days is None:
                yield f"log: {name} starts at {starts[partition]}, and {consumer} has read only up to {offset}"


async def _entry_faults(database: DocumentDatabase) -> AsyncIterator[str]:
    after = ""
    while rows := await database.collection(ENTRIES).find(
        {"_id": {"$gt": after}}, STORED, (("_id", 1),), AT_ONCE
    ):
        after = rows[-1]["_id"]
        cases = {row["case"] for row in rows}
        found = await database.collection("cases").find({"_id": {"$in": sorted(cases)}}, ("_id",))
        missing = cases - {row["_id"] for row in found}
        for row in rows:
            try:
                entry = decode_entry(row)
            except Never as error:
                yield str(error)
                continue
            if (str(entry.id), str(entry.case)) != (row["_id"], row["case"]):
                yield f"entry: {row['_id']} is not what its fields say"
            if row["case"] in missing:
                yield f"entry: {entry.id} belongs to case {entry.case}, which is missing"
