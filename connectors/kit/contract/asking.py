"""How the contract asks a connector: what is not applicable is skipped, what is sent is an answer to a message."""

import asyncio
from typing import NoReturn, TypeVar

import pytest

from connectors.kit.rigs import House, Rig, Send, Told
from schemas.interactions import InteractionReceived
from schemas.outbound import OutboundMessage
from schemas.ports import Deliverer, Receipt

WHOLE_ORIGINAL = (
    "what is kept is not what came: give each item the whole request as its body, not its part of it"
)
T = TypeVar("T")


def not_applicable(why: str) -> NoReturn:
    pytest.skip(f"not applicable: {why}")


def wanted(given: T | None, why: str) -> T:
    return given if given is not None else not_applicable(why)


def answer(rig: Rig, received: InteractionReceived, name: str = "answer") -> OutboundMessage:
    if not rig.capabilities.reply:
        not_applicable("answers leave by another channel")
    return rig.outbound(received, "It is on its way.", name)


async def send(rig: Rig, message: OutboundMessage, what: Send) -> Receipt:
    deliverer: Deliverer = wanted(rig.opened.deliverer, "nothing is sent")
    if not await rig.prepare(what):
        not_applicable(f"the other side never says that it {what}")
    return await asyncio.wait_for(deliverer.deliver(message), 30)


async def sent(rig: Rig, house: House, what: Send) -> Receipt:
    assert await rig.give(rig.message("one")) is Told.DONE
    return await send(rig, answer(rig, (await house.received())[0]), what)
