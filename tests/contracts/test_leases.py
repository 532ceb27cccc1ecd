"""Members and leases on every engine: one holder at a time, a token that rises, and no clock but the observer's own."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from hub.leases import Leases, Wanted
from hub.members import Members, place_of
from schemas.errors import Conflict
from schemas.ports import Engine
from tests.contracts.engines import ATOMIC, ENGINES
from tests.contracts.samples import FixedClock

SECONDS = 10.0


class Ticks:
    """A monotonic clock of one process; each begins anywhere."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Process:
    """What one process of the hub has of members and leases."""

    def __init__(self, engine: Engine, ticks: Ticks, place: str = "") -> None:
        self.ticks = ticks
        self.members = Members(engine, FixedClock(), ("mail",), seconds=SECONDS, monotonic=ticks, place=place)
        self.leases = Leases(engine, FixedClock(), self.members, monotonic=ticks)

    async def go_on(self, seconds: float) -> None:
        """Time goes by, and the process does what it does all the time."""
        while True:
            self.ticks.at += (step := min(seconds, SECONDS / 5))
            await self.members.beat()
            await self.leases.look()
            seconds -= step
            if seconds <= 0:
                return


_starts: Iterator[int] = count(1000, 777)


def process(engine: Engine, place: str = "") -> Process:
    return Process(engine, Ticks(float(next(_starts))), place)


async def started(engine: Engine, *names: str) -> tuple[Process, list[Wanted]]:
    made = process(engine)
    wanted = [made.leases.want(name, "mail") for name in names]
    await made.leases.start()
    return made, wanted


def has(wanted: Wanted) -> bool:
    """Whether it is held now."""
    return wanted.is_held


