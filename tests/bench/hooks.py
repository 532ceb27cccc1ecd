"""Webhook events a second through verify, split, parse and log, by channel: what a process takes in from vendors that call it."""

import asyncio
from pathlib import Path

from connectors.kit.example.rig import ExampleRig
from connectors.kit.rigs import Clock, Given, HookRig, House, Told
from connectors.slack.rig import SlackRig
from connectors.webhook.rig import WebhookRig
from connectors.x.rig import XRig
from tests.bench.apply import rates
from tests.bench.measuring import Figure, Timed, settle
from tests.connectors.engines import sqlite

RIGS: tuple[type[HookRig], ...] = (SlackRig, XRig, WebhookRig, ExampleRig)
AT_ONCE = 128
"""Requests in flight, as many as the intake serves at once."""


def measure(folder: Path, events: int, rounds: int) -> Figure:
    """Every event is durable when its source is told. The processor's clock counts the sources and their stand-ins too."""
    figures: Figure = {"events": events, "at_once": AT_ONCE}
    for rig in RIGS:
        timings = []
        for number in range(rounds):
            settle()
            timings.append(asyncio.run(_round(folder / f"{rig.__name__}-{number}", rig, events)))
        figures[rig.channel.name] = rates([(events, timed) for timed in timings])
    return figures


async def _round(folder: Path, kind: type[HookRig], events: int) -> Timed:
    clock, timed = Clock(), Timed()
    async with sqlite(folder, clock) as engine:
        house, rig = House(engine, clock), kind()
        await rig.begin()
        await rig.open(house)
        given = [rig.message(f"m{number}", f"Where is order {number}?") for number in range(events)]
        await rig.give(rig.message("first"))  # who wrote is looked up once
        with timed.section():
            await _all(rig, given)
        await rig.close()
        await rig.end()
        await house.close()
    return timed


async def _all(rig: HookRig, given: list[Given]) -> None:
    waiting = iter(given)

    async def source() -> None:
        for each in waiting:
            if await rig.give(each) is not Told.DONE:
                raise RuntimeError(f"{each.name} was not taken")

    async with asyncio.TaskGroup() as sources:
        for _ in range(AT_ONCE):
            sources.create_task(source())
