"""Members and leases in any interleaving: never do two processes hold one lease, and in the end somebody does.

Each operation on the store waits at a gate; hypothesis says who goes next, how much time goes by, and who stands still or ends.
Clocks begin anywhere and run up to a twentieth too fast or too slow; answers come as late as they like.
"""

from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from hypothesis import event, given, settings
from hypothesis import strategies as st

from hub.leases import Leases
from hub.members import Members
from schemas.documents import Document
from schemas.errors import Conflict
from schemas.members import Lease, Member
from schemas.ports import Engine
from schemas.steps import Found, Page, Query, References, Step
from tests.hub.http.company import FixedClock

SECONDS = 10.0
NAMES = ("mailbox", "timers")
RATES = (0.95, 1.0, 1.05)
ROUND = 24
"""Operations of a look at everything, at least."""


class Gate:
    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class Store:
    """Documents at their revisions; a step happens at one moment, and its answer comes later."""

    documents: dict[UUID, Document] = field(default_factory=dict)

    async def commit(self, step: Step) -> None:
        await Gate()
        for document, expected in step.documents:
            known = self.documents.get(document.id)
            if (known.revision if known else 0) != expected:
                await Gate()
                raise Conflict("somebody was first")
        for document, _ in step.documents:
            self.documents[document.id] = document
        await Gate()

    async def load(self, references: References) -> Found:
        await Gate()
        wanted = set().union(*references.documents.values())
        found = Found(documents={id: self.documents[id] for id in wanted if id in self.documents})
        await Gate()
        return found

    async def find(self, query: Query) -> Page[Document]:
        await Gate()
        page = Page(
            [each for each in self.documents.values() if isinstance(each, Member) and not each.ended_at]
        )
        await Gate()
        return cast(Page[Document], page)


class Process:
    def __init__(self, world: "World", begin: float, rate: float) -> None:
        self._world, self._begin, self._rate = world, begin, rate
        engine = cast(Engine, world.store)
        self.members = Members(engine, FixedClock(), ("work",), seconds=SECONDS, monotonic=self.now, place="")
        self.leases = Leases(engine, FixedClock(), self.members, monotonic=self.now)
        self.wanted = [self.leases.want(name, "work") for name in NAMES]
        self.doing: Coroutine[Any, Any, None] = self._run()

    def now(self) -> float:
        return self._begin + self._world.time * self._rate

    async def _run(self) -> None:
        await self.members.join()
        while True:
            await self.members.beat()
            await self.leases.look()
            await Gate()

    def go(self, turns: int) -> None:
        for _ in range(turns):
            self.doing.send(None)
            self._world.check()


@dataclass
class World:
    store: Store = field(default_factory=Store)
    time: float = 0.0
    processes: list[Process] = field(default_factory=list)
    tokens: dict[str, dict[int, UUID]] = field(default_factory=dict)

    def holders(self, name: str) -> list[Process]:
        return [
            each for each in self.processes for lease in each.wanted if lease.name == name and lease.is_held
        ]

    def check(self) -> None:
        for name in NAMES:
            held = self.holders(name)
            assert len(held) <= 1, f"{name} is held by {len(held)}"
            for each in held:
                token = next(lease.token for lease in each.wanted if lease.name == name)
                known = self.tokens.setdefault(name, {}).setdefault(token, each.members.id)
                assert known == each.members.id, "one token was given to two"

    def pass_by(self, seconds: float) -> None:
        self.time += seconds
        self.check()


WHO = st.integers(0, 3)
ACTIONS = st.one_of(
    # One goes on by so many operations, and then so much time goes by.
    st.tuples(st.just("goes on"), WHO, st.integers(1, 24), st.sampled_from([0.0, 0.1, 1.0, 4.0, 9.0, 30.0])),
    # One goes on as it should, so often, while the others stand still.
    st.tuples(st.just("goes on alone"), WHO, st.integers(1, 8), st.sampled_from([1.0, 2.0, 3.0])),
    st.tuples(st.just("ends"), WHO, st.just(0), st.sampled_from([0.0, 1.0])),
)


@settings(max_examples=200)
@given(
    processes=st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(RATES)), min_size=2, max_size=4),
    actions=st.lists(ACTIONS, min_size=4, max_size=30),
)
def test_never_do_two_hold_one_lease_and_in_the_end_somebody_does(
    processes: list[tuple[float, float]], actions: list[tuple[str, int, int, float]]
) -> None:
    world = World()
    world.processes = [Process(world, begin, rate) for begin, rate in processes]
    everybody = list(world.processes)
    try:
        drive(world, actions)
    finally:
        for process in everybody:
            process.doing.close()


def drive(world: World, actions: list[tuple[str, int, int, float]]) -> None:
    ended = 0
    for what, who, count, seconds in actions:
        process = world.processes[who % len(world.processes)]
        if what == "goes on":
            process.go(count)
            world.pass_by(seconds)
        elif what == "goes on alone":
            for _ in range(count):
                process.go(ROUND)
                world.pass_by(seconds)
        elif len(world.processes) > 1:
            world.processes.remove(process)
            ended += 1
    event(f"{ended} end, {max(map(len, world.tokens.values()), default=0)} holdings")
    for _ in range(40):  # all who are left go on as they should
        for process in world.processes:
            process.go(ROUND)
        world.pass_by(1.0)
    assert [len(world.holders(name)) for name in NAMES] == [1, 1]
    leases = [each for each in world.store.documents.values() if isinstance(each, Lease)]
    assert {each.holder for each in leases} <= {each.members.id for each in world.processes}