async def test_one_holds_it_and_the_other_is_told_who(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    second, (of_second,) = await started(engine, "mailbox")
    assert has(of_first)
    assert not has(of_second)
    await second.go_on(1)
    assert second.leases.holder_name(of_second) == first.members.name


async def test_a_token_rises_with_each_change_of_hands(engine: Engine) -> None:
    tokens = []
    for _ in range(3):
        one, (wanted,) = await started(engine, "mailbox")
        tokens.append(wanted.token)
        await one.leases.stop()
        assert not has(wanted)
    assert tokens == sorted(set(tokens))
    assert tokens[0] > 0


async def test_who_is_silent_loses_it_by_the_clock_of_the_observer(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    second, (of_second,) = await started(engine, "mailbox")
    await second.go_on(SECONDS - 1)
    assert not has(of_second)
    first.ticks.at += 1  # its own clock says that a second went by: it may be slow
    await second.go_on(2)
    assert has(of_second)
    assert of_second.token > of_first.token


async def test_while_the_store_was_away_nobody_was_silent(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    second, _ = await started(engine, "mailbox")
    token = of_first.token
    for each in (first, second):  # minutes in which neither could write nor look
        each.ticks.at += SECONDS * 20
    assert not has(of_first)
    await second.go_on(1)  # the first one to whom it answers again
    await first.go_on(1)
    assert (has(of_first), of_first.token) == (True, token)
    await second.go_on(SECONDS * 1.5)
    assert await second.members.gone({first.members.id}) == {first.members.id}, "it is watched again"


async def test_who_renews_itself_keeps_it_for_ever(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    second, (of_second,) = await started(engine, "mailbox")
    token = of_first.token
    for _ in range(25):
        await first.go_on(SECONDS / 5)
        await second.go_on(SECONDS / 5)
    assert (has(of_first), of_first.token) == (True, token)
    assert not has(of_second)


async def test_a_holder_stops_trusting_itself_before_anybody_can_take_it(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    first.ticks.at += SECONDS * 0.89
    assert has(of_first)
    first.ticks.at += SECONDS * 0.02
    assert not has(of_first)


async def test_who_was_taken_for_gone_goes_on_as_another_member_without_it(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    second, (of_second,) = await started(engine, "mailbox")
    before = first.members.id
    await second.go_on(SECONDS + 1)
    assert has(of_second)
    await first.go_on(1)  # it only stood still
    assert first.members.id != before
    assert await second.members.gone({before, first.members.id}) == {before}
    assert not has(of_first)
    await second.leases.stop()
    await first.go_on(1)
    assert has(of_first)


async def test_a_holder_that_was_cut_off_and_not_missed_has_the_same_token_again(engine: Engine) -> None:
    first, (of_first,) = await started(engine, "mailbox")
    token = of_first.token
    first.ticks.at += SECONDS * 5
    assert not has(of_first)
    await first.go_on(0)
    assert (has(of_first), of_first.token) == (True, token)


async def test_a_neighbour_that_is_gone_is_ended_without_waiting(engine: Engine) -> None:
    machine, _, _ = place_of(1).rpartition("/")
    here = f"{machine}/{2**22 + 5}-1"  # no process has such a number
    dead = process(engine, place=here)
    dead.leases.want("mailbox", "mail")
    await dead.leases.start()
    alive = Process(engine, Ticks(5.0), place=f"{machine}/1-1")
    wanted = alive.leases.want("mailbox", "mail")
    await alive.leases.start()
    assert has(wanted)
    assert await alive.members.gone({dead.members.id}) == {dead.members.id}


async def test_several_leases_are_shared_fairly_and_none_is_left(engine: Engine) -> None:
    names = [f"mailbox {number}" for number in range(5)]
    first, second = process(engine), process(engine)
    for each in (first, second):
        await each.members.join()
    await first.members.beat()
    of_first = [first.leases.want(name, "mail") for name in names]
    of_second = [second.leases.want(name, "mail") for name in names]
    await first.leases.look()
    await second.leases.look()
    assert [sum(each.is_held for each in held) for held in (of_first, of_second)] == [3, 2]
    await second.leases.stop()
    await first.go_on(1)
    assert all(each.is_held for each in of_first)


async def test_all_agree_who_is_first_and_each_has_a_part(engine: Engine) -> None:
    processes = [process(engine) for _ in range(3)]
    for each in processes:
        await each.members.join()
    for each in processes:
        await each.members.beat()
    parts = [
        {name for name in map(str, range(60)) if each.members.is_first_for(name, "mail")}
        for each in processes
    ]
    assert sum(map(len, parts)) == 60
    assert set.union(*parts) == set(map(str, range(60)))
    assert min(map(len, parts)) > 5
    await processes[0].leases.stop()
    await processes[1].members.beat()
    kept = {name for name in map(str, range(60)) if processes[1].members.is_first_for(name, "mail")}
    assert kept > parts[1]


async def test_members_that_ended_are_forgotten_and_still_gone(engine: Engine) -> None:
    first, _ = await started(engine)
    await first.leases.stop()
    clock = FixedClock()
    later = Members(engine, clock, seconds=SECONDS, place="")
    await later.join()
    assert await later.purge() == 0
    clock.moment += timedelta(days=2)
    assert await later.purge() == 1
    assert await later.gone({first.members.id, later.id}) == {first.members.id}


@pytest.mark.parametrize("name", ATOMIC)
async def test_of_many_who_race_for_it_one_has_it(name: str, tmp_path: Path) -> None:
    engine = await ENGINES[name](tmp_path / "data", FixedClock())
    processes = [process(engine) for _ in range(6)]
    try:
        await asyncio.gather(*(each.members.join() for each in processes))
        tokens = []
        for _ in range(5):
            wanted = [each.leases.want("mailbox", "mail") for each in processes]
            await asyncio.gather(*(each.leases.look() for each in processes))
            (held,) = [each for each in wanted if each.is_held]
            tokens.append(held.token)
            winner = processes[wanted.index(held)]
            await winner.leases.stop()
            processes.remove(winner)
        assert tokens == sorted(set(tokens))
    finally:
        await engine.close()


@pytest.mark.parametrize("name", ATOMIC)
async def test_an_end_and_a_renewal_at_once_leave_one_of_them(name: str, tmp_path: Path) -> None:
    engine = await ENGINES[name](tmp_path / "data", FixedClock())
    try:
        for _ in range(10):
            renewing, (wanted,) = await started(engine, "mailbox")
            observer = process(engine)
            await observer.members.join()
            before = renewing.members.id
            await observer.go_on(SECONDS)
            observer.ticks.at += 1
            await asyncio.gather(observer.members.beat(), renewing.go_on(0))
            was_ended = bool(await observer.members.gone({before}))
            await renewing.go_on(0)
            assert (renewing.members.id == before) is not was_ended
            await renewing.leases.stop()
            await observer.leases.stop()
            assert not has(wanted)
    except Conflict as conflict:
        pytest.fail(f"a conflict of members is theirs to settle: {conflict}")
    finally:
        await engine.close()
