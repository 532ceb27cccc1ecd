"""A process ends by itself only when a consumer has work and stands still while both servers answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.worker.watchdog import Moving, Watchdog
from schemas.errors import Outage

BOUND = 10.0


@dataclass
class Standing:
    lag: int = 0
    moves: int = 0


class Scene:
    """A clock, a consumer, and whether the servers answer."""

    def __init__(self) -> None:
        self.now = 0.0
        self.consumer = Standing()
        self.is_down = False
        self.ended: list[float] = []
        self.watchdog = Watchdog(self.look, BOUND, lambda: self.now, lambda: self.ended.append(self.now))

    async def look(self) -> Mapping[str, Moving]:
        if self.is_down:
            raise Outage("mongodb: no answer")
        return {"cases": self.consumer}

    async def pass_time(self, seconds: float, moving: bool = False) -> None:
        until = self.now + seconds
        while self.now < until and not self.ended:
            self.consumer.moves += moving
            await self.watchdog.check()
            self.now += 1


async def test_who_stands_still_with_work_is_ended_after_three_bounds() -> None:
    scene = Scene()
    scene.consumer.lag = 5
    await scene.pass_time(3 * BOUND)
    assert not scene.ended
    await scene.pass_time(5)
    assert scene.ended == [3 * BOUND + 1]


async def test_who_has_nothing_to_do_or_moves_goes_on() -> None:
    scene = Scene()
    await scene.pass_time(10 * BOUND)
    scene.consumer.lag = 1_000_000
    await scene.pass_time(10 * BOUND, moving=True)
    assert not scene.ended


async def test_time_in_which_a_server_does_not_answer_does_not_count() -> None:
    scene = Scene()
    scene.consumer.lag = 5
    for _ in range(10):
        await scene.pass_time(2 * BOUND)
        scene.is_down = True
        await scene.pass_time(1)
        scene.is_down = False
    assert not scene.ended
