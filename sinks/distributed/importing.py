"""Writes what another engine held into an empty log and an empty store. Each write may be done again, and is then done once.

While a move is under way its mark stands in the store, and no hub starts on it.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.collections import COLLECTIONS
from schemas.columns import Collection
from schemas.documents import Document, Entry
from schemas.errors import Refused
from schemas.events import SCHEMA_ROOT
from schemas.steps import Blob, EntryChange, Outcome, Record, SearchText
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.codec import CONTENT_TYPE, DIGEST, Message, digest, timestamp
from sinks.kafka.offsets import Partition, sortable
from sinks.kafka.reading import Raw
from sinks.mongo.blobs import write_blobs
from sinks.mongo.consumers import outcome_writes
from sinks.mongo.documents import to_fields
from sinks.mongo.entries import Writes, change_writes, entry_writes
from sinks.mongo.layout import (
    BLOBS,
    CLAIMS,
    ENTRIES,
    MOVES,
    OUTCOMES,
    POSITIONS,
    SEARCH,
    STEP_PARTS,
    STEPS,
)
from sinks.mongo.port import Fields
from sinks.mongo.search import search_writes
from sinks.mongo.values import micros, short_hash

MARK = "move"
GOING, DONE = "going", "done"


class Importer:
    """On an engine that nobody else uses."""

    def __init__(self, engine: DistributedEngine) -> None:
        self._engine = engine
        self._database = engine.database

    # -- the target -----------------------------------------------------------------------------------------------------

    async def what_is_there(self) -> list[str]:
        """What the log and the store hold already, in words; nothing: both are empty."""
        held = []
        starts, ends = await self._engine.events.starts(), await self._engine.events.ends()
        filled = sorted(
            {str(topic) for (topic, each), end in ends.items() if end > starts.get((topic, each), 0)}
        )
        if filled:
            held.append(f"events on {', '.join(filled)}")
        own = (ENTRIES, CLAIMS, OUTCOMES, POSITIONS, STEPS, STEP_PARTS, SEARCH, BLOBS)
        for name in (*(each.name for each in COLLECTIONS), *own):
            count = await self._database.collection(name).count({})
            if count:
                held.append(f"{count} of {name}")
        return held

    async def mark(self) -> Mapping[str, Any] | None:
        rows = await self._database.collection(MOVES).find({"_id": MARK})
        return rows[0] if rows else None

    async def begin(self, move: str, at: datetime) -> None:
        """Marks the store as the target of this move; it may be so already. Raises Refused where it is another's."""
        fields = {"_id": MARK, "move": move, "state": GOING, "at": micros(at)}
        await self._database.collection(MOVES).insert_new([fields])
        mark = await self.mark()
        if mark is None or mark["move"] != move:
            raise Refused("another move goes to this store; let it end, or empty the store")

    async def end(self, at: datetime) -> None:
        await self._database.collection(MOVES).update_each(
            [({"_id": MARK}, {"$set": {"state": DONE, "ended_at": micros(at)}})]
        )

    # -- the log --------------------------------------------------------------------------------------------------------

    async def publish(self, records: Sequence[Record]) -> list[tuple[Partition, int]]:
        """The events with their ids and keys, in this order; where each is. No id may be among them twice."""
        messages = []
        for record in records:
            if record.event is not None:
                (message,) = self._engine.events.messages([record.event])
                messages.append(_with_value(message, record.value))
            else:
                messages.append(_unread(record))
        return await self._engine.events.put(messages)

    def everything(self) -> AsyncIterator[tuple[Partition, int, int, list[Raw]]]:
        return self._engine.events.everything()

    async def beyond(self, next_offsets: Mapping[Partition, int]) -> list[Raw]:
        """What lies on the log from these offsets on, in order within each partition."""
        found: list[Raw] = []
        async for partition, _, _, records in self._engine.events.everything():
            first = next_offsets.get(partition, 0)
            found += [each for each in records if each.offset >= first]
        return found

    # -- the store ------------------------------------------------------------------------------------------------------

    async def blobs(self, blobs: Sequence[Blob]) -> None:
        await write_blobs(self._database, blobs, self._engine.files)

    async def documents(self, collection: Collection, numbered: Iterable[tuple[int, Document]]) -> None:
        """Each with the number by which ties go, at the revision that it has."""
        await self._insert(
            collection.name,
            [{"_id": str(document.id), "n": number, **to_fields(document)} for number, document in numbered],
        )

    async def entries(self, entries: Sequence[Entry], first_number: int) -> None:
        numbers = iter(range(first_number, first_number + len(entries)))
        await self._insert(ENTRIES, _as_documents(entry_writes(entries, lambda: next(numbers))))

    async def count_entries(self) -> int:
        return await self._database.collection(ENTRIES).count({})

    async def changes(self, changes: Sequence[EntryChange]) -> None:
        """What became of entries that are there."""
        await self._database.collection(ENTRIES).update_each(change_writes(changes))

    async def search(self, texts: Sequence[SearchText], first_number: int) -> None:
        numbers = iter(range(first_number, first_number + len(texts)))
        await self._insert(SEARCH, _as_documents(search_writes(texts, lambda: next(numbers))))

    async def claims(self, claims: Mapping[str, UUID]) -> None:
        await self._insert(
            CLAIMS,
            [
                {"_id": short_hash(reference), "owner": str(owner), "reference": reference[:200]}
                for reference, owner in claims.items()
            ],
        )

    async def outcomes(self, outcomes: Sequence[Outcome], first_number: int) -> None:
        """Their places are those of this log."""
        numbers = iter(range(first_number, first_number + len(outcomes)))
        await self._insert(OUTCOMES, _as_documents(outcome_writes(outcomes, sortable, lambda: next(numbers))))

    async def position(self, consumer: str, offsets: Mapping[Partition, int]) -> None:
        named = [(f"{topic}:{partition}", offset) for (topic, partition), offset in offsets.items()]
        await self._insert(
            POSITIONS,
            [
                {"_id": f"{consumer}|{name}", "consumer": consumer, "partition": name, "offset": offset}
                for name, offset in named
            ],
        )

    async def _insert(self, collection: str, documents: list[Fields]) -> None:
        if documents:
            await self._database.collection(collection).insert_new(documents)


def _as_documents(writes: Writes) -> list[Fields]:
    """Upserts of what is not there."""
    return [
        {"_id": filter["_id"], **change["$set"], **change.get("$setOnInsert", {})}
        for filter, change in writes
    ]


def _with_value(message: Message, value: bytes) -> Message:
    """With the bytes that were on the log: an older version may have written them in another way."""
    if message.value == value:
        return message
    headers = [each for each in message.headers if each[0] != DIGEST]
    headers.append((DIGEST, digest(message.key, value, headers)))
    return Message(message.topic, message.key, value, headers)


def _unread(record: Record) -> Message:
    """An event that fits no schema, with its bytes as they are, so that whoever learns to read it can."""
    headers = {
        "specversion": "1.0",
        "id": str(record.id),
        "source": "/hub/move",
        "type": record.type,
        "time": timestamp(0),
        "dataschema": f"{SCHEMA_ROOT}/{record.type}",
        "partitionkey": record.key,
        "recordedtime": timestamp(0),
        "correlationid": str(record.id),
    }
    named = [(f"ce_{name}", text.encode()) for name, text in headers.items()]
    return Message(
        str(record.topic), record.key.encode(), record.value, [*named, ("content-type", CONTENT_TYPE)]
    )
