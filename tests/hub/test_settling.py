"""What may have been sent is settled by a person, as the API and the console ask for it."""

from datetime import timedelta

import pytest

from schemas.commands import ReplyToCase, SettleDelivery
from schemas.documents import EntryKind
from schemas.outbound import DeliveryState
from schemas.ports import ReceiptStatus
from tests.hub.test_flow import MIA, OPERATOR, Flow, flow

__all__ = ["flow"]


@pytest.mark.parametrize(("state", "times"), [(DeliveryState.FAILED, 2), (DeliveryState.SENT, 1)])
async def test_a_message_that_may_have_been_sent_is_sent_again_or_left(
    flow: Flow, state: DeliveryState, times: int
) -> None:
    await flow.receive("a")
    await flow.settle()
    flow.relay.sent.clear()
    flow.relay.status = ReceiptStatus.UNKNOWN
    (case,) = await flow.cases()
    await flow.do(MIA, ReplyToCase, case, text="Here it is.")
    await flow.settle()
    message = flow.relay.sent[0].message
    flow.relay.status = ReceiptStatus.SENT
    flow.clock.time += timedelta(days=5)
    await flow.do(MIA, SettleDelivery, case, message=message, state=state)
    await flow.settle()
    assert [each.message for each in flow.relay.sent] == [message] * times
    page = await flow.service.timeline(OPERATOR, case, kinds=(EntryKind.REPLY,))
    assert {each.delivery for each in page.items if each.message == message} == {DeliveryState.SENT}
    assert await flow.faults() == []
