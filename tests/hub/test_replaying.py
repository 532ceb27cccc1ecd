"""A dead letter played again: processed by who could not before, and nothing else is done twice or looks different."""

from typing import Any

import pytest

from hub.consumers import AutomationConsumer
from hub.letters import Letters
from processors.automation import Automations
from schemas.events import SYSTEM, Event
from tests.hub.test_flow import OPERATOR, Flow, flow

__all__ = ["flow"]


async def test_a_case_event_played_again_pulls_what_it_would_have_pulled(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    react = Automations.react

    def failing(self: Automations, event: Event, *more: Any) -> Any:
        raise ValueError("a defect")

    monkeypatch.setattr(Automations, "react", failing)
    await flow.receive("a")
    await flow.settle()
    monkeypatch.setattr(Automations, "react", react)
    before = await flow.cases()
    letters = Letters(flow.engine, flow.clock, flow.intake, {})
    waiting = (await letters.dead_letters()).items
    assert {each.consumer for each in waiting} == {AutomationConsumer.name}
    for each in waiting:
        await letters.replay_dead_letter(each.id, SYSTEM)
    await flow.settle()
    (answer,) = flow.relay.sent
    (case,) = before
    assert answer.text == f"We have it: {case.number}"
    page = await flow.service.timeline(OPERATOR, case)
    assert [entry.step for entry in reversed(page.items)] == ["opened", "routed", "replied", "delivery"]
    assert await flow.faults() == []
