"""What we send, and what was sent and is changed."""

from typing import cast

import pytest

from connectors.kit.contract.asking import answer, not_applicable, send, sent
from connectors.kit.rigs import House, Rig, Send, Told
from schemas.ids import derive
from schemas.outbound import ChangeKind, SentChange
from schemas.ports import ReceiptStatus, Reconciler


class Sends:
    """The receipt says exactly what is known."""

    async def test_an_answer_that_is_taken_is_sent_once(self, rig: Rig, house: House) -> None:
        receipt = await sent(rig, house, Send.TAKES)
        assert receipt.status is ReceiptStatus.SENT and receipt.external_id
        assert [("It is on its way." in each) for each in await rig.arrived()] == [True]

    async def test_an_answer_that_is_refused_failed_with_the_reason(self, rig: Rig, house: House) -> None:
        receipt = await sent(rig, house, Send.REFUSES)
        assert receipt.status is ReceiptStatus.FAILED and receipt.reason and not receipt.stop_account
        assert await rig.arrived() == []

    async def test_too_many_answers_wait_as_long_as_the_other_side_asks(self, rig: Rig, house: House) -> None:
        receipt = await sent(rig, house, Send.LIMITS)
        assert receipt.status is ReceiptStatus.RETRY and receipt.retry_after_seconds == 7
        assert await rig.arrived() == []

    async def test_an_answer_that_never_left_may_be_sent_again(self, rig: Rig, house: House) -> None:
        receipt = await sent(rig, house, Send.DOWN)
        assert receipt.status is ReceiptStatus.RETRY and receipt.reason

    @pytest.mark.parametrize("what", [Send.LOSES, Send.BREAKS], ids=["lost", "broken"])
    async def test_an_answer_that_may_have_arrived_is_unknown_and_not_sent_again(
        self, rig: Rig, house: House, what: Send
    ) -> None:
        receipt = await sent(rig, house, what)
        assert receipt.status is ReceiptStatus.UNKNOWN and receipt.reason
        assert len(await rig.arrived()) == 1

    async def test_an_unknown_answer_is_settled_by_the_other_sides_word(self, rig: Rig, house: House) -> None:
        deliverer = rig.opened.deliverer
        if not hasattr(deliverer, "reconcile"):
            not_applicable("the channel cannot be asked what became of a message")
        assert await rig.give(rig.message("one")) is Told.DONE
        message = answer(rig, (await house.received())[0])
        assert (await send(rig, message, Send.LOSES)).status is ReceiptStatus.UNKNOWN
        await rig.prepare(Send.TAKES)
        receipt = await cast(Reconciler, deliverer).reconcile(message, house.clock.now())
        assert receipt is not None and receipt.status is ReceiptStatus.SENT
        assert len(await rig.arrived()) == 1

    async def test_credentials_that_are_refused_stop_the_account(self, rig: Rig, house: House) -> None:
        receipt = await sent(rig, house, Send.REJECTS_US)
        assert receipt.stop_account and receipt.status is ReceiptStatus.RETRY
        assert await rig.arrived() == []

    async def _changed_twice(self, rig: Rig, house: House, kind: ChangeKind) -> None:
        """Asked for twice, as after a process that ended in between."""
        assert await rig.give(rig.message("one")) is Told.DONE
        message = answer(rig, (await house.received())[0])
        receipt = await send(rig, message, Send.TAKES)
        asked = SentChange(
            kind=kind, message=message.message, external_id=receipt.external_id, parts=receipt.parts
        )
        update = {"message": derive("contract", kind), "text": "It arrives today.", "change": asked}
        for _ in range(2):
            told = await send(rig, message.model_copy(update=update), Send.TAKES)
            assert told.status is ReceiptStatus.SENT

    async def test_an_answer_that_is_edited_twice_the_same_reads_so(self, rig: Rig, house: House) -> None:
        if not rig.capabilities.edit:
            not_applicable("what was sent cannot be changed")
        await self._changed_twice(rig, house, ChangeKind.EDIT)
        assert [("It arrives today." in each) for each in await rig.arrived()] == [True]

    async def test_an_answer_that_is_taken_back_twice_is_gone(self, rig: Rig, house: House) -> None:
        if not rig.capabilities.delete:
            not_applicable("what was sent cannot be taken back")
        await self._changed_twice(rig, house, ChangeKind.DELETE)
        assert await rig.arrived() == []
