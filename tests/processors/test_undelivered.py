"""An answer that did not reach the customer is looked at again by somebody, and an automatic one by nobody."""

from datetime import timedelta

import pytest

from schemas.case_work import CaseReopened, CaseWoken
from schemas.cases import CaseState
from schemas.commands import ResolveCase, SnoozeCase
from schemas.events import Event
from schemas.ids import item_id
from schemas.interactions import InteractionBounced, Part
from schemas.outbound import DeliveryFailed, DeliverySent, DeliveryUnknown
from tests.processors.test_own_changes import Chat
from tests.processors.world import AGENT, NOW, event_of, mail

REASONS = {DeliveryFailed: "an answer did not leave", DeliveryUnknown: "nobody knows whether an answer left"}


@pytest.mark.parametrize("kind", [DeliveryFailed, DeliveryUnknown])
def test_an_answer_that_did_not_arrive_opens_the_case_again(
    kind: type[DeliveryFailed] | type[DeliveryUnknown],
) -> None:
    chat = Chat()
    chat.do(ResolveCase(case=chat.case().id, actor=AGENT))
    chat.became(chat.answer, kind, reason="no such channel")
    (opened,) = chat.told(CaseReopened)
    assert opened.reason == REASONS[kind]
    case = chat.case()
    assert (case.state, case.resolved_at) == (CaseState.OPEN, None)
    assert case.waiting_since is not None  # the customer waits, and the list of waiting cases shows it


def test_a_case_that_waits_for_the_customer_is_open_again_too() -> None:
    chat = Chat()
    assert chat.case().state is CaseState.WAITING
    chat.became(chat.answer, DeliveryFailed, reason="no such channel")
    assert chat.case().state is CaseState.OPEN


def test_a_sleeping_case_is_woken() -> None:
    chat = Chat()
    chat.do(SnoozeCase(case=chat.case().id, actor=AGENT, until=NOW + timedelta(days=3)))
    chat.became(chat.answer, DeliveryFailed, reason="no such channel")
    assert [each.reason for each in chat.told(CaseWoken)] == ["an answer did not leave"]
    assert chat.case().state is CaseState.OPEN


def test_an_automatic_answer_that_did_not_arrive_opens_nothing() -> None:
    chat = Chat()
    chat.do(ResolveCase(case=chat.case().id, actor=AGENT))
    automatic = chat.answer.model_copy(update={"automatic": True})
    chat.became(automatic, DeliveryFailed, reason="no such channel")
    assert chat.told(CaseReopened) == []
    assert chat.case().state is CaseState.RESOLVED


def test_an_answer_that_arrived_opens_nothing() -> None:
    chat = Chat()
    chat.do(ResolveCase(case=chat.case().id, actor=AGENT))
    chat.became(chat.answer, DeliverySent, external_id="slack:T1:C1:100.9")
    assert chat.case().state is CaseState.RESOLVED


def test_an_answer_that_comes_back_opens_the_case_again() -> None:
    chat = Chat()
    chat.do(ResolveCase(case=chat.case().id, actor=AGENT))
    chat.decide(returned(chat))
    (opened,) = chat.told(CaseReopened)
    assert opened.reason == "an answer came back"
    assert chat.case().state is CaseState.OPEN


@pytest.mark.parametrize("action", ["delayed", "complaint"])
def test_a_delay_and_a_complaint_open_nothing(action: str) -> None:
    chat = Chat()
    chat.do(ResolveCase(case=chat.case().id, actor=AGENT))
    chat.decide(returned(chat, action))
    assert chat.case().state is CaseState.RESOLVED


def returned(chat: Chat, action: str = "failed") -> Event:
    about = {"channel", "account", "brand", "occurred_at", "received_at", "original"}
    bounce = InteractionBounced(
        **mail("x").model_dump(include=about),
        part=Part(item=item_id("email", "support", "bounce")),
        conversation=f"case:{chat.case().id}",
        external_id="mail:bounce",
        message=chat.answer.message,
        action=action,
        status="5.1.1",
        recipient="ann@example.com",
    )
    return event_of(bounce)
