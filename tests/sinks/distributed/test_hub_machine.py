"""The whole hub in several processes on servers in memory, which end, wait, go on and meet in any order.

Runner, deciders, engine and committer are the real ones; each operation on a document and each message on the log is a turn
that hypothesis gives to one process. In the end another process does what is left, and everything is looked up.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from schemas.commands import ClaimCase, MergeCase, NoteCase, ReplyToCase, ResolveCase, TagCase
from schemas.crash import CRASH_POINTS, DISTRIBUTED_CRASH_POINTS, Crashed, set_hook
from schemas.events import Actor
from tests.sinks.distributed.hub_world import ANN, BOB, CONSUMERS, Hub, World
from tests.sinks.distributed.stepped import end_at_named_point

MOST_PROCESSES, MOST_KILLS = 3, 4
MOST_TURNS = 600
AGENT = Actor(kind="agent", id="boss")
POINTS = sorted([*DISTRIBUTED_CRASH_POINTS, *(each for each in CRASH_POINTS if each.startswith("runner."))])
SOME = st.integers(0, 11)


passed: Counter[str] = Counter()


def pass_point(name: str) -> None:
    passed[name] += 1
    try:
        end_at_named_point(name)
    except Crashed:
        passed[f"ended at {name}"] += 1
        raise


class HubMachine(RuleBasedStateMachine):
    """`who` and `what` choose among those that are there."""

    world: World
    kills = 0

    @initialize(is_warm=st.booleans())
    def begin(self, is_warm: bool) -> None:
        """Two workers with the same batch; or one of them did it already."""
        set_hook(pass_point)
        self.world = World()
        self.world.begin()
        for consumers in (CONSUMERS, CONSUMERS):
            self.start(consumers)
        for conversation in "ab":
            self.world.write(self.hub(0), conversation, ANN)
        if is_warm:
            self.let_be(0)

    def teardown(self) -> None:
        try:
            world = self.world
            event(
                f"{world.started - 1} processes, {len(world.sent)} messages, {len(world.requests)} requests"
            )
            world.check_end(world.conclude())
        finally:
            set_hook(None)
            self.world.close()

    def hub(self, who: int) -> Hub:
        if not self.world.hubs:
            self.start(CONSUMERS)
        return self.world.hubs[who % len(self.world.hubs)]

    # -- processes --------------------------------------------------------------------------------------------------

    @precondition(
        lambda self: len(self.world.hubs) < MOST_PROCESSES and all(self.world.servers.is_up.values())
    )
    @rule(consumers=st.sampled_from([CONSUMERS, CONSUMERS, ("cases",), ("cases", "automation"), ()]))
    def start(self, consumers: tuple[str, ...]) -> None:
        """A process of all roles, or of one; two of the same role have the same batch before them."""
        self.set_to_work(self.world.start(), consumers)

    def set_to_work(self, hub: Hub, consumers: tuple[str, ...]) -> None:
        self.world.work(hub, consumers)

    @rule(who=SOME, turns=st.integers(1, 60), which=SOME)
    def go(self, who: int, turns: int, which: int) -> None:
        hub = self.hub(who)
        for _ in range(turns):
            if hub.process.has_ended or not hub.process.go(which):
                break
        self.world.bury()

    @rule(who=SOME)
    def let_be(self, who: int) -> None:
        """One goes as far as it can."""
        self.go(who, MOST_TURNS, 0)

    @rule(choices=st.lists(st.tuples(SOME, SOME, st.integers(1, 12)), min_size=3, max_size=40))
    def meet(self, choices: list[tuple[int, int, int]]) -> None:
        """Several by turns."""
        for who, which, turns in choices:
            self.go(who, turns, which)

    @precondition(lambda self: self.world.hubs and self.kills < MOST_KILLS)
    @rule(who=SOME)
    def kill(self, who: int) -> None:
        self.kills += 1
        self.world.end(self.hub(who))

    @rule(who=SOME, point=st.sampled_from(POINTS))
    def end_at(self, who: int, point: str) -> None:
        self.hub(who).process.ends_at = point

    @rule(seconds=st.sampled_from([0.01, 0.2, 1.0, 3.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.world.loop.advance(seconds)
        self.world.bury()

    @rule(who=SOME, seconds=st.sampled_from([-15, -3, 3, 15]))
    def turn_the_clock(self, who: int, seconds: int) -> None:
        self.hub(who).clock.wrong_by += timedelta(seconds=seconds)

    @rule(server=st.sampled_from(["log", "store"]))
    def end_or_begin_an_outage(self, server: str) -> None:
        self.world.servers.is_up[server] = not self.world.servers.is_up[server]

    # -- people -----------------------------------------------------------------------------------------------------

    @rule(who=SOME, conversation=st.sampled_from("abc"), sender=st.sampled_from([ANN, BOB]))
    def write(self, who: int, conversation: str, sender: str) -> None:
        self.world.write(self.hub(who), conversation, sender)

    @precondition(lambda self: self.world.sent)
    @rule(who=SOME, what=SOME)
    def deliver_again(self, who: int, what: int) -> None:
        self.world.deliver(self.hub(who), what % len(self.world.sent))

    @precondition(lambda self: self.world.cases())
    @rule(who=SOME, what=SOME, which=st.integers(0, 5), other=SOME)
    def ask(self, who: int, what: int, which: int, other: int) -> None:
        cases = self.world.cases()
        number = len(self.world.requests)
        case, into = cases[what % len(cases)], cases[other % len(cases)]
        commands = [
            NoteCase(case=case, actor=AGENT, text=f"note {number}"),
            ReplyToCase(case=case, actor=AGENT, text=f"reply {number}"),
            ResolveCase(case=case, actor=AGENT),
            ClaimCase(case=case, actor=AGENT),
            TagCase(case=case, actor=AGENT, add=(f"tag-{number}",)),
            MergeCase(case=case, actor=AGENT, into=into),
        ]
        self.world.ask(self.hub(who), commands[which])

    @precondition(lambda self: self.world.requests)
    @rule(who=SOME, what=SOME)
    def ask_again(self, who: int, what: int) -> None:
        self.world.ask_again(self.hub(who), self.world.requests[what % len(self.world.requests)])

    # -- always -----------------------------------------------------------------------------------------------------

    @invariant()
    def of_each_case_the_log_holds_one_history(self) -> None:
        self.world.check_order()

    @invariant()
    def nobody_stands_beyond_what_he_did(self) -> None:
        self.world.check_positions()


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    set_hook(None)


def run(examples: int, steps: int, machine: type[HubMachine] = HubMachine) -> None:
    """Prints how often each point was passed and ended at, so that a run says what it went through."""
    passed.clear()
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))
    print(f"{examples} examples:", *(f"{name} {count}" for name, count in sorted(passed.items())), sep="\n")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_lost_or_doubled_in_any_order_of_turns_and_ends() -> None:
    run(examples=60, steps=40)
    assert {name for name in passed if name in POINTS} == set(POINTS), "some points were never passed"


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_doubled_in_very_many_orders(fault_count: int) -> None:
    run(examples=20 * fault_count, steps=60)
