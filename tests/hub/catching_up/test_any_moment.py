"""A backup of any moment of any history: what is put back and caught up is what was lost, and nothing is sent again."""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pymongo
import pytest

from hub.catching_up import catch_up, refuse_older
from schemas.cases import CaseState
from schemas.commands import AssignCase, MergeCase, NoteCase, ReplyToCase, ResolveCase, SnoozeCase, TagCase
from schemas.documents import Case
from schemas.errors import Invalid, Refused, Stale, Unknown
from tests.docs.logs import ON_SERVERS, a_log
from tests.hub.catching_up.test_catching_up import BLOBS, copied, opened, said
from tests.hub.test_flow import OPERATOR, Flow

pytestmark = [*ON_SERVERS, pytest.mark.slow, pytest.mark.timeout(400)]
STEPS = 25
REFUSED = (Invalid, Refused, Stale, Unknown)
"""What people try and what cannot be done is part of a history, too."""


class History:
    """People and customers, by chance from a seed."""

    def __init__(self, flow: Flow, random: Random) -> None:
        self.flow = flow
        self.random = random
        self.names: list[str] = []

    async def step(self) -> None:
        actions: list[Callable[[], Awaitable[object]]] = [
            self.writes, self.answers, self.comes_twice, self.replies, self.replies, self.notes, self.resolves,
            self.merges, self.snoozes, self.assigns, self.tags, self.time_passes,
        ]  # fmt: skip
        with contextlib.suppress(*REFUSED):
            await self.random.choice(actions)()
        for runner in self.random.sample(
            self.flow.runners, self.random.randrange(len(self.flow.runners) + 1)
        ):
            await runner.once()
        if self.random.random() < 0.3:
            await self.flow.dispatcher.send_due()

    async def writes(self) -> None:
        name = f"mail-{len(self.names)}"
        self.names.append(name)
        await self.flow.receive(name, subject=self.random.choice(("Invoice 7", "A question")))

    async def answers(self) -> None:
        """A customer answers an earlier mail."""
        if not self.names:
            return
        parent, name = self.random.choice(self.names), f"answer-{len(self.names)}"
        self.names.append(name)
        await self.flow.receive(name, parents=(f"mail:{parent}",), text="And one more thing.")

    async def comes_twice(self) -> None:
        if self.names:
            await self.flow.receive(self.random.choice(self.names))

    async def a_case(self) -> Case:
        cases = await self.flow.cases()
        if not cases:
            raise Unknown("there is no case yet")
        return self.random.choice(cases)

    async def replies(self) -> None:
        await self.flow.do(OPERATOR, ReplyToCase, await self.a_case(), text="Here it is.")

    async def notes(self) -> None:
        await self.flow.do(OPERATOR, NoteCase, await self.a_case(), text="Called.")

    async def resolves(self) -> None:
        await self.flow.do(OPERATOR, ResolveCase, await self.a_case())

    async def merges(self) -> None:
        one, other = await self.a_case(), await self.a_case()
        if one.id != other.id and CaseState.MERGED not in (one.state, other.state):
            await self.flow.do(OPERATOR, MergeCase, one, into=other.id)

    async def snoozes(self) -> None:
        until = self.flow.clock.now() + timedelta(hours=self.random.randrange(1, 5))
        await self.flow.do(OPERATOR, SnoozeCase, await self.a_case(), until=until)

    async def assigns(self) -> None:
        await self.flow.do(OPERATOR, AssignCase, await self.a_case(), assignee="mia")

    async def tags(self) -> None:
        await self.flow.do(OPERATOR, TagCase, await self.a_case(), add=("seen",))

    async def time_passes(self) -> None:
        self.flow.clock.time += timedelta(hours=self.random.randrange(1, 30))
        await self.flow.timers.tick()


@pytest.mark.parametrize("number", range(6))
async def test_a_restored_store_becomes_what_was_lost(
    number: int, seed: int, client: pymongo.MongoClient[Any]
) -> None:
    random = Random(f"{seed}-{number}")
    async with a_log() as log:
        history = History(log.flow, random)
        restored, moment = f"restored_{uuid4().hex[:8]}", random.randrange(STEPS)
        for step in range(STEPS):
            if step == moment:
                copied(client, log.database, restored)
            await history.step()
        await log.flow.settle()
        assert await log.flow.faults() == []
        truth, sent = await said(log.flow), len(log.flow.relay.sent)
        copied(client, log.database, restored, only=BLOBS)

        flow = await opened(log, restored)
        try:
            await catch_up(flow.engine, flow.clock)
            await refuse_older(flow.engine)
            await flow.company.catch_up()
            await flow.dispatcher.recover()
            flow.clock.time += timedelta(seconds=2)  # what was parked is due
            await flow.settle()
            assert differences(truth, await said(flow)) == []
            assert flow.relay.sent == [], f"{sent} were sent before"
            assert await flow.faults() == []
        finally:
            await flow.engine.close()


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[object]:
    """What was lost, came anew, or is another."""
    found: list[object] = []
    for kind in ("cases", "entries", "deliveries"):
        for id in {**before[kind], **after[kind]}:
            one, other = before[kind].get(id), after[kind].get(id)
            if one != other:
                found.append((kind, id, one, other))
    return found
