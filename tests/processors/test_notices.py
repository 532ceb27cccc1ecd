"""Notices by mail: two help desks that tell each other of new mail come to an end."""

import pytest

from schemas.automation import AutomationFired, AutomationSuppressed
from schemas.commands import NotifyOutside
from tests.processors.examples import ADA, INTERACTION, case_event, entry, received
from tests.processors.test_automation import automations, payloads, routed, rule


@pytest.mark.parametrize("address", [ADA.value, "Ada@Example.com "])
def test_nobody_gets_a_notice_of_what_he_wrote_himself(address: str) -> None:
    notice = {"action": "mail", "to": address, "template": "thanks"}
    rules = automations(rule("tell", "opened", notice))
    happened = case_event(routed(), 2, causation=INTERACTION)
    assert rules.wants(happened).entry == INTERACTION
    (suppressed,) = payloads(rules.react(happened, entry(received())))
    assert isinstance(suppressed, AutomationSuppressed)
    assert "wrote the message" in suppressed.reason


def test_others_are_told() -> None:
    notice = {"action": "mail", "to": "boss@example.com", "template": "thanks"}
    happened = case_event(routed(), 2, causation=INTERACTION)
    told = payloads(automations(rule("tell", "opened", notice)).react(happened, entry(received())))
    assert [type(each) for each in told] == [NotifyOutside, AutomationFired]
