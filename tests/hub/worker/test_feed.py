"""What a worker is fed is applied once and in order, whatever comes twice, too early, to two at once, or not at all."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub.processing import APPLIED, Result
from hub.worker.feed import Feed, merged
from schemas.accounts import AnsweredRequest
from schemas.collections import DEAD_LETTERS, PARKED
from schemas.errors import Outage
from schemas.ids import derive
from schemas.letters import DeadLetter
from schemas.steps import OutcomeKind, Query, Record, References, Step
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.codec import Message
from sinks.kafka.offsets import Partition
from sinks.kafka.reading import Raw
from sinks.kafka.stamps import Stamps
from sinks.mongo.values import micros
from tests.contracts.samples import received
from tests.sinks.distributed.fakes import FakeDatabase, no_gate
from tests.sinks.distributed.memory_log import PARTITIONS, Broker, MemoryLog
from tests.support.waiting import eventually

BEGIN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ALL: list[Partition] = [(Topic.INTERACTIONS, number) for number in range(PARTITIONS)]
KEYS = ("ann", "bob", "kim", "lea", "tom")


class Clock:
    def __init__(self) -> None:
        self.time = BEGIN

    def now(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time


class World:
    """The servers, and who works on them."""

    def __init__(self, gate: Callable[[], Awaitable[None]] = no_gate) -> None:
        self.clock = Clock()
        self.broker = Broker()
        self.is_down = False
        self.missing: set[str] = set()
        """Keys that cannot be decided yet."""

        async def passed() -> None:
            if self.is_down:
                raise Outage("mongodb: no answer", retry_after_seconds=0.01)
            await gate()

        self._gate = passed
        self.database = FakeDatabase(passed)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[DistributedEngine]:
        stamps = Stamps(lambda: micros(self.clock.now()))
        log = MemoryLog(self.broker, stamps, no_gate)
        engine = DistributedEngine(log, self.database, self.clock, stamps)  # type: ignore[arg-type]
        yield engine
        await engine.close()

    @asynccontextmanager
    async def feed(self, batch: int = 500) -> AsyncIterator[Feed]:
        async with self.engine() as engine:
            feed = Feed(engine, self.clock, Noting(engine, self), batch)
            looking = asyncio.create_task(feed.run())
            yield feed
            feed.stop()
            looking.cancel()
            await asyncio.wait({looking})

    async def said(self, *keys: str) -> None:
        """An interaction of each of these keys, in this order."""
        async with self.engine() as engine:
            for key in keys:
                number = sum(len(each) for each in self.broker.records.values())
                await engine.commit(Step(events=[received(number, key)]))

    def raws(self) -> list[Raw]:
        return [raw for each in ALL for raw in self.broker.records[each]]

    async def noted(self) -> dict[str, list[str]]:
        """Key -> ids of what was applied, in the order in which it was."""
        async with self.engine() as engine:
            wanted = References(documents={AnsweredRequest: {derive("key", key) for key in KEYS}})
            found = (await engine.load(wanted)).documents
        return {key: texts(found.get(derive("key", key))) for key in KEYS if derive("key", key) in found}

    def expected(self) -> dict[str, list[str]]:
        """As it lies on the log, each once."""
        by_key: dict[str, list[str]] = {}
        for raw in self.raws():
            event = self.broker.event(raw)
            if event is not None and str(event.id) not in by_key.setdefault(event.key, []):
                by_key[event.key].append(str(event.id))
        return by_key


def texts(document: object) -> list[str]:
    return document.body.decode().split() if isinstance(document, AnsweredRequest) else []


class Noting:
    """Appends the id of each record to a document of its key, without looking whether it is there."""

    name = "noting"
    topics: Sequence[Topic] = (Topic.INTERACTIONS,)

    def __init__(self, engine: DistributedEngine, world: World) -> None:
        self._engine = engine
        self._world = world

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        ids = {record.key: derive("key", record.key) for record in records}
        found = (
            await self._engine.load(References(documents={AnsweredRequest: set(ids.values())}))
        ).documents
        said: dict[str, list[str]] = {}
        results = []
        for record in records:
            if record.key in self._world.missing:
                results.append(Result(OutcomeKind.PARKED, "a fact is missing"))
                continue
            said.setdefault(record.key, []).append(str(record.id))
            results.append(APPLIED)
        step = Step()
        for key, new in said.items():
            before = found.get(ids[key])
            revision = before.revision if before is not None else 0
            body = " ".join([*texts(before), *new]).encode()
            step.documents.append((note(ids[key], revision + 1, body), revision))
        return step, results

    def committed(self, step: Step) -> None:
        return None


def note(id: UUID, revision: int, body: bytes) -> AnsweredRequest:
    return AnsweredRequest(
        id=id, revision=revision, digest="", status=200, body=body, expires_at=BEGIN + timedelta(days=1)
    )


async def test_what_comes_twice_is_applied_once() -> None:
    world = World()
    await world.said(*KEYS, *KEYS)
    async with world.feed() as feed:
        feed.hold(ALL)
        await feed.take(world.raws())
        await feed.take(world.raws())
        await feed.take(world.raws()[3:])
    assert await world.noted() == world.expected()


async def test_what_whoever_fetches_left_out_is_read_from_the_log() -> None:
    world = World()
    await world.said(*KEYS, *KEYS, *KEYS)
    async with world.feed(batch=2) as feed:
        feed.hold(ALL)
        await feed.take([world.broker.records[each][-1] for each in ALL])
    assert await world.noted() == world.expected()


async def test_what_lies_before_the_first_record_that_will_come_is_looked_for_at_once() -> None:
    world = World()
    await world.said(*KEYS, *KEYS)
    async with world.feed() as feed:
        feed.hold(ALL, {each: len(world.broker.records[each]) for each in ALL})

        async def is_done() -> bool:
            return await world.noted() == world.expected()

        await eventually(is_done, 5)


async def test_two_who_are_given_the_same_batch_apply_it_once() -> None:
    world = World()
    await world.said(*KEYS, *KEYS)
    async with world.feed() as one, world.feed() as other:
        one.hold(ALL)
        other.hold(ALL)
        await asyncio.gather(one.take(world.raws()), other.take(world.raws()))
    assert await world.noted() == world.expected()


async def test_a_parked_key_goes_to_who_takes_its_partition_over() -> None:
    world = World()
    await world.said("ann", "bob", "ann")
    world.missing = {"ann"}
    async with world.feed() as one, world.feed() as other:
        one.hold(ALL)
        await one.take(world.raws())
        assert [(each.key, each.events) for each in one.processing.parking.lags()] == [("ann", 2)]
        other.hold(ALL)  # and the first does not know yet that it has lost it
        await world.said("ann", "bob")
        await other.take(world.raws())
        assert [(each.key, each.events) for each in other.processing.parking.lags()] == [("ann", 3)]
        assert set(await world.noted()) == {"bob"}
        world.missing = set()
        world.clock.time += timedelta(minutes=10)
        one.hold(ALL)

        async def is_done() -> bool:
            return await world.noted() == world.expected()

        await eventually(is_done, 5)
    async with world.engine() as engine:
        assert await engine.count(Query(PARKED)) == 0


async def test_bytes_that_fit_no_schema_are_set_aside_and_the_others_go_on() -> None:
    world = World()
    await world.said("ann")
    world.broker.append(Message("interactions", b"ann", b"\xff no event", []))
    await world.said("ann")
    async with world.feed() as feed:
        feed.hold(ALL)
        await feed.take(world.raws())
    assert await world.noted() == world.expected()
    async with world.engine() as engine:
        (letter,) = (await engine.find(Query(DEAD_LETTERS))).items
    assert isinstance(letter, DeadLetter)
    assert (letter.value, letter.stage) == (b"\xff no event", "decode")


async def test_while_the_store_is_down_it_waits_and_after_a_stop_it_never_returns() -> None:
    world = World()
    await world.said(*KEYS)
    async with world.feed() as feed:
        feed.hold(ALL)
        world.is_down = True
        taking = asyncio.create_task(feed.take(world.raws()))
        await asyncio.wait({taking}, timeout=0.1)
        assert not taking.done()
        world.is_down = False
        await asyncio.wait_for(taking, 5)
        await world.said(*KEYS)
        world.is_down = True
        taking = asyncio.create_task(feed.take(world.raws()))
        await asyncio.wait({taking}, timeout=0.1)
        feed.stop()
        await feed.idle()  # an attempt that had begun may still be applied; it fails here
        world.is_down = False
        await asyncio.wait({taking}, timeout=0.1)
        assert not taking.done()
        taking.cancel()
        await asyncio.wait({taking})
    assert {key: len(each) for key, each in (await world.noted()).items()} == dict.fromkeys(KEYS, 1)
    async with world.feed() as next_one:
        next_one.hold(ALL)
        await next_one.take(world.raws())
    assert await world.noted() == world.expected()


@pytest.mark.parametrize("seed", range(12))
async def test_order_and_effects_hold_in_any_interleaving_of_three_workers(seed: int) -> None:
    chance = random.Random(seed)

    async def gate() -> None:
        for _ in range(chance.choice((0, 0, 1, 3))):
            await asyncio.sleep(0)

    world = World(gate)
    await world.said(*(chance.choice(KEYS) for _ in range(40)))

    async def work(feed: Feed) -> None:
        for _ in range(6):
            feed.hold([each for each in ALL if chance.random() < 0.7])
            some = [
                raw
                for each in ALL
                for raw in world.broker.records[each][chance.randrange(20) :][: chance.randrange(1, 20)]
            ]
            if chance.random() < 0.3:
                world.missing ^= {chance.choice(KEYS)}
            await feed.take(some)
            world.clock.time += timedelta(seconds=chance.randrange(3))

    async with world.feed(4) as one, world.feed(7) as two, world.feed() as three:
        await asyncio.gather(work(one), work(two), work(three))
        world.missing.clear()
        for feed in (one, two, three):
            feed.hold(ALL)
            await feed.take(world.raws())
        world.clock.time += timedelta(hours=1)
        for feed in (one, two, three):
            feed.hold(ALL)

        async def is_done() -> bool:
            world.clock.time += timedelta(seconds=10)  # what met another's step is tried again after a while
            return await world.noted() == world.expected()

        await eventually(is_done)


def test_records_of_several_partitions_are_merged_by_stamp_and_keep_their_order_within_each() -> None:
    def raw(number: int, offset: int, stamp: int) -> Raw:
        return Raw((Topic.CASES, number), offset, stamp, None, None, ())

    mixed = [raw(0, 0, 50), raw(0, 1, 10), raw(1, 7, 20), raw(1, 8, 60)]
    assert [(each.partition[1], each.offset) for each in merged(mixed)] == [(1, 7), (0, 0), (0, 1), (1, 8)]


async def test_a_worker_tells_how_far_it_is_in_its_partitions_and_one_without_any_how_far_all_are() -> None:
    world = World()
    await world.said(*KEYS, *KEYS)
    span = dict.fromkeys(ALL, 0), world.broker.ends()
    async with world.feed() as feed, world.feed() as idle:
        feed.hold(ALL[:1])
        before = await feed.share(*span)
        whole = await idle.whole(*span)
        assert (before.lag, before.partitions) == (len(world.broker.records[ALL[0]]), 1)
        assert (whole.lag, whole.moves) == (2 * len(KEYS), 0)
        await feed.take(world.broker.records[ALL[0]])
        after = await feed.share(*span)
        assert (after.lag, after.moves > before.moves) == (0, True)
        later = await idle.whole(*span)
        assert later.lag == len(world.broker.records[ALL[1]])
        assert later.moves == before.lag
        emptied = await idle.whole(world.broker.ends(), world.broker.ends())
        assert emptied.lag == 0
