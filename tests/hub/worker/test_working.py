"""A breakdown of Faust's ends no process: another application feeds the same desk."""

import asyncio

from hub.worker.agents import TOPICS, make_app
from hub.worker.desk import Desk
from hub.worker.working import Working
from sinks.kafka.address import KafkaAddress
from tests.support.ports import free_port
from tests.support.waiting import eventually


async def test_after_a_breakdown_another_application_is_tried_and_the_desk_goes_on() -> None:
    nowhere = KafkaAddress((f"127.0.0.1:{free_port()}",))
    desk = Desk([])
    working = Working(lambda: make_app(nowhere, TOPICS), desk, pause_seconds=0.01)
    running = asyncio.create_task(working.run())
    await eventually(lambda: working.breakdowns >= 2, 30)
    assert (desk.is_stopped, running.done()) == (False, False)
    await working.stop(1)
    await asyncio.wait_for(running, 5)
    assert (desk.is_stopped, working.is_left_behind) == (True, True)
