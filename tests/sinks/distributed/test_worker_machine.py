"""The same as test_hub_machine, by workers that share partitions: these change hands in mid-batch, and may have two holders."""

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from schemas.crash import set_hook
from sinks.kafka.offsets import Offsets
from tests.sinks.distributed.feeding import Fed
from tests.sinks.distributed.hub_world import ANN, BOB, CONSUMERS, Hub
from tests.sinks.distributed.test_hub_machine import POINTS, HubMachine, passed, run

WORKERS_POINTS = set(POINTS)


class WorkerMachine(HubMachine):
    def __init__(self) -> None:
        super().__init__()
        self.fed: dict[str, Fed] = {}

    def set_to_work(self, hub: Hub, consumers: tuple[str, ...]) -> None:
        if consumers:
            fed = self.fed[hub.process.name] = Fed(self.world, hub, CONSUMERS)
            fed.hold(dict.fromkeys(self.world.broker.records, 0) if len(self.fed) == 1 else {})

    @precondition(lambda self: any(hub.process.name in self.fed for hub in self.world.hubs))
    @rule(
        holders=st.lists(st.integers(0, 2), min_size=8, max_size=8),
        begins=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=8, max_size=8),
        knows=st.lists(st.booleans(), min_size=3, max_size=3),
    )
    def divide(self, holders: list[int], begins: list[float], knows: list[bool]) -> None:
        """Each partition has one holder, of those who know of it; the others go on as before."""
        working = [each for each in self.world.hubs if each.process.name in self.fed]
        shares: dict[str, Offsets] = {each.process.name: {} for each in working}
        for place, (partition, records) in enumerate(self.world.broker.records.items()):
            holder = working[holders[place % len(holders)] % len(working)]
            shares[holder.process.name][partition] = int(len(records) * begins[place % len(begins)])
        for number, (name, share) in enumerate(shares.items()):
            if knows[number % len(knows)]:
                self.fed[name].hold(share)
        self.world.loop.settle()

    @rule(conversations=st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
    def come(self, conversations: list[str]) -> None:
        """Messages that another process took in."""
        for conversation in conversations:
            self.world.arrive(conversation, BOB)
        self.world.loop.settle()

    @precondition(lambda self: self.fed)
    @rule(who=st.integers(0, 9), conversations=st.lists(st.sampled_from("abc"), min_size=2, max_size=6))
    def lose(self, who: int, conversations: list[str]) -> None:
        """Some of what comes is lost between the log and the worker, and what comes after it is handed over."""
        fed = self.fed[sorted(self.fed)[who % len(self.fed)]]
        for conversation in conversations:
            self.world.arrive(conversation, BOB)
        fed.next = {each: len(self.world.broker.records[each]) for each in fed.next}
        for conversation in sorted(set(conversations)):
            self.world.arrive(conversation, ANN)
        self.world.loop.settle()


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    set_hook(None)


@pytest.mark.timeout(240)
def test_nothing_is_lost_or_doubled_by_workers_in_any_order_of_turns_and_ends() -> None:
    run(examples=40, steps=40, machine=WorkerMachine)
    assert {name for name in passed if name in WORKERS_POINTS} == WORKERS_POINTS


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_doubled_by_workers_in_very_many_orders(fault_count: int) -> None:
    run(examples=20 * fault_count, steps=60, machine=WorkerMachine)
