"""Copies the log, and what only it tells of: claims and blobs."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from hub.moving.blobs import Blobs
from hub.moving.checkpoint import Checkpoint
from schemas.crash import crash_point
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.outbound import DeliverySent
from schemas.ports import Engine
from schemas.steps import START, Position, Record, References
from schemas.topics import Topic
from sinks.distributed.importing import Importer
from sinks.kafka.codec import event_id
from sinks.kafka.offsets import Partition

EVENTS_AT_ONCE = 500
ALL_TOPICS = tuple(Topic)
Places = dict[str, deque[tuple[Partition, int]]]


class CopyingLog:
    """`told` is called with how many events were done since."""

    def __init__(
        self,
        source: Engine,
        target: Importer,
        checkpoint: Checkpoint,
        blobs: Blobs,
        told: Callable[[int], None],
    ) -> None:
        self._source = source
        self._target = target
        self._checkpoint = checkpoint
        self._blobs = blobs
        self._told = told

    async def run(self) -> None:
        """From where the checkpoint is."""
        checkpoint = self._checkpoint
        after: Position = checkpoint.get("events") or START
        there = await self._there()
        self._told(checkpoint.count())
        while records := await self._source.scan(ALL_TOPICS, after, EVENTS_AT_ONCE):
            events = [each.event for each in records if each.event is not None]
            await self._blobs.carry(each.data for each in events)
            await self._claims(events)
            after = records[-1].position
            placed = await self._put(records, there)
            crash_point("move.after-publishing")
            checkpoint.moved(after, placed)
            crash_point("move.after-page")
            self._told(len(records))

    async def _there(self) -> Places:
        """Events that were put and not written down, by their ids, in the order in which they lie."""
        found: Places = defaultdict(deque)
        for raw in await self._target.beyond(self._checkpoint.ends()):
            found[event_id(raw.headers).decode()].append((raw.partition, raw.offset))
        return found

    async def _put(self, records: Sequence[Record], there: Places) -> list[tuple[Record, Partition, int]]:
        placed: list[tuple[Record, Partition, int]] = []
        together: dict[UUID, Record] = {}

        async def put() -> None:
            places = await self._target.publish(list(together.values()))
            for record, (partition, offset) in zip(together.values(), places, strict=True):
                placed.append((record, partition, offset))
            together.clear()

        for record in records:
            known = there.get(str(record.id))
            if known:
                placed.append((record, *known.popleft()))
                continue
            if record.id in together:  # the same event a second time
                await put()
            together[record.id] = record
        if together:
            await put()
        return placed

    async def _claims(self, events: Iterable[Event]) -> None:
        names = claimable(events)
        if names:
            await self._target.claims((await self._source.load(References(threads=names))).threads)


def claimable(events: Iterable[Event]) -> set[str]:
    """The references that these events may have claimed for a case."""
    names: set[str] = set()
    for event in events:
        if isinstance(event.data, InteractionReceived):
            names |= {event.data.conversation, event.data.external_id}
        elif isinstance(event.data, DeliverySent):
            names.add(event.data.external_id)
    return names - {""}
