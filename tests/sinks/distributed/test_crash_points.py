"""On the real servers: the process ends at each named point, the next one does the same again, and all is there once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from schemas.crash import DISTRIBUTED_CRASH_POINTS, Crashed, arm, set_hook
from schemas.documents import Case
from schemas.errors import Conflict
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.ports import Engine
from schemas.steps import START, Blob, Outcome, OutcomeKind, References, Step
from schemas.topics import Topic
from sinks.distributed.engine import open_distributed
from tests.contracts.engines import PARTITIONS, empty_log
from tests.contracts.samples import FixedClock, case, entry, name, noted, received
from tests.support.servers import server

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("nx-27017"),
    pytest.mark.xdist_group("servers"),
]
DIRECT = "distributed.after-direct-publishing"
THREAD = "thread:<1@example.org>"


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    set_hook(None)


@dataclass
class Installation:
    """What stays when a process ends."""

    log: str
    store: str
    clock: FixedClock

    async def process(self) -> Engine:
        return await open_distributed(self.log, self.store, clock=self.clock)


@pytest.fixture
async def installation() -> Installation:
    log = f"{server('kafka').url}?prefix=crash-{uuid4().hex[:8]}.&partitions={PARTITIONS}"
    await empty_log(log)
    return Installation(log, f"{server('nx-27017').url}crash_{uuid4().hex[:8]}", FixedClock())


async def work(engine: Engine) -> None:
    """What a consumer does with the next event: two cases, an entry of each, a claim, a blob. Done before is passed over."""
    batch = await engine.read("cases", [Topic.INTERACTIONS], 10)
    if not batch.records:
        return
    (record,) = batch.records
    handled = (await engine.load(References(handled={name("entry", 1), name("entry", 2)}))).handled
    step = Step(consumer="cases", before=batch.before, position=batch.position)
    if handled:
        step.outcomes.append(Outcome("cases", record.place, record.id, OutcomeKind.DUPLICATE, "again"))
    else:
        step.documents += [(case("one"), 0), (case("two"), 0)]
        step.entries += [entry(1, "one"), entry(2, "two")]
        step.claims[THREAD] = name("case", "one")
        step.events += [noted(name("case", label), 1) for label in ("one", "two")]
        step.blobs.append(Blob(BlobRef(sha256=sha256(b"file"), size=4), b"file"))
    await engine.commit(step)


async def live(engine: Engine, point: str) -> None:
    if point == DIRECT:
        arm(point)
    await engine.commit(Step(events=[received(1)]))
    arm(point)
    await work(engine)


@pytest.mark.parametrize("point", DISTRIBUTED_CRASH_POINTS)
async def test_nothing_is_lost_or_doubled_when_a_process_ends_there(
    installation: Installation, point: str
) -> None:
    first = await installation.process()
    with pytest.raises(Crashed):
        await live(first, point)
    await first.close()
    installation.clock.moment += timedelta(seconds=30)
    second = await installation.process()
    for _ in range(3):  # the first may find what is left of the step in its way
        try:
            await work(second)
        except Conflict:
            continue
    try:
        found = await second.load(
            References(
                threads={THREAD},
                entries={name("entry", 1), name("entry", 2)},
                documents={Case: {name("case", "one"), name("case", "two")}},
            )
        )
        assert found.threads == {THREAD: name("case", "one")}
        assert found.documents == {each.id: each for each in (case("one"), case("two"))}
        assert len(found.entries) == 2
        told = [each.id for each in await second.scan([Topic.CASES], START, 10)]
        assert set(told) == {noted(name("case", label), 1).id for label in ("one", "two")}
        assert await second.lag("cases", [Topic.INTERACTIONS]) == 0
        assert await second.blob(BlobRef(sha256=sha256(b"file"), size=4)) == b"file"
        assert [fault async for fault in second.check()] == []
        installation.clock.moment += timedelta(hours=2)
        await second.expire()
        assert await second.expire() == 0
    finally:
        await second.close()
